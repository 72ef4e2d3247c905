"""Landmark-based spectral clustering: against hand-worked cases and a dense twin of all pairs of points."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles

from dcbook.clustering import landmark_embedding
from dcbook.clustering.landmarks import _mean_squared_distance
from dcbook.clustering.neighbors import nearest_references, neighbor_graph
from dcbook.evaluation import accuracy
from dcbook.methods import LSSC
from tests.test_kmeans import Largest, mixture


def slow_weights(x, landmarks, r, h):
    """Z, shape (p, N), entry by entry."""
    z = np.zeros((len(landmarks), len(x)))
    for j, point in enumerate(x):
        distances = [((point - landmark) ** 2).sum() for landmark in landmarks]
        nearest = sorted(range(len(landmarks)), key=distances.__getitem__)[:r]
        kernel = [np.exp(-distances[i] / (2 * h**2)) for i in nearest]
        for i, weight in zip(nearest, kernel, strict=True):
            z[i, j] = weight / sum(kernel)
    return z


def slow_embedding(z, n_components, skip):
    """Eigenvectors (N, K) of the dense N × N affinities Zᵀ D⁻¹ Z, largest first, without the first `skip`."""
    degrees = z.sum(1)
    affinity = sum(np.outer(row, row) / degree for row, degree in zip(z, degrees, strict=True) if degree > 0)
    vectors = np.linalg.eigh(affinity)[1][:, ::-1]
    return vectors[:, skip : skip + n_components]


@pytest.mark.parametrize("variant", ["paper", "released"])
@pytest.mark.parametrize("landmarks", ["k-means", "random"])
def test_dense_twin(variant, landmarks):
    x = mixture(80, 3, 4, "float64")[0]
    embed, b = landmark_embedding(
        x, 3, n_landmarks=12, n_nearest=4, landmarks=landmarks, variant=variant, random_state=0, device="cpu"
    )
    points = embed.landmarks.numpy()
    distances = np.array([[((point - landmark) ** 2).sum() for landmark in points] for point in x])
    h = distances.mean() if variant == "released" else np.sqrt(np.sort(distances, 1)[:, :4]).mean()
    assert embed.bandwidth == pytest.approx(h, rel=1e-9)
    slow = slow_embedding(slow_weights(x, points, 4, h), 3, skip=variant == "released")
    if variant == "released":
        slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    signs = np.sign((slow * b.numpy()).sum(0))
    np.testing.assert_allclose(b.numpy(), slow * signs, atol=1e-8)
    torch.testing.assert_close(embed(torch.as_tensor(x)), b)
    if landmarks == "random":
        assert {tuple(row) for row in points} <= {tuple(row) for row in x}


def test_worked_by_hand():
    """Two far pairs, each point its own landmark's and its neighbor's: Z is 1/2 in two blocks, B is 1/sqrt(2) or 0."""
    x = torch.tensor([[0.0], [0.0], [10.0], [10.0]], dtype=torch.float64)
    embed, b = landmark_embedding(x, 2, n_landmarks=4, n_nearest=2, landmarks="random", random_state=0)
    affinity = torch.block_diag(*[torch.full((2, 2), 0.5, dtype=torch.float64)] * 2)
    torch.testing.assert_close(b @ b.T, affinity)
    torch.testing.assert_close(embed(torch.tensor([[1.0]], dtype=torch.float64)), b[:1])  # only near the first two


def test_first_coordinate_is_constant_and_the_released_variant_drops_it():
    x = mixture(200, 3, 4, "float64")[0]
    first = landmark_embedding(x, 3, n_landmarks=30, random_state=0)[1][:, 0]
    torch.testing.assert_close(first.abs(), torch.full_like(first, 200**-0.5))
    unit = landmark_embedding(x, 3, n_landmarks=30, variant="released", random_state=0)[1]
    torch.testing.assert_close(unit.norm(dim=1), torch.ones(200, dtype=torch.float64))


def test_mean_of_all_squared_distances():
    x, landmarks = torch.as_tensor(mixture(50, 3, 4, "float64")[0]).split([40, 10])
    assert _mean_squared_distance(x, landmarks) == pytest.approx(float((torch.cdist(x, landmarks) ** 2).mean()))


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_rings_that_k_means_cannot_tell_apart(variant):
    x, y = make_circles(600, noise=0.04, factor=0.4, random_state=0)
    x = x.astype(np.float32)
    rings = LSSC(2, n_landmarks=100, bandwidth=0.2, variant=variant, random_state=0, device="cpu")
    assert accuracy(y, rings.fit_predict(x)) > 0.99
    new, y_new = make_circles(300, noise=0.04, factor=0.4, random_state=1)
    assert accuracy(y_new, rings.predict(new.astype(np.float32))) > 0.99


def test_no_large_array():
    n, d, p, r = 12_000, 8, 100, 3
    x = mixture(n, d, 10)[0]
    with Largest() as seen:
        landmark_embedding(x, 5, n_landmarks=p, n_nearest=r, random_state=0, device="cpu")
    assert seen.elements < n * p / 4


@pytest.mark.parametrize("chunk_bytes", [1, 5000, None])
def test_nearest_references_and_their_order(chunk_bytes):
    x, references = (torch.as_tensor(mixture(n, 4, 3)[0]) for n in (60, 20))
    distances, indices = nearest_references(x, references, 6, chunk_bytes)
    slow = torch.cdist(x.double(), references.double()) ** 2
    assert torch.equal(indices, slow.argsort(dim=1)[:, :6])
    torch.testing.assert_close(distances.double(), slow.gather(1, indices), rtol=1e-5, atol=1e-5)


def test_neighbor_graph_worked_by_hand():
    """0 and 1 are each other's nearest, 3 is nearest to 1; of equal points each has another for a neighbor."""
    line = torch.tensor([[0.0], [1.0], [3.0]])
    assert neighbor_graph(line, 1).T.tolist() == [[0, 1], [1, 2]]
    assert neighbor_graph(line, 7).T.tolist() == [[0, 1], [0, 2], [1, 2]]
    equal = neighbor_graph(torch.ones(6, 2), 2)
    assert (equal[0] < equal[1]).all() and torch.bincount(equal.flatten(), minlength=6).min() >= 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_nearest": 0}, "n_nearest=0"),
        ({"n_nearest": 9, "n_landmarks": 8}, "n_nearest=9"),
        ({"n_landmarks": 2, "n_nearest": 1}, "3 clusters need at least 3 landmarks, not 2"),
        ({"n_landmarks": 3, "n_nearest": 1, "variant": "released"}, "at least 4 landmarks"),
        ({"landmarks": "grid"}, '"k-means" or "random"'),
        ({"variant": "ours"}, '"paper" or "released"'),
        ({"bandwidth": 0.0}, "bandwidth must be None or above 0"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        LSSC(3, **change).fit(mixture(20, 2, 3)[0])
