"""Scores against enumeration and hand-worked cases."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcbook.evaluation import accuracy, ari, macro_f1, majority_vote, match, micro_f1, nmi, scores, tsne


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


NAMES = {  # of classes: what real labels are made of, -1 and the largest byte among them
    "noise": [-1, 0, 1, 2],
    "bytes": np.array([255, 0, 1, 254], dtype=np.uint8),
    "floats": [-1.0, 0.5, 1.0, 2.0],
    "words": ["b", "a", "", "-1"],
    "objects": np.array(["b", "a", "c", "d"], dtype=object),
    "truth": [False, True, True, False],
    "categories": pd.Categorical(["b", "a", "c", "d"]),
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=12), st.sampled_from(sorted(NAMES))
)
def test_any_kind_of_label_by_enumeration(pairs, kind):
    y, c = np.array(pairs).T
    named = pd.Series(NAMES[kind]).iloc[y] if kind == "categories" else np.asarray(NAMES[kind])[y]
    y = np.unique(np.asarray(named), return_inverse=True)[1]
    maps = [np.array(renamed) for renamed in permutations([*range(y.max() + 1), *[-1] * 5], 5)]
    hits = max(maps, key=lambda renamed: np.sum(renamed[c] == y))
    assert accuracy(named, c) == pytest.approx(np.mean(hits[c] == y))
    assert majority_vote(named, c) == pytest.approx(sum(np.bincount(y[c == k]).max() for k in set(c)) / len(y))
    found = match(named, c)
    assert np.mean([a == b for a, b in zip(found, np.asarray(named), strict=True)]) == pytest.approx(accuracy(named, c))
    # micro-averaged: hits over the mean of the samples and of those in a matched cluster
    matched = np.array([a is not None and any(a == b for b in np.asarray(named)) for a in found])
    assert micro_f1(named, c) == pytest.approx(2 * np.mean(hits[c] == y) / (1 + matched.mean()))


def test_sentinels_are_no_classes():
    assert accuracy([-1, -1, -1, 0, 0], [0, 1, 2, 3, 3]) == pytest.approx(0.6)
    assert accuracy(np.array([255, 255, 0, 0], dtype=np.uint8), [0, 1, 2, 2]) == pytest.approx(0.75)
    assert match(["b", "b", "a"], [0, 1, 2]).tolist() in (["b", None, "a"], [None, "b", "a"])
    assert set(scores(pd.Series(["x", "y", "y"]), [0, 1, 1]).values()) == {1.0}


def test_majority_vote_lets_clusters_share_a_class():
    assert majority_vote([0, 0, 0, 1, 1, 1], [5, 5, 7, 8, 8, 7]) == pytest.approx(5 / 6)
    assert majority_vote([0, 0, 1, 1], [0, 1, 2, 3]) == 1


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


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", float("nan"), "a"],
        ["a", 1, "1", "a"],
        np.array([1, float("nan"), 2, 2], dtype=object),
        pd.Series([1, None, 2, 2], dtype=object),
        [0.5, float("nan"), 1.5, 1.5],
    ],
)
def test_labels_that_are_missing_or_mixed_are_refused(labels):
    for pair in ((labels, [0, 1, 1, 0]), ([0, 1, 1, 0], labels)):
        with pytest.raises(ValueError, match="all numbers or all strings, and none may be missing"):
            accuracy(*pair)


def test_a_map_of_a_line():
    places = tsne(np.arange(40.0)[:, None])
    assert places.shape == (40, 2) and places.max() == 999


@pytest.mark.parametrize("spread", [0, 1e-30])
def test_a_map_of_a_collapsed_space_is_a_point(spread):
    places = tsne(spread * np.eye(40))
    assert places.shape == (40, 2) and places.dtype == tsne(np.eye(40)).dtype and not places.any()
