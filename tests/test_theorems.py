"""DCSS section 3.4 as properties of any rows of probabilities: Theorems 1 to 3, their corollaries, and their limits.

The bounds are stripped from the text we have; 1/2 and zeta² are what the steps of its proofs give.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dcbook.evaluation import pairs

ROUNDING = 1e-9
thoroughly = settings(deadline=None, max_examples=300, derandomize=True)


@st.composite
def several(draw, n, near=False):
    """`n` rows of probabilities over the same 2 to 10 clusters, (n, K); if `near`, all lean towards one cluster."""
    n_clusters = draw(st.integers(2, 10))
    weights = st.lists(st.floats(0, 1), min_size=n_clusters, max_size=n_clusters)
    rows = []
    for _ in range(n):
        row = np.array(draw(weights)) ** draw(st.sampled_from([1, 4]))
        if near:
            row[0] += row.sum() * draw(st.floats(2, 20))
        assume(row.sum() > 1e-3)
        rows.append(row / row.sum())
    return np.array(rows)


@thoroughly
@given(several(2))
def test_theorem_1_an_inner_product_is_at_most_the_smaller_maximum(q):
    assert q[0] @ q[1] <= q.max(1).min() + ROUNDING


@thoroughly
@given(several(2))
def test_theorem_1_is_sharp(q):
    one_hot = np.eye(q.shape[1])[q[0].argmax()]
    assert q[0] @ one_hot == q[0].max()


@thoroughly
@given(several(2))
def test_corollaries_1_1_and_1_2_who_has_a_neighbor_is_sure(q):
    zeta = q[0] @ q[1]  # the largest zeta for which they are adjacent
    assert (q.max(1) >= zeta - ROUNDING).all()


@thoroughly
@given(several(2))
def test_theorem_2_in_two_clusters_the_product_is_at_most_one_half(q):
    if q[0].argmax() != q[1].argmax():
        assert q[0] @ q[1] <= 0.5 + ROUNDING


@thoroughly
@given(several(3, near=True))
def test_corollary_2_1_and_theorem_3_two_neighbors_of_one_sample(q):
    i, j, k = q
    zeta = min(i @ j, i @ k)
    assume(zeta > 0.5 + ROUNDING)
    assert i.argmax() == j.argmax() == k.argmax()
    assert j @ k >= zeta**2 - ROUNDING


@thoroughly
@given(several(2, near=True), st.floats(0.01, 1))
def test_corollary_1_3_sure_samples_of_one_cluster_are_not_dissimilar(q, zeta):
    assume(q[0].argmax() == q[1].argmax() and q.max(1).min() >= zeta)  # as Corollary 1.2 gives
    assert q[0] @ q[1] >= zeta**2 - ROUNDING


@pytest.mark.parametrize("zeta", [0.3, 0.45, 0.499])
def test_below_one_half_adjacent_samples_may_be_in_two_clusters(zeta):
    q = np.array([[0.5 + 1e-4, 0.5 - 1e-4], [0.5 - 1e-4, 0.5 + 1e-4]])
    assert q[0] @ q[1] >= zeta and q[0].argmax() != q[1].argmax()


@pytest.mark.parametrize("zeta", [0.6, 0.8, 0.95])
def test_from_zeta_squared_on_two_neighbors_of_one_sample_may_be_dissimilar(zeta):
    i, j, k = np.array([[1, 0, 0], [zeta, 1 - zeta, 0], [zeta, 0, 1 - zeta]])
    assert min(i @ j, i @ k) >= zeta
    assert j @ k == pytest.approx(zeta**2) and j.argmax() == k.argmax()
    assert pairs([i, j, k], zeta, gamma=zeta**2 + 1e-6).dissimilar == pytest.approx(1 / 3)
    assert pairs([i, j, k], zeta, gamma=zeta**2 - 1e-6).dissimilar == 0


def test_a_maximum_may_equal_zeta_where_the_paper_says_greater():
    q = np.array([[0.8, 0.2], [1.0, 0.0]])
    assert q[0] @ q[1] == q[0].max() == 0.8


def test_pairs_are_those_that_loops_count():
    rng = np.random.default_rng(0)
    q = rng.dirichlet([0.2] * 4, size=1030).astype(np.float32)  # more than one piece
    similar = dissimilar = 0
    neighbors = np.zeros(len(q))
    for i in range(len(q)):
        for j in range(i):
            product = float((q[i] * q[j]).sum())
            similar += product >= 0.8
            dissimilar += product <= 0.2
            neighbors[[i, j]] += product >= 0.8
    count = len(q) * (len(q) - 1) / 2
    found = pairs(q, 0.8, 0.2)
    assert found.similar == pytest.approx(similar / count, abs=2 / count)
    assert found.dissimilar == pytest.approx(dissimilar / count, abs=2 / count)
    assert found.lonely == pytest.approx((neighbors == 0).mean(), abs=2 / len(q))
    lonely = pairs([[0.4, 0.3, 0.3], [1, 0, 0], [1, 0, 0]])
    assert lonely.lonely == pytest.approx(1 / 3) and lonely.similar == pytest.approx(1 / 3)


@pytest.mark.parametrize("q", [[[0.5, 0.6], [1, 0]], [[1.5, -0.5], [1, 0]], [[1, 0]], [1, 0]])
def test_what_are_no_probabilities_is_said(q):
    with pytest.raises(ValueError, match="probabilities"):
        pairs(q)


def test_thresholds_that_overlap_are_said():
    with pytest.raises(ValueError, match="gamma < zeta"):
        pairs([[1, 0], [0, 1]], zeta=0.2, gamma=0.8)
