"""What a record keeps of a network's filters, against the network itself; the numbers and the picture made of it."""

import json

import numpy as np
import pytest
from matplotlib import pyplot as plt

from dcbook.chapters.deepcluster import tables
from dcbook.chapters.deepcluster.pictures import preferred
from dcbook.chapters.deepcluster.watches import Filters, picture
from dcbook.chapters.deepcluster.watches.filters import TOP
from dcbook.data import load
from dcbook.evaluation import most_activating, responses
from dcbook.experiments import Record
from dcbook.methods import DeepCluster

LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc7"]


@pytest.fixture(scope="module")
def made():
    data = load("digits", subset=200)
    model = DeepCluster(12, epochs=2, width=0.2, hidden=16, pca_dim=8, batch_size=50, random_state=0).fit(data.images)
    before = model.transform(data.images)
    portrait = Filters(shown=3, steps=15).portrait(model, data)
    np.testing.assert_array_equal(model.transform(data.images), before)
    return data, model, portrait


def test_the_portrait_is_of_both_networks(made):
    data, model, portrait = made
    networks = {"untrained": model.untrained(), "trained": model.autoencoder_}
    for name, network in networks.items():
        np.testing.assert_array_equal(portrait["first"][name], network.pixel_filters)
        assert list(portrait["purity"][name]) == list(portrait["filters"][name]) == LAYERS
        for layer, shown in portrait["filters"][name].items():
            module = network.encoder.fc7 if layer == "fc7" else network.layers[layer]
            best, values = most_activating(network, module, data.images, n=TOP)
            shares = [np.bincount(data.labels[row]).max() / TOP for row in best]
            assert portrait["purity"][name][layer] == pytest.approx(shares)
            assert len(shown) == min(3, len(shares)) == len({each["filter"] for each in shown})
            for each in shown:
                index = each["filter"]
                assert each["images"] == best[index].tolist() and each["labels"] == data.labels[best[index]].tolist()
                assert each["responses"] == values[index].tolist()
                ascent = picture(each["ascent"], data.images.shape[1:])
                assert ascent.dtype == np.uint8 and ascent.shape == (1, 8, 8)
                assert responses(network, module, ascent[None])[0, index] == pytest.approx(each["ascended"], rel=1e-4)


def test_the_filters_shown_go_from_the_purest_to_the_least_pure(made):
    portrait = made[2]
    for layer in LAYERS:
        shares = portrait["purity"]["trained"][layer]
        shown = [shares[each["filter"]] for each in portrait["filters"]["trained"][layer]]
        assert shown == sorted(shown, reverse=True) and (shown[0], shown[-1]) == (max(shares), min(shares))


def test_chance_is_that_of_balanced_classes(made):
    rng = np.random.default_rng(1)
    slow = [np.bincount(rng.integers(0, 10, TOP)).max() / TOP for _ in range(5000)]
    assert made[2]["chance"] == pytest.approx(np.mean(slow), abs=0.01)


def test_the_portrait_is_the_same_again_and_small(made):
    data, model, portrait = made
    assert json.dumps(Filters(shown=3, steps=15).portrait(model, data)) == json.dumps(portrait)
    assert len(json.dumps(portrait)) < 60_000
    assert Filters(shown=3).name != Filters().name != Filters(steps=9).name


def test_the_numbers_of_a_record(made):
    portrait = made[2]
    run = {"method": "DeepCluster", "dataset": "digits", "seed": 4, "sampling": {}, "params": {"sobel": True}}
    frame = tables.filter_numbers([Record(run, {"nmi": 0.5}, [], {}, portrait)])
    assert set(frame["network"]) == {"untrained, Sobel", "trained, Sobel", "chance"}
    value = frame.set_index(["network", "measure", "layer"])["value"]
    shares = portrait["purity"]["trained"]["fc7"]
    assert value["trained, Sobel", "purity", "fc7"] == pytest.approx(100 * np.mean(shares))
    assert value["trained, Sobel", "one class", "fc7"] == 100 * sum(share == 1 for share in shares) / len(shares)
    beaten = [each["ascended"] > max(each["responses"]) for each in portrait["filters"]["untrained"]["conv3"]]
    assert value["untrained, Sobel", "ascent", "conv3"] == pytest.approx(100 * np.mean(beaten))
    assert value["trained, Sobel", "flat", "conv1"] < 1e-6  # derivatives see nothing that is constant
    assert value["chance", "purity", "conv5"] == 100 * portrait["chance"]


def test_the_picture_has_a_row_of_tiles_for_each_filter(made):
    ramp = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1) * np.ones((1, 4, 4), np.uint8)
    rows = [("a", ramp[9], ramp[:3]), ("b", ramp[8], ramp[3:6])]
    figure = preferred({"conv1": rows, "conv2": rows, "conv3": rows})
    drawn = figure.axes[0].images[0].get_array()
    assert [len(axis.images) for axis in figure.axes] == [1, 1, 1, 0]
    assert figure.axes[0].get_title(loc="left") == "conv1"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    first, second = drawn[3], drawn[6 + 3]  # lines of pixels through the tiles, white in between
    assert [each for each in first[:, 0] if each != 255] == [9] * 4 + [0] * 4 + [1] * 4 + [2] * 4
    assert [each for each in second[:, 0] if each != 255] == [8] * 4 + [3] * 4 + [4] * 4 + [5] * 4
    color = np.zeros((4, 3, 5, 5), np.uint8)
    color[:, 1] = 200
    drawn = preferred({"conv1": [("c", color[0], color)]}).axes[0].images[0].get_array()
    assert drawn[3, 3].tolist() == [0, 200, 0]
    plt.close("all")
