"""k-means: against hand-worked cases, brute force, and scikit-learn at equal starts."""

import itertools

import numpy as np
import pytest
import sklearn.cluster
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.utils._python_dispatch import TorchDispatchMode

from dcbook.clustering import assign, kmeans, kmeans_plusplus
from dcbook.clustering.lloyd import cluster_sums
from dcbook.clustering.points import lift

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


def mixture(n: int, d: int, n_clusters: int, dtype: str = "float32", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return points far from the origin, in columns of unlike scale, and a start drawn from them."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_clusters, d))[rng.integers(n_clusters, size=n)]
    x = ((centers + rng.normal(size=(n, d))) * rng.uniform(0.2, 2, size=d) + 5).astype(dtype)
    return x, x[rng.choice(n, n_clusters, replace=False)]


def scikit_learn(x: np.ndarray, start: np.ndarray, **settings: object) -> sklearn.cluster.KMeans:
    return sklearn.cluster.KMeans(len(start), init=start, n_init=1, algorithm="lloyd", **settings).fit(x)


def slow_inertia(x: np.ndarray, centers: np.ndarray) -> float:
    """Return the inertia by the definition, in double precision."""
    return float(((x[:, None].astype(float) - np.asarray(centers, float)[None]) ** 2).sum(2).min(1).sum())


def test_worked_by_hand():
    """Points 0, 1, 2, 9, 10 from centers 0, 1: the second takes 1, 2, 9, 10 (mean 5.5), then 9, 10; then all stays."""
    result = kmeans([[0.0], [1.0], [2.0], [9.0], [10.0]], 2, init=[[0.0], [1.0]], tol=0)
    assert result.labels.tolist() == [0, 0, 0, 1, 1]
    assert result.centers.tolist() == [[1.0], [9.5]]
    assert result.inertia == 2.5 and result.inertias.tolist() == [2.5]
    assert result.n_iter == 3  # {0} → {0, 1, 2} → the same again


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("max_iter", [1, 2, 300])
@pytest.mark.parametrize(
    ("n", "d", "n_clusters", "dtype"),
    [(300, 1, 3, "float64"), (500, 2, 3, "float32"), (4000, 10, 10, "float32"), (2000, 50, 100, "float32"),
     (2000, 50, 100, "float64"), (1500, 256, 20, "float32")],
)  # fmt: skip
def test_scikit_learn_at_equal_starts(n, d, n_clusters, dtype, max_iter, device):
    x, start = mixture(n, d, n_clusters, dtype)
    theirs = scikit_learn(x, start, max_iter=max_iter)
    ours = kmeans(x, n_clusters, init=start, max_iter=max_iter, device=device)
    np.testing.assert_array_equal(ours.labels, theirs.labels_)
    assert ours.n_iter == theirs.n_iter_
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-5)
    assert ours.inertia == pytest.approx(slow_inertia(x, ours.centers.numpy()), rel=1e-6)
    np.testing.assert_allclose(ours.centers, theirs.cluster_centers_, atol=1e-5)
    assert ours.centers.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("tol", [0, 1e-3, 0.1])
def test_tolerance_is_scikit_learns(tol):
    x, start = mixture(3000, 5, 8)
    assert kmeans(x, 8, init=start, tol=tol).n_iter == scikit_learn(x, start, tol=tol).n_iter_


def test_restarts_run_as_if_alone():
    """Runs that end at different iterations do not disturb each other; the best is kept."""
    x, _ = mixture(2000, 6, 7)
    starts = kmeans_plusplus(x, 7, 6, torch.Generator().manual_seed(3))
    together = kmeans(x, 7, init=starts)
    alone = [kmeans(x, 7, init=start) for start in starts]
    assert len({run.n_iter for run in alone}) > 1
    np.testing.assert_allclose(together.inertias, [run.inertia for run in alone], rtol=1e-6)
    best = min(alone, key=lambda run: run.inertia)
    assert torch.equal(together.labels, best.labels) and together.n_iter == best.n_iter
    assert together.inertia == float(together.inertias.min())


@pytest.mark.parametrize("n_clusters", [1, 2, 3])
def test_brute_force(n_clusters):
    """Many restarts find the best of all partitions of 8 points."""
    x = np.random.default_rng(n_clusters).normal(size=(8, 2))
    labels = np.array(list(itertools.product(range(n_clusters), repeat=8)))
    least = np.zeros(len(labels))
    for k in range(n_clusters):
        inside = (labels == k)[..., None]
        mean = (inside * x).sum(1) / inside.sum(1).clip(1)
        least += (inside * (x - mean[:, None]) ** 2).sum((1, 2))
    assert kmeans(x, n_clusters, n_init=20, random_state=0).inertia == pytest.approx(least.min(), rel=1e-9)


@pytest.mark.parametrize(("d", "n_clusters"), [(2, 5), (60, 50)])  # sums by product, sums by index
def test_empty_clusters_are_filled(d, n_clusters):
    """All but one start far away from everything: K clusters live, and the result is of use."""
    x, _ = mixture(1000, d, n_clusters)
    start = np.full((n_clusters, d), 1e3, "float32") + 10 * np.arange(n_clusters, dtype="float32")[:, None]
    start[0] = x.mean(0)
    result = kmeans(x, n_clusters, init=start, random_state=0)
    sizes = torch.bincount(result.labels, minlength=n_clusters)
    assert sizes.min() > 0
    assert result.inertia < 1.2 * kmeans(x, n_clusters, n_init=1, random_state=0).inertia
    again = kmeans(x, n_clusters, init=start, random_state=0)
    assert torch.equal(again.centers, result.centers)
    other = kmeans(x, n_clusters, init=start, random_state=1)
    assert not torch.equal(other.centers, result.centers), "the direction of a split is drawn"


def test_split_takes_the_largest_cluster():
    """One step: the far center gets a part of the cluster of 6, the cluster of 2 stays."""
    x = np.array([0, 1, 2, 3, 4, 5, 100, 101], float)[:, None]
    result = kmeans(x, 3, init=[[2.0], [100.5], [-1e4]], max_iter=1, random_state=0)
    assert sorted(result.centers.flatten().tolist()) == [1.0, 4.0, 100.5]
    assert torch.bincount(result.labels).tolist().count(3) == 2


@pytest.mark.parametrize("offset", [0.0, 7.3])
@pytest.mark.parametrize("n_clusters", [1, 2, 5, 40])
def test_fewer_distinct_points_than_clusters(n_clusters, offset):
    x = np.repeat(np.array([[0.0, 1.0], [3.0, 3.0]]), 20, axis=0) + offset
    result = kmeans(x, n_clusters, random_state=0, max_iter=50)
    assert result.inertia == pytest.approx(130 if n_clusters == 1 else 0, abs=1e-9)
    assert len(result.labels.unique()) == min(n_clusters, 2)


def test_limits():
    x, _ = mixture(30, 3, 3)
    alone = kmeans(x, 1)
    np.testing.assert_allclose(alone.centers[0], x.mean(0), rtol=1e-6)
    assert alone.labels.max() == 0
    each = kmeans(x, 30, random_state=0)
    assert each.inertia < 1e-9 and len(each.labels.unique()) == 30
    equal = kmeans(np.ones((10, 2)), 3, random_state=0)
    assert equal.inertia == 0 and torch.equal(equal.centers, torch.ones(3, 2, dtype=torch.float64))
    assert kmeans(x[:1], 1).inertia == 0


def test_tight_clusters_far_apart_are_told_apart_in_double_precision():
    rng = np.random.default_rng(0)
    x = 1e6 * rng.normal(size=(4, 3))[np.arange(400) % 4] + rng.normal(size=(400, 3))
    result = kmeans(x, 4, random_state=0)
    assert result.inertia == pytest.approx(1200, rel=0.1)
    np.testing.assert_allclose(result.inertias.min(), slow_inertia(x, result.centers.numpy()), rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_seed_decides(device):
    x, _ = mixture(3000, 4, 9)
    first, second, third = (kmeans(x, 9, n_init=3, random_state=s, device=device, max_iter=3) for s in (5, 5, 6))
    assert torch.equal(first.centers, second.centers) and torch.equal(first.labels, second.labels)
    assert not torch.equal(first.centers, third.centers)
    from_generator = kmeans(x, 9, n_init=3, random_state=torch.Generator().manual_seed(5), device=device, max_iter=3)
    assert torch.equal(first.centers, from_generator.centers)
    torch.manual_seed(5)
    assert torch.equal(kmeans(x, 9, n_init=3, device=device, max_iter=3).centers, first.centers)


@pytest.mark.parametrize(("d", "n_clusters"), [(8, 6), (60, 50)])
def test_chunks_do_not_matter(d, n_clusters):
    x, start = mixture(1000, d, n_clusters)
    whole = kmeans(x, n_clusters, init=start, chunk_bytes=1 << 30)
    for chunk_bytes in (1, 20_000, 100_000, None):
        part = kmeans(x, n_clusters, init=start, chunk_bytes=chunk_bytes, max_iter=300 if chunk_bytes != 1 else 2)
        if chunk_bytes == 1:
            whole_2 = kmeans(x, n_clusters, init=start, max_iter=2)
            assert torch.equal(part.labels, whole_2.labels)
        else:
            assert torch.equal(part.labels, whole.labels) and part.n_iter == whole.n_iter


class Largest(TorchDispatchMode):
    """Keeps the number of elements of the largest tensor made."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, list | tuple) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return out


@pytest.mark.parametrize(("n", "d", "n_clusters"), [(6_000, 8, 40), (3_000, 40, 200)])
def test_no_large_array(n, d, n_clusters):
    """Neither N × K × d nor N × K: no tensor is larger than the points with their column of ones."""
    x, start = mixture(n, d, n_clusters)
    with Largest() as seen:
        kmeans(x, n_clusters, init=np.stack([start] * 3), max_iter=3, chunk_bytes=1 << 16)
        assign(x, start, chunk_bytes=1 << 16)
    assert n * d <= seen.elements <= n * (d + 1)


@pytest.mark.parametrize(("d", "n_clusters"), [(3, 4), (60, 50)])
def test_ties_go_to_the_first(d, n_clusters):
    """Centers that are there twice: each point counts once, for the first of them."""
    x, start = mixture(500, d, n_clusters)
    twice = torch.from_numpy(np.concatenate((start, start)))
    points, mean, _ = lift(torch.from_numpy(x), by_columns=False)
    _, sizes = cluster_sums(points, (twice - mean)[None])
    assert sizes[0, :n_clusters].sum() == 500 and sizes[0, n_clusters:].sum() == 0
    assert assign(x, twice)[0].max() < n_clusters
    assert sizes[0, :n_clusters, 0].tolist() == torch.bincount(assign(x, start)[0], minlength=n_clusters).tolist()


def test_assign_is_the_nearest():
    x, start = mixture(700, 5, 9)
    labels, distances = assign(x, start)
    slow = ((x[:, None] - start[None]) ** 2).sum(2)
    np.testing.assert_array_equal(labels, slow.argmin(1))
    np.testing.assert_allclose(distances, slow.min(1), rtol=1e-5, atol=1e-6)
    result = kmeans(x, 9, random_state=0)
    assert torch.equal(assign(x, result.centers)[0], result.labels)


def test_kinds_of_input():
    """Arrays, tensors, views, lists, read-only and integer data give the same clustering, and stay as they were."""
    x, start = mixture(400, 4, 3)
    want = kmeans(x, 3, init=start)
    wide = np.zeros((400, 8), "float32")
    wide[:, ::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    kinds = [torch.from_numpy(x), torch.from_numpy(x).T.contiguous().T, wide[:, ::2], np.asfortranarray(x), frozen]
    kinds += [x[::-1][::-1], x.astype(">f4"), torch.from_numpy(x).requires_grad_()]
    for kind in kinds:
        result = kmeans(kind, 3, init=start)
        assert torch.equal(result.labels, want.labels) and not result.centers.requires_grad
    assert torch.equal(kmeans(x[::-1], 3, init=start).labels, want.labels.flip(0))
    whole = np.round(10 * x).astype(int)
    same = kmeans(whole, 3, init=whole[:3])
    assert same.centers.dtype == torch.float32
    assert torch.equal(same.labels, kmeans(whole.astype("float32"), 3, init=whole[:3]).labels)
    assert torch.equal(kmeans(whole.tolist(), 3, init=whole[:3].tolist()).labels, same.labels)
    assert kmeans(torch.from_numpy(x).half(), 3, random_state=0).centers.dtype == torch.float32
    np.testing.assert_array_equal(x, mixture(400, 4, 3)[0])


@pytest.mark.parametrize("kind", ["int32", "int64", "uint32", "uint64"])
def test_whole_numbers_that_float32_rounds_are_told_apart(kind):
    x = (2**24 + np.arange(4)).astype(kind)[:, None]
    assert sorted(kmeans(x, 4, random_state=0).centers.flatten().tolist()) == x.flatten().tolist()


def test_settings_of_others_are_kept():
    precision = torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision
    kmeans(np.eye(4), 2)
    assert (torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision) == precision
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(("n", "d", "n_clusters"), [(400, 3, 8), (500, 130, 12)])  # the second draws from pools
def test_seeding_is_as_good_as_scikit_learns(n, d, n_clusters):
    x, _ = mixture(n, d, n_clusters)
    starts = kmeans_plusplus(x, n_clusters, 80, torch.Generator().manual_seed(0))
    assert starts.shape == (80, n_clusters, d)
    rows = {row.tobytes() for row in x}
    assert all(center.numpy().tobytes() in rows for center in starts[:5].flatten(0, 1))
    assert all(len(start.unique(dim=0)) == n_clusters for start in starts)
    ours = np.array([float(assign(x, start)[1].sum()) for start in starts])
    theirs = np.array(
        [slow_inertia(x, sklearn.cluster.kmeans_plusplus(x, n_clusters, random_state=s)[0]) for s in range(80)]
    )
    error = np.hypot(ours.std(), theirs.std()) / np.sqrt(80)
    assert abs(ours.mean() - theirs.mean()) < 4 * error


def test_seeding_draws_by_squared_distance():
    """With K = 2, the second center is the better of two draws; on three points that has a probability to compute."""
    x = np.array([[0.0], [1.0], [3.0]])
    starts = kmeans_plusplus(x, 2, 1500, torch.Generator().manual_seed(0))[:, :, 0]
    np.testing.assert_allclose([(starts[:, 0] == v).double().mean() for v in (0, 1, 3)], 1 / 3, atol=0.05)
    after_zero = starts[starts[:, 0] == 0, 1]  # weights 1 and 9 of 10; potentials 4 (with 1) and 1 (with 3)
    assert float((after_zero == 1).double().mean()) == pytest.approx(0.1**2, abs=0.015)
    after_three = starts[starts[:, 0] == 3, 1]  # weights 9 and 4 of 13; equal potentials: first drawn
    assert float((after_three == 0).double().mean()) == pytest.approx(9 / 13, abs=0.08)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "between 1 and the number of points, 6; got 0"),
        ({"n_clusters": 7}, ValueError, "between 1 and the number of points, 6; got 7"),
        ({"n_clusters": 2.0}, TypeError, "must be integers; got 2.0"),
        ({"n_init": 0}, ValueError, "starts must be at least 1"),
        ({"max_iter": 0}, ValueError, "max_iter ≥ 1"),
        ({"tol": -1}, ValueError, "tol ≥ 0"),
        ({"tol": float("nan")}, ValueError, "tol ≥ 0"),
        ({"chunk_bytes": 0}, ValueError, "chunk_bytes ≥ 1"),
        ({"init": "random"}, ValueError, "k-means\\+\\+"),
        ({"init": np.zeros((3, 2))}, ValueError, r"must have shape \(2, 2\)"),
        ({"init": np.zeros((2, 3))}, ValueError, r"must have shape \(2, 2\)"),
        ({"init": np.zeros((0, 2, 2))}, ValueError, r"must have shape \(2, 2\)"),
        ({"init": np.full((2, 2), np.nan)}, ValueError, "init holds NaN"),
        ({"random_state": "a"}, TypeError, "random_state must be"),
        ({"random_state": 1.5}, TypeError, "random_state must be"),
        ({"x": np.zeros(6)}, ValueError, r"must be a matrix .* \(6,\)"),
        ({"x": np.zeros((0, 2))}, ValueError, "at least one row"),
        ({"x": np.full((6, 2), np.nan)}, ValueError, "NaN"),
        ({"x": np.array([[np.inf, 0]] * 6)}, ValueError, "infinity"),
        ({"x": np.array([[1e30, 0], [0, 1]] * 3, "float32")}, ValueError, "overflow torch.float32"),
        ({"x": np.array([["a", "b"]] * 6)}, TypeError, "real numbers"),
        ({"x": np.zeros((6, 2), complex)}, TypeError, "real numbers"),
        ({"x": torch.eye(6).to_sparse()}, TypeError, "dense"),
        ({"device": "gpu"}, ValueError, 'device="gpu" was asked for, but torch does not find it here'),
        ({"device": "cuda:99"}, ValueError, 'device="cuda:99" was asked for'),
        ({"device": None}, ValueError, 'device="None" was asked for'),
    ],
)
def test_refusals(change, error, message):
    with pytest.raises(error, match=message):
        kmeans(**{"x": np.eye(6, 2), "n_clusters": 2, **change})


def test_refusals_of_assign():
    with pytest.raises(ValueError, match="centers have 3 columns, x has 2"):
        assign(np.zeros((4, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="x holds NaN"):
        assign(np.array([[np.nan, 0.0]]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="centers hold NaN"):
        assign(np.zeros((4, 2)), np.array([[np.nan, 0.0]]))


clouds = st.integers(1, 4).flatmap(
    lambda d: arrays(
        "float64", st.tuples(st.integers(2, 30), st.just(d)), elements=st.integers(-40, 40).map(lambda v: v / 4)
    )
)


@settings(max_examples=25, deadline=None)
@given(x=clouds, seed=st.integers(0, 2**31))
def test_properties(x, seed):
    """Inertia never rises, labels are nearest, inertia is no more than scikit-learn's; with ties and equal points."""
    n_clusters = 1 + seed % min(6, len(x))
    start = x[np.random.default_rng(seed).choice(len(x), n_clusters, replace=False)]
    path = [kmeans(x, n_clusters, init=start, max_iter=i, tol=0, random_state=seed) for i in (1, 2, 3, 5, 50)]
    for before, after in itertools.pairwise([slow_inertia(x, start), *(run.inertia for run in path)]):
        assert after <= before * (1 + 1e-9) + 1e-9
    last = path[-1]
    squared = ((x[:, None] - last.centers.numpy()[None]) ** 2).sum(2)
    np.testing.assert_allclose(squared[np.arange(len(x)), last.labels], squared.min(1), atol=1e-9)
    assert last.inertia == pytest.approx(squared.min(1).sum(), abs=1e-9)
    assert len(last.labels.unique()) == min(n_clusters, len(np.unique(x, axis=0)))


@settings(max_examples=15, deadline=None)
@given(n=st.integers(20, 200), d=st.integers(1, 6), n_clusters=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_no_worse_than_scikit_learn(n, d, n_clusters, seed):
    x, start = mixture(n, d, n_clusters, seed=seed)
    theirs = scikit_learn(x, start)
    if len(np.unique(theirs.labels_)) == n_clusters:
        assert kmeans(x, n_clusters, init=start).inertia <= theirs.inertia_ * (1 + 1e-4)
