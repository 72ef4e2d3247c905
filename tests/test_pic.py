"""Power iteration clustering: against hand-worked graphs and a dense twin in loops."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from dcbook.clustering import power_iteration_clustering
from dcbook.clustering.neighbors import nearest_others
from dcbook.evaluation import accuracy, ari
from tests.test_kmeans import DEVICES, Largest


def slow_pic(x, k=5, sigma=0.2, alpha=0.001, iterations=200):
    """Labels by the definition, all pairs, one point at a time."""
    n = len(x)
    distance = [[float(((a - b) ** 2).sum()) for b in x] for a in x]
    near = [sorted((j for j in range(n) if j != i), key=distance[i].__getitem__)[:k] for i in range(n)]
    w = np.zeros((n, n))
    for i in range(n):
        for j in near[i]:
            w[i, j] += np.exp(-distance[i][j] / sigma**2)
            w[j, i] += np.exp(-distance[i][j] / sigma**2)
    v = np.ones(n) / n
    for _ in range(iterations):
        v = alpha * (w @ v) + (1 - alpha) / n
        v = v / v.sum()

    def top(i):
        gain, j = max((w[i, j] * (v[j] - v[i]), -j) for j in range(n))
        return top(-j) if gain > 0 else i

    tops = [top(i) for i in range(n)]
    labels = list(tops)
    for i in range(n):
        if tops.count(tops[i]) == 1:
            labels[i] = next((tops[j] for j in near[i] if tops.count(tops[j]) > 1), tops[i])
    return labels


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("k", "sigma", "alpha", "iterations"), [(5, 0.2, 0.001, 200), (2, 0.1, 0.3, 20), (3, 1, 0.9, 1)]
)
def test_dense_twin(k, sigma, alpha, iterations, seed, device):
    x = np.random.default_rng(seed).uniform(size=(60, 2))
    ours = power_iteration_clustering(x, k, sigma, alpha, iterations, device=device)
    slow = slow_pic(x, k, sigma, alpha, iterations)
    assert len(set(slow)) > 2
    assert ari(slow, ours) == 1
    assert ours.dtype == torch.int64 and sorted(set(ours.tolist())) == list(range(len(set(slow))))


def test_worked_by_hand():
    """0 – 1 – 2 – 3 on a line, k = 1, the middle edge shortest and found from both ends: 1 and 2 are as high as each
    other, so the line falls apart in the middle; the pair at 9 stays two, as neither end is above the other."""
    line = torch.tensor([[0.0], [1.0], [1.75], [2.75], [9.0], [9.5]], dtype=torch.float64)
    assert power_iteration_clustering(line, 1, sigma=1.0).tolist() == [0, 0, 1, 1, 2, 3]


def test_who_is_alone_joins_the_nearest_that_is_not():
    """With so small a sigma the point at 0.5 has weights of 0, so it dominates nobody and nobody dominates it."""
    x = [[0.0], [0.001], [0.003], [0.5], [2.0], [2.001], [2.003]]
    labels = power_iteration_clustering(np.array(x), 3, sigma=0.01)
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert power_iteration_clustering(np.array(x), 3, sigma=1e-9).tolist() == list(range(7))  # nobody to join


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blobs_apart_are_never_joined(dtype):
    x, y = make_blobs(150, centers=[[0, 0], [5, 0], [0, 5]], cluster_std=0.1, random_state=0)
    assert accuracy(y, power_iteration_clustering(x.astype(dtype), 40)) == 1  # most of a blob are neighbors: one peak
    few = power_iteration_clustering(x.astype(dtype))
    assert all(len(set(y[few == cluster])) == 1 for cluster in few.unique())


def test_the_order_of_the_rows_does_not_matter():
    x = np.random.default_rng(0).normal(size=(200, 4))
    order = np.random.default_rng(1).permutation(200)
    labels = power_iteration_clustering(x, sigma=0.8)
    assert 2 < len(labels.unique()) < 100
    assert ari(labels[order], power_iteration_clustering(x[order], sigma=0.8)) == 1


class LargestDense(Largest):
    """Leaves out sparse tensors, whose size is not what they hold."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        before = self.elements
        out = super().__torch_dispatch__(func, types, args, kwargs)
        if isinstance(out, torch.Tensor) and out.layout != torch.strided:
            self.elements = before
        return out


def test_no_large_array():
    x = torch.randn(3000, 3, generator=torch.Generator().manual_seed(0))
    with LargestDense() as seen:
        power_iteration_clustering(x, iterations=3, device="cpu")
    assert 3000 * 10 <= seen.elements < 3000**2 / 8


def test_as_many_neighbors_as_there_are_others():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    distances, indices = nearest_others(x, 9)
    assert indices.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert distances.tolist() == [[1, 9], [1, 4], [4, 9]]
    assert torch.equal(nearest_others(x, np.int64(1))[1], indices[:, :1]), "a number of NumPy"
    assert power_iteration_clustering(x, 9, sigma=2.0).tolist() == [0, 0, 0]
    assert power_iteration_clustering([[1.0, 2.0]]).tolist() == [0]


def test_points_that_are_equal():
    """Of five equal points, each has others for its neighbors; all weights are finite."""
    x = np.repeat(np.array([[0.0, 0.0], [4.0, 4.0]]), 5, axis=0)
    labels = power_iteration_clustering(x, 2)
    assert not set(labels[:5].tolist()) & set(labels[5:].tolist())


@pytest.mark.parametrize(
    "change", [{"n_neighbors": 0}, {"sigma": 0.0}, {"alpha": 0.0}, {"alpha": 1.0}, {"iterations": 0}, {"sigma": np.nan}]
)
def test_bad_settings_are_refused(change):
    with pytest.raises(ValueError, match="must hold, not"):
        power_iteration_clustering(np.eye(4), **change)


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match="NaN, infinity"):
        power_iteration_clustering([[0.0], [np.nan]])
    with pytest.raises(ValueError, match="must be a matrix"):
        power_iteration_clustering([0.0, 1.0])
    with pytest.raises(TypeError, match="real numbers"):
        power_iteration_clustering([["a"]])
