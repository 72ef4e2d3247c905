"""Paired gains over seeds and data sets: hand-worked cases, SciPy's own tests, and how often intervals are right."""

import math

import numpy as np
import pytest
from scipy import stats

from dcbook.experiments import Contrast, Rate, Record, contrast, counted, grouped, summarize
from dcbook.experiments.contrast import NoPairs
from dcbook.experiments.ratio import Ratio


def record(method, dataset, seed, acc):
    return Record({"method": method, "dataset": dataset, "seed": seed}, {"acc": acc}, [], {})


def table(**values):
    """a=[(dataset, seed, acc in %), …], …"""
    return [record(name, d, s, acc / 100) for name, rows in values.items() for d, s, acc in rows]


def test_gains_are_paired_by_data_set_and_seed_and_each_data_set_has_the_same_weight():
    found = contrast(
        table(
            a=[("x", 0, 50), ("x", 1, 60), ("y", 0, 40), ("w", 0, 21)],
            b=[("x", 1, 55), ("x", 0, 52), ("z", 0, 9), ("w", 0, 20)],
        ),
        "a",
        "b",
    )
    assert found.gains == {"x": pytest.approx((-2, 5)), "w": pytest.approx((1,))}
    assert found.means == {"x": pytest.approx(1.5), "w": pytest.approx(1)}
    assert found.mean == pytest.approx(1.25) and found.n == 3


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="no data set and seed has records of both a and b"):
        contrast(table(a=[("x", 0, 1)], b=[("x", 1, 1)]), "a", "b")
    with pytest.raises(ValueError, match="a has two records on x with seed 0"):
        contrast(table(a=[("x", 0, 1), ("x", 0, 2)], b=[("x", 0, 1)]), "a", "b")
    with pytest.raises(ValueError, match="b has two records on x at one rate with seed 0"):
        twice = table(a=[("x", 0, 1)], b=[("x", 0, 1), ("x", 0, 2)])
        contrast(twice, "a", "b", setting=lambda record: "one rate")
    for nothing in (lambda: Contrast({}), lambda: Rate({}), lambda: Ratio({})):
        with pytest.raises(NoPairs):
            nothing()


def test_on_one_data_set_the_interval_is_that_of_a_paired_t_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(60, 5, 9), rng.normal(55, 5, 9)
    rows = {name: [("x", s, v) for s, v in enumerate(values)] for name, values in (("a", ours), ("b", theirs))}
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.9)
    assert contrast(table(**rows), "a", "b").interval(0.9) == pytest.approx((expected.low, expected.high))


def test_on_two_data_sets_the_interval_is_that_of_welch():
    """The mean of two means with the sign of one turned around is half of a difference of means."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(3, 1, 4), rng.normal(2, 5, 7)
    expected = stats.ttest_ind(x, -y, equal_var=False).confidence_interval(0.95)
    found = Contrast({"x": tuple(x), "y": tuple(y)})
    assert found.interval() == pytest.approx((expected.low / 2, expected.high / 2))


def test_a_difference_between_data_sets_is_no_scatter_of_seeds():
    """Pooled pairs would give ±3.0 points; between data sets the interval is that of three means."""
    found = Contrast({"x": (10.0, 10.1, 9.9), "y": (1.0, 1.1, 0.9), "z": (5.0, 5.1, 4.9)})
    low, high = found.interval()
    assert high - low < 0.4
    between = found.between()
    expected = stats.ttest_1samp([10, 1, 5], 0).confidence_interval(0.95)
    assert between == pytest.approx((expected.low, expected.high))
    assert Contrast({"x": (1.0, 2.0), "y": (1.0, 2.0)}).between() is None


@pytest.mark.parametrize("sizes", [(3,), (3, 3, 3), (2, 5)])
def test_intervals_hold_the_truth_as_often_as_they_say(sizes):
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(600):
        gains = {str(i): tuple(rng.normal(i, 1 + 2 * i, n)) for i, n in enumerate(sizes)}
        low, high = Contrast(gains).interval(0.9)
        hits += low <= np.mean(range(len(sizes))) <= high
    assert 0.87 <= hits / 600 <= 0.98  # Welch's interval is a little too wide for two and three seeds


def test_the_scatter_is_pooled_within_data_sets():
    assert Contrast({"x": (0.0, 2.0), "y": (10.0, 14.0)}).scatter == pytest.approx(math.sqrt((2 + 8) / 2))
    assert math.isnan(Contrast({"x": (5.0,)}).scatter)
    assert Contrast({"x": (5.0,)}).interval() == (-math.inf, math.inf)


def test_a_rate_has_the_exact_interval():
    found = counted([("x", True), ("x", True), ("y", True), ("y", False)])
    assert found.counts == {"x": (2, 2), "y": (1, 2)} and found.mean == 75
    exact = stats.binomtest(3, 4).proportion_ci(0.95, "exact")
    assert found.interval() == pytest.approx((100 * exact.low, 100 * exact.high))
    assert Rate({"x": (0, 3)}).interval()[0] == 0 and Rate({"x": (3, 3)}).interval()[1] == 100


def test_how_numbers_are_told():
    assert Contrast({"x": (1.0, 1.0)}).told(0.95) == "+1.0 [+1.0, +1.0] points over 2 pairs (x +1.0)"
    assert Contrast({"x": (7.0, 7.0)}, "%").told(0.95) == "7.0 [7.0, 7.0] % over 2 runs (x 7.0)"
    assert Contrast({"x": (0.125, 0.125)}, "").told(0.95) == "0.12 [0.12, 0.12] over 2 runs (x 0.12)"
    cosines = Contrast({"x": (0.25, 0.25), "y": (-0.75, -0.75)}, "", paired=True)
    assert cosines.told(0.95) == "-0.25 [-0.25, -0.25] over 4 pairs (x +0.25, y -0.75)"
    assert counted([("x", True)] * 6).told(0.95) == "6 of 6 runs [54, 100 %]"


def test_grouped_by_data_set():
    assert grouped([("x", 1.0), ("y", 2.0), ("x", 3.0)]) == {"x": (1, 3), "y": (2,)}


def test_a_summary_by_hand():
    frame = summarize(
        [(*at, "lonely", value) for at, value in (("ax", 1.0), ("ax", 3.0), ("ay", 5.0), ("ay", float("nan")))]
    )
    assert frame[["mean", "n"]].to_numpy().tolist() == [[2, 2], [5, 1]]
    assert frame["std"][0] == pytest.approx(2**0.5) and np.isnan(frame["std"][1])
