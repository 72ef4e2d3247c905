"""Pictures: what a reader reads on them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from dcbook import plots
from dcbook.data import NAMES
from dcbook.plots.names import DATASETS
from dcbook.plots.style import at_least, canvas, legend_beside


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
