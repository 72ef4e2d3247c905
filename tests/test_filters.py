"""Fig. 13: filters matched by hand-worked cases, the supervised twin, and what the record keeps of the first layer."""

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.chapters.dcss.tables import resemblances
from dcbook.chapters.dcss.watches import FirstLayer
from dcbook.data import Dataset
from dcbook.evaluation import learned_alike, matching, resemblance, train_with_labels
from dcbook.experiments import Method, Scale, records, runs, sweep
from dcbook.methods import DCSS, AEKMeans, Pretraining

RECIPE = Pretraining("convolutional", latent_dim=3, epochs=2, batch_size=20)
SETTINGS = {
    "phase1_epochs": 1,
    "phase2_epochs": 2,
    "T2": 1,
    "batch_size": 20,
    "schedule_size": None,
    "encoder_lr": 0.01,
}


def test_each_filter_finds_itself_whatever_its_place_sign_and_size():
    rng = np.random.default_rng(0)
    filters = rng.normal(size=(6, 1, 3, 3))
    order = rng.permutation(6)
    others = -3 * filters[order]
    assert matching(filters, others).tolist() == order.tolist()
    assert resemblance(filters, others) == pytest.approx(1)


def test_partners_are_shared_out_so_that_the_sum_is_largest():
    """By hand: a takes x (0.8 + 1) and leaves y to b, though b is y (1) and a likes y better than x."""
    a, b = [0.6, 0.8, 0], [0, 1, 0]
    x, y = [1, 0, 0], [0, 1, 0]
    assert matching([a, b], [x, y]).tolist() == [0, 1]
    assert resemblance([a, b], [x, y]) == pytest.approx((0.6 + 1) / 2)
    assert matching([a, b], [y]).tolist() == [1]  # one filter stays without a partner
    assert resemblance([b], [[0, 0, 0]]) == 0


def test_outputs_agree_where_the_images_do_not_tell_filters_apart():
    """Filters at right angles whose outputs are the same, as both pixels always are."""
    assert resemblance([[1, 0]], [[0, 1]]) == 0
    assert resemblance([[1, 0]], [[0, 1]], [[2, 2], [2, 2]]) == pytest.approx(1)
    patches = np.random.default_rng(0).normal(size=(500, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    one, two = np.random.default_rng(2).normal(size=(2, 1, 4))
    correlation = np.corrcoef((patches @ one.T).ravel(), (patches @ two.T).ravel())[0, 1]
    assert resemblance(one, two, np.cov(patches.T)) == pytest.approx(abs(correlation))


def test_filters_that_cannot_be_matched_are_refused():
    with pytest.raises(ValueError, match="as many or more"):
        resemblance(np.ones((1, 4)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="of one size"):
        resemblance(np.ones((2, 4)), np.ones((2, 9)))


def test_what_was_learned_is_compared_filter_by_filter():
    start, (x, y, _) = np.eye(3), np.eye(3)
    right, up = start + x, start + y
    assert learned_alike(start, right, start + 5 * x) == pytest.approx(1)
    assert learned_alike(start, right, up) == pytest.approx(0)
    assert learned_alike(start, right, start - x) == pytest.approx(-1)
    assert learned_alike(start, start, up) == 0


def three_squares(name="squares", n=90):
    """12×12 images with a bright square in one of three corners."""
    labels = np.arange(n) % 3
    images = np.random.default_rng(0).uniform(0, 0.3, (n, 1, 12, 12)).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        image[0, 6 * (label // 2) : 6 * (label // 2) + 6, 6 * (label % 2) : 6 * (label % 2) + 6] += 0.7
    return Dataset(name, images, labels)


def test_the_twin_learns_the_labels_and_leaves_the_global_stream_alone():
    data = three_squares()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, again = (nn.Sequential(nn.Flatten(), nn.Linear(144, 4)) for _ in range(2))
    again.load_state_dict(first.state_dict())
    torch.manual_seed(3)
    options = {"epochs": 30, "batch_size": 10, "lr": 1e-2, "seed": 1}
    assert train_with_labels(first, data.images, data.labels, **options) == 1
    assert torch.rand(1) == expected
    as_bytes = (255 * data.images).round().astype(np.uint8)
    assert train_with_labels(again, as_bytes, data.labels, **options) == 1
    assert (first[1].weight - again[1].weight).abs().mean() < 0.01  # bytes are read as 0 to 1 too
    shuffled = np.random.default_rng(0).permutation(data.labels)
    assert train_with_labels(again, data.images, shuffled, epochs=0, batch_size=10) < 0.7


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The record of one run, looked at and not."""

    def swept(watch):
        start = {"start": Method(AEKMeans, {"start": RECIPE})}
        dcss = {"DCSS": Method(DCSS, SETTINGS, start="start", watch=watch)}
        grid = runs(Scale(datasets={"squares": {}}, seeds=(0,), starts=start, methods=dcss))
        options = {"load": three_squares, "n_jobs": 1, "device": "cpu", "progress": False}
        assert sweep(grid, folder / "records", starts_folder=folder / "starts", **options).complete
        return records.read(records.path_of(grid[0].identity, folder / "records"))

    folder = tmp_path_factory.mktemp("filters")
    return swept(FirstLayer(RECIPE)), swept(None)


def test_the_watch_changes_nothing_of_the_run(both):
    watched, alone = both
    assert watched.scores == alone.scores and watched.history == alone.history
    assert alone.portrait == {}


def test_the_portrait_holds_the_filters_that_it_says(both):
    portrait, data = both[0].portrait, three_squares()
    start = AEKMeans(3, start=RECIPE, random_state=0).fit(data.images).start_
    model = DCSS(3, start=start, random_state=0, **SETTINGS).fit(data.images)
    expected = {
        "untrained": RECIPE.build((1, 12, 12), 0).encoder,
        "autoencoder": start.autoencoder.encoder,
        "DCSS": model.autoencoder_.encoder,
    }
    for name, encoder in expected.items():
        assert np.allclose(portrait["filters"][name], encoder[0].weight.detach(), atol=1e-5), name
    twins = [np.array(portrait["filters"][name]) for name in ("supervised", "supervised, another start")]
    assert all(twin.shape == (32, 1, 5, 5) for twin in twins)
    same, other = (resemblance(portrait["filters"]["untrained"], twin) for twin in twins)
    assert other < 0.6 < 0.9 < same < 1  # one began from these weights and has moved; the other never had them
    assert set(portrait["accuracy"]) == {"supervised", "supervised, another start"}
    assert np.shape(portrait["covariance"]) == (25, 25)


def test_the_measures_are_of_the_networks_that_they_name(both):
    portrait = both[0].portrait
    found, filters = resemblances(portrait), portrait["filters"]
    other = filters["supervised, another start"]
    assert found["filters"]["DCSS"] == resemblance(filters["DCSS"], other)
    assert found["outputs"]["DCSS"] == resemblance(filters["DCSS"], other, portrait["covariance"])
    assert found["filters, same start"]["DCSS"] == resemblance(filters["DCSS"], filters["supervised"])
    learned = learned_alike(filters["untrained"], filters["DCSS"], filters["supervised"])
    assert found["learned, same start"]["DCSS"] == learned
    assert list(found["filters"]) == ["untrained", "autoencoder", "DCSS", "supervised"]
