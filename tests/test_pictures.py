"""Pictures: what a reader reads on them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from dcbook import plots
from dcbook.chapters.dcss import pictures
from dcbook.data import NAMES
from dcbook.plots.names import DATASETS
from dcbook.plots.style import COLORS, OURS, PAPER, at_least, canvas, legend_beside, looks


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_every_data_set_has_a_name_for_readers():
    assert set(NAMES) <= set(DATASETS)


@pytest.mark.parametrize(
    "name, words",
    [
        ("usps", "USPS"),
        ("cifar10-simclr-h", "CIFAR-10, H space of SimCLR"),
        ("digits-rgb-moco-z", "tinted digits (8×8), Z space of MoCo"),
        ("from usps to another", "from USPS to another"),
        ("of mine", "of mine"),
        ("stackoverflow, svd-20", "StackOverflow, svd-20"),
        ("mine-simclr-x", "mine-simclr-x"),
    ],
)
def test_names(name, words):
    assert plots.called(name) == words


def test_one_legend_has_the_lines_of_all_panels_once():
    with canvas(1, 2, (4, 2)) as (_, axes):
        for axis, names in zip(axes.flat, (("a", "b"), ("b", "c")), strict=True):
            for name in names:
                axis.plot([0, 1], label=name)
        legend_beside(axes)
    assert [text.get_text() for text in axes[0, -1].get_legend().get_texts()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "values, low, high",
    [((46.4, 46.6), 44, 49), ((0, 0.5), -0.2, 4.8), ((-0.5, 0.5), -2.5, 2.5), ((0, 100), -5, 105)],
)
def test_an_axis_spans_a_least_width(values, low, high):
    _, axis = plt.subplots()
    axis.plot(values, (0, 1))
    at_least(axis, 5)
    assert axis.get_xlim() == pytest.approx((low, high))


def test_the_papers_setting_is_marked_where_it_is_among_the_values():
    rows = [("acc", 0.5, m) for m in (1.1, 1.5)]
    frame = pd.DataFrame(rows, columns=["metric", "value", "m"])
    figure = plots.sensitivity({"fuzziness": (frame, "m"), "other": (frame, "m")}, {"fuzziness": 1.5, "other": 7})
    marks = [[line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == ":"] for axis in figure.axes]
    assert marks == [[1], []]


def test_a_comparison_says_metrics_and_data_in_words():
    frame = pd.DataFrame(
        {"method": ["k-means"], "dataset": ["usps"], "metric": ["f1_macro"], "mean": [66.0], "reported": [65.0]}
    ).assign(difference=1.0, reported_on="usps")
    seeds = pd.DataFrame({"method": ["k-means"], "dataset": ["usps"], "metric": ["f1_macro"], "value": [0.66]})
    axis = plots.comparison(frame, seeds, "f1_macro").axes[0]
    assert (axis.get_title(loc="left"), axis.get_xlabel()) == ("USPS", "F1-macro, %")
    assert np.ptp(axis.get_xlim()) >= 5


def test_each_name_has_a_look_of_its_own():
    assert looks(["a", 2], "os") == [("a", COLORS[0], "o"), (2, COLORS[1], "s")]
    assert len({look[1:] for look in looks(range(10))}) == 10
    for names, given in ((range(11), {}), ("abc", {"markers": "os"}), ("abc", {"colors": (OURS, PAPER)})):
        with pytest.raises(ValueError, match="names apart, not"):
            looks(names, **given)


def course(method="a", v=(1.0, 2.0)):
    return pd.DataFrame({"dataset": "usps", "method": method, "seed": 0, "progress": [0.5, 1.0], "v": v})


def test_lines_of_one_color_are_refused():
    names = [f"m{i}" for i in range(11)]
    with pytest.raises(ValueError, match="10 names apart, not 11"):
        plots.histories(pd.concat(map(course, names)), "v", "V")
    scored = pd.DataFrame([{"method": name, "metric": "acc", "value": 0.5, "n": n} for name in names for n in (1, 2)])
    with pytest.raises(ValueError, match="10 names apart, not 11"):
        plots.contest(scored, "n")


def test_two_runs_of_a_seed_are_no_line():
    with pytest.raises(ValueError, match="a seed of a has several runs"):
        plots.histories(pd.concat([course(), course(v=(5.0, 6.0))]), "v", "V")


def test_what_was_not_measured_is_a_gap():
    rows = [("d", "a", "conv1", 1.0), ("d", "a", "conv2", 2.0), ("d", "b", "conv1", 3.0)]
    lines = plots.layers(pd.DataFrame(rows, columns=["dataset", "network", "layer", "value"])).axes[0].lines
    assert [line.get_ydata().tolist() for line in lines] == [[1, 2], pytest.approx([3, np.nan], nan_ok=True)]
    rows = [("acc", 0.1, None), ("acc", 0.2, False), ("acc", 0.3, True), ("nmi", 0.4, True)]
    axis = plots.sensitivity({"p": (pd.DataFrame(rows, columns=["metric", "value", "s"]), "s")}).axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["None", "False", "True"]
    acc, nmi = (line.get_ydata().tolist() for line in axis.lines)
    assert acc == pytest.approx([10, 20, 30]) and nmi == pytest.approx([np.nan, np.nan, 40], nan_ok=True)


def test_a_contact_sheet_has_room_for_the_surest_and_the_least_sure():
    with pytest.raises(ValueError, match="at least 4, not 3"):
        plots.contact_sheet(np.zeros((6, 1, 2, 2)), np.zeros(6, int), np.arange(6), columns=3)
    figure = plots.contact_sheet(np.zeros((6, 1, 2, 2)), np.zeros(6, int), np.arange(6), columns=4)
    assert [len(axis.images) for axis in figure.axes] == [1, 0, 1, 1, 1]


def test_a_filter_of_zeros_is_gray():
    weights = np.ones((2, 1, 3, 3))
    weights[0] = 0
    tiles = plots.filters({"a": weights}, columns=2).axes[0].images[0].get_array()
    assert (tiles[1:4, 1:4] == 0).all() and (tiles[1:4, 6:9] == 1).all()


def test_a_picture_drops_nothing():
    with pytest.raises(ValueError, match="10 names apart, not 12"):
        plots.luck(np.ones(3), {str(i): [1.0] for i in range(12)})
    one = {"seed": 0, "metric": "acc", "value": 0.5, "n_clusters": 3, "dataset": "digits"}
    four = pd.DataFrame([one | {"method": name} for name in "abcd"])
    assert len(pictures.over_clusters(four, 3).axes[0].lines) == 5, "a line a method, and that of the classes"
    with pytest.raises(ValueError, match="4 names apart, not 5"):
        pictures.over_clusters(pd.concat([four, four.assign(method="e").head(1)]), 3)
    inside, outside = np.array([0.2, 0.4]), np.array([0.2, 1.2])
    pictures.bounds({"t": (inside, inside, np.eye(2), "x", "y")})
    for x, values in ((inside, outside), (-inside, inside)):
        with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
            pictures.bounds({"t": (x, values, np.eye(2), "x", "y")})
    shares = pd.DataFrame({"network": "a", "dataset": "digits", "share": [0.0, 3.0], "gain": [1.0, 2.0]})
    with pytest.raises(ValueError, match="logarithmic"):
        pictures.gains_by_share(shares, {"gain": "gain"})
    three = pd.concat([shares.tail(1).assign(network=name) for name in "abc"])
    with pytest.raises(ValueError, match="2 names apart, not 3"):
        pictures.gains_by_share(three, {"gain": "gain"})
