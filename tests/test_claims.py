"""Paired gains over seeds against hand-worked cases and SciPy's own test."""

import numpy as np
import pytest
from scipy import stats

from dcbook.experiments import Record, contrast, summarize


def record(method, dataset, seed, acc):
    return Record({"method": method, "dataset": dataset, "seed": seed}, {"acc": acc}, [], {})


def table(**values):
    """a=[(dataset, seed, acc in %), …], …"""
    return [record(name, d, s, acc / 100) for name, rows in values.items() for d, s, acc in rows]


def test_gains_are_paired_by_data_set_and_seed():
    found = contrast(
        table(a=[("x", 0, 50), ("x", 1, 60), ("y", 0, 40)], b=[("x", 1, 55), ("x", 0, 52), ("z", 0, 9)]), "a", "b"
    )
    assert found.gains == {"x": pytest.approx((-2, 5))}
    assert found.mean == pytest.approx(1.5) and found.means == {"x": pytest.approx(1.5)}


def test_the_interval_is_that_of_a_paired_t_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(60, 5, 9), rng.normal(55, 5, 9)
    places = [(dataset, seed) for dataset in "xyz" for seed in range(3)]
    rows = {"a": ours, "b": theirs}
    records = table(
        **{name: [(*place, v) for place, v in zip(places, values, strict=True)] for name, values in rows.items()}
    )
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert contrast(records, "a", "b").interval == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ({"x": [3, 4, 5], "y": [2, 3, 4]}, "holds"),
        ({"x": [3, 4, 5], "y": [-9, 9, 1]}, "holds in part"),  # better on both, but the interval holds 0
        ({"x": [3, 4, 5], "y": [-2, -3, -1]}, "holds in part"),
        ({"x": [-3, 1, -2], "y": [-2, 0, -1]}, "does not hold"),
        (
            {"x": [-3, -3, -3], "y": [0.1, 0.1, 0.2], "z": [-3, -3, -3]},
            "does not hold",
        ),  # better on one, hardly
        ({"x": [5]}, "holds in part"),  # one pair decides nothing
    ],
)
def test_verdicts(gains, verdict):
    rows = {d: list(enumerate(g)) for d, g in gains.items()}
    records = table(
        a=[(d, s, 50 + g) for d, r in rows.items() for s, g in r], b=[(d, s, 50) for d, r in rows.items() for s, _ in r]
    )
    assert contrast(records, "a", "b").verdict == verdict


def test_of_several_rivals_the_best_of_each_data_set_counts():
    records = table(a=[("x", 0, 50), ("y", 0, 50)], b=[("x", 0, 40), ("y", 0, 48)], c=[("x", 0, 49), ("y", 0, 10)])
    assert contrast(records, "a", ["b", "c", "absent"]).means == {"x": pytest.approx(1), "y": pytest.approx(2)}


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="no data set and seed has records of both a and b"):
        contrast(table(a=[("x", 0, 1)], b=[("x", 1, 1)]), "a", "b")
    with pytest.raises(ValueError, match="a has two records on x with seed 0"):
        contrast(table(a=[("x", 0, 1), ("x", 0, 2)], b=[("x", 0, 1)]), "a", "b")


def test_a_summary_by_hand():
    frame = summarize([("a", "x", "lonely", 1.0), ("a", "x", "lonely", 3.0), ("a", "y", "lonely", 5.0)])
    assert frame[["mean", "n"]].to_numpy().tolist() == [[2, 2], [5, 1]]
    assert frame["std"][0] == pytest.approx(2**0.5) and np.isnan(frame["std"][1])
