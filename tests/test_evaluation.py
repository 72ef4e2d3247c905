"""Scores against enumeration and hand-worked cases."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcbook.evaluation import accuracy, ari, macro_f1, match, micro_f1, nmi, scores


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25))
def test_accuracy_is_the_best_of_all_maps(pairs):
    y, c = np.array(pairs).T
    best = max(np.mean(np.array(renamed)[c] == y) for renamed in permutations(range(4)))
    assert accuracy(y, c) == pytest.approx(best)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=2, max_size=25),
    st.permutations(range(5)),
)
def test_names_of_clusters_do_not_matter(pairs, names):
    y, c = np.array(pairs).T
    for score in (accuracy, nmi, ari):
        assert score(y, c) == pytest.approx(score(y, np.array(names)[c]))


def test_more_clusters_than_classes():
    y = np.array([0, 0, 0, 1, 1, 1])
    c = np.array([5, 5, 7, 8, 8, 9])
    assert match(y, c).tolist() == [0, 0, -1, 1, 1, -1]
    assert accuracy(y, c) == pytest.approx(4 / 6)
    # both classes: precision 1, recall 2/3
    assert macro_f1(y, c) == pytest.approx(0.8)
    # four hits, none wrong among those given a class, two missed: 8 / (8 + 2)
    assert micro_f1(y, c) == pytest.approx(0.8)


def test_fewer_clusters_than_classes():
    y, c = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 1, 1])
    assert accuracy(y, c) == pytest.approx(4 / 6)
    # F1: 1, then 2·(1/2·1)/(3/2) = 2/3, then 0
    assert macro_f1(y, c) == pytest.approx((1 + 2 / 3) / 3)
    assert micro_f1(y, c) == pytest.approx(4 / 6)


def test_nmi_takes_the_arithmetic_mean():
    # H(y) = log 2, H(c) = log 4, I = log 2, so NMI = 2 log 2 / (log 2 + log 4) = 2/3; the geometric mean gives 0.707
    assert nmi([0, 0, 1, 1], [0, 1, 2, 3]) == pytest.approx(2 / 3)


def test_ari_of_chance_and_of_perfection():
    random = np.random.default_rng(0)
    y = random.integers(0, 5, 4000)
    assert ari(y, (y + 1) % 5) == 1
    assert abs(ari(y, random.integers(0, 5, 4000))) < 0.01


def test_labels_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\)"):
        scores([0, 1, 1], [0, 1])
