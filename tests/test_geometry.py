"""Dimensions, curvature and collapse on data whose answers are known."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles, make_swiss_roll

from dcbook.evaluation import (
    cluster_dimensions,
    effective_rank,
    latent_variance,
    linear_dimension,
    spectral_gap,
    two_nn,
)


def sphere(k, d=10, n=2000, seed=0):
    """n points of the unit sphere S^k, in a random subspace of R^d."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, k + 1))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points @ np.linalg.qr(rng.normal(size=(d, d)))[0][: k + 1]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_sphere_has_its_dimension_and_lies_in_one_more(k):
    found = [two_nn(sphere(k, seed=seed)) for seed in range(5)]
    assert np.mean(found) == pytest.approx(k, rel=0.06) and np.ptp(found) > 0
    assert linear_dimension(sphere(k), standardize=False) == k + 1


def test_the_swiss_roll_is_a_curved_plane():
    roll = make_swiss_roll(3000, random_state=0)[0]
    assert two_nn(roll) == pytest.approx(2, abs=0.15) and linear_dimension(roll) == 3


def test_a_flat_subspace_has_no_curvature_gap():
    rng = np.random.default_rng(0)
    u = rng.random((2000, 3)) @ np.linalg.qr(rng.normal(size=(8, 8)))[0][:3] + 7
    assert two_nn(u) == pytest.approx(3, rel=0.08) and linear_dimension(u, standardize=False) == 3
    found = cluster_dimensions(u, np.zeros(2000, int))
    assert abs(found.gap) < 0.4 and found.clusters == 1


def loop_two_nn(u, share):
    ratios = []
    for i in range(len(u)):
        r1, r2 = sorted(math.dist(u[i], u[j]) for j in range(len(u)) if j != i)[:2]
        if r1 > 0 and r1 != r2:
            ratios.append(r2 / r1)
    ratios.sort()
    points = [(math.log(mu), -math.log(1 - i / len(ratios))) for i, mu in enumerate(ratios[:-2], start=1)]
    points = points[: int(share * len(ratios))]
    return sum(x * y for x, y in points) / sum(x * x for x, _ in points)


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_two_nn_slow_twin(share):
    u = np.random.default_rng(1).normal(size=(60, 4))
    u[50:55] = u[:5]  # equal codes, which are left out
    assert two_nn(u, share) == pytest.approx(loop_two_nn(u, share), rel=1e-6)
    assert two_nn(torch.tensor(u, dtype=torch.float32), share) == pytest.approx(two_nn(u, share), rel=1e-3)


def test_duplicates_and_too_few_codes():
    u = sphere(2, n=400)
    assert math.isnan(two_nn(np.repeat(u, 2, axis=0)))
    assert two_nn(np.vstack([u, u[:10]])) == pytest.approx(two_nn(u[10:]), rel=0.05)
    assert math.isnan(two_nn(np.arange(5.0)[:, None])), "of a lattice's five points, the two at its ends have r1 < r2"
    assert math.isnan(two_nn(u[:2])) and math.isnan(two_nn(np.ones((50, 3))))
    with pytest.raises(ValueError, match="u must be a matrix"):
        two_nn(np.ones(5))


def test_near_copies_are_taken_for_a_low_dimension():
    """The bias that `two_nn` tells of: BreastMNIST has an ID near 1 because 40 % of its images have a near-copy."""
    u = np.random.default_rng(0).normal(size=(500, 5))
    beside = 1e-3 * np.random.default_rng(1).normal(size=u.shape)
    assert two_nn(u) == pytest.approx(4.4, abs=0.1)
    assert two_nn(np.vstack([u, u[:100] + beside[:100]])) == pytest.approx(0.3, abs=0.05)
    assert two_nn(np.vstack([u, u[:100]])) == pytest.approx(4.4, rel=0.1), "equal codes are left out"
    found = cluster_dimensions(np.vstack([u, u[:100] + beside[:100]]), np.zeros(600, int))
    assert found.lid == 5 and found.gap > 4, "what looks like a curved cluster is a flat one"


def test_codes_and_labels_that_cannot_be_measured():
    u = sphere(2, n=60)
    broken = np.where(np.arange(60)[:, None] == 7, np.nan, u)
    labels = np.arange(60) % 2
    for measure in (two_nn, linear_dimension, effective_rank, latent_variance):
        with pytest.raises(ValueError, match="u holds NaN or infinite numbers"):
            measure(broken)
    measured = cluster_dimensions, lambda u, y: spectral_gap(u, y, 2)
    for measure in measured:
        with pytest.raises(ValueError, match="u holds NaN or infinite numbers"):
            measure(broken, labels)
        for n in (59, 61):
            with pytest.raises(ValueError, match=rf"one label for each of the 60 codes; labels have shape \({n},\)"):
                measure(u, np.resize(labels, n))


def crosses(*lengths):
    """Two points on each axis, at ± its length: principal components are the axes, variances 2 length² / N."""
    return np.vstack([np.diag(lengths), -np.diag(lengths)]).astype(float)


def test_linear_dimension_by_hand():
    u = crosses(5**0.5, 4**0.5, 1.0)  # shares 0.5, 0.4, 0.1
    assert [linear_dimension(u, share, standardize=False) for share in (0.4, 0.5, 0.8, 0.9, 0.95)] == [1, 2, 2, 3, 3]
    assert linear_dimension(crosses(10, 1, 1), standardize=False) == 1
    assert linear_dimension(crosses(10, 1, 1)) == 3, "equal shares, once every feature has variance 1"
    assert linear_dimension(np.hstack([crosses(10, 1, 1), np.ones((6, 4))])) == 3, "constant features have none"
    assert linear_dimension(np.ones((5, 3))) == 0
    assert linear_dimension(np.eye(3, 50)) == 2, "three codes lie on a plane"


def test_effective_rank_by_hand():
    u = crosses(3, 1) + 8  # singular values 3 and 1 times sqrt 2: p = 3/4, 1/4
    assert effective_rank(u) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))
    assert effective_rank(100 * u) == pytest.approx(effective_rank(u))
    assert effective_rank(crosses(2, 2, 2, 2)) == pytest.approx(4)
    assert effective_rank(np.outer([1, 2, 4], [1, 1, 3])) == pytest.approx(1, abs=1e-5)
    assert effective_rank(np.full((4, 3), 7.0)) == 0
    assert effective_rank(u.T) == pytest.approx(effective_rank(torch.tensor(u.T, dtype=torch.float32)), rel=1e-5)


def test_latent_variance_by_hand():
    assert latent_variance(crosses(3, 1) + 8) == pytest.approx((18 / 4 + 2 / 4) / 2)
    assert latent_variance(np.full((4, 3), 7.0)) == 0


def test_clusters_are_measured_one_by_one():
    """A circle and a filled square in R^3, five lonely codes and fifty equal ones: ID 1 and 2, LID 2 and 2."""
    square = np.random.default_rng(0).random((1000, 2)) @ np.eye(2, 3)
    u = np.vstack([sphere(1, d=2, n=1000) @ np.eye(2, 3), square + 5, np.zeros((5, 3)) + 9, np.zeros((50, 3)) - 9])
    labels = np.repeat([0, 4, 5, 7], [1000, 1000, 5, 50])
    found = cluster_dimensions(u, labels)
    assert found.clusters == 2 and found.lid == 2
    assert found.id == pytest.approx((two_nn(u[:1000]) + two_nn(u[1000:2000])) / 2)
    assert found.id == pytest.approx(1.5, abs=0.1) and found.gap == found.lid - found.id
    shuffled = np.random.default_rng(2).permutation(len(u))
    again = cluster_dimensions(torch.tensor(u)[shuffled], torch.tensor(labels)[shuffled])
    assert again.id == pytest.approx(found.id)
    few = cluster_dimensions(u, labels, at_most=300, seed=1)
    assert few.id != found.id and few.id == pytest.approx(found.id, abs=0.25)
    assert few == cluster_dimensions(u, labels, at_most=300, seed=1)
    nothing = cluster_dimensions(u[2000:], labels[2000:])
    assert nothing.clusters == 0 and math.isnan(nothing.id) and math.isnan(nothing.gap)


def test_rings_are_told_by_neighbors_and_blobs_by_centers_too():
    rings, labels = make_circles(600, factor=0.4, noise=0.03, random_state=0)
    assert spectral_gap(rings, labels, 2) == pytest.approx(0.5, abs=0.03)
    assert spectral_gap(rings, labels, 2, at_most=400) == pytest.approx(0.5, abs=0.06)
    blobs = np.random.default_rng(0).normal(size=(600, 2)) + 10 * labels[:, None]
    assert spectral_gap(torch.tensor(blobs), labels, 2) == 0


def test_too_few_codes_have_no_spectral_gap():
    u = sphere(2, n=12)
    for n, k in ((1, 1), (9, 2), (12, 13)):
        assert math.isnan(spectral_gap(u[:n], np.arange(n) % 2, k))
    assert math.isfinite(spectral_gap(u[:10], np.arange(10) % 2, 2))
