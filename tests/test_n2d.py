"""N2D: the mixture by hand and against scikit-learn, places of new samples, and what the map is worth."""

import importlib.util
import math

import numpy as np
import pytest
import torch
from sklearn.manifold import Isomap
from sklearn.mixture import GaussianMixture

from dcbook import losses
from dcbook.evaluation import accuracy
from dcbook.methods import N2D, AEKMeans, Pretraining, load_model
from dcbook.models import IdentityEncoder, MappedMixture
from dcbook.training.inputs import derived_seed

PLAIN = {"start": IdentityEncoder(), "manifold": "isomap", "random_state": 0, "device": "cpu"}
no_umap = importlib.util.find_spec("umap") is None


def rings(n=240):
    """Two arcs that bend around each other, and their labels."""
    random = np.random.default_rng(0)
    angle, y = math.pi * random.random(n), np.arange(n) % 2
    x = np.stack([np.cos(angle), np.sin(angle)], 1) * np.where(y, -1, 1)[:, None] + np.stack([y, 0.4 * y], 1)
    return (x + 0.04 * random.standard_normal((n, 2))).astype(np.float32), y


def blobs():
    random = np.random.default_rng(0)
    y = np.arange(90) % 3
    return (np.eye(4)[y] + random.normal(0, 0.1, (90, 4))).astype(np.float32), y


def test_responsibility_by_hand():
    one = torch.ones(2, 1, 1)
    log_density = losses.log_full_mixture(
        torch.tensor([[0.5]]), torch.full((2,), 0.5), torch.tensor([[0.0], [2.0]]), one
    )
    assert log_density.softmax(1)[0, 0].item() == pytest.approx(0.731059, abs=1e-6)


def test_reconstruction_error_by_hand():
    x, x_hat = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[0.1, 0.8], [0.9, 0.7]])
    assert losses.mean_squared_error(x, x_hat).item() == pytest.approx(0.0375, abs=1e-6)


def test_mixture_and_map_are_those_of_scikit_learn():
    x, _ = rings()
    model = N2D(2, n_neighbors=8, **PLAIN).fit(x)
    places = Isomap(n_neighbors=8, n_components=2, eigen_solver="dense").fit_transform(x)
    np.testing.assert_allclose(model.head_.place(torch.as_tensor(x)), places, rtol=1e-6, atol=1e-6)
    seed = derived_seed(0, "mixture") % 2**31
    mixture = GaussianMixture(2, random_state=seed).fit(places)
    np.testing.assert_allclose(model.predict_proba(x), mixture.predict_proba(places), atol=1e-4)
    np.testing.assert_array_equal(model.labels_, mixture.predict(places))
    assert model.history_[-1]["log_likelihood"] == pytest.approx(mixture.score(places), rel=1e-3)


def test_a_map_unbends_what_k_means_cuts_in_two():
    x, y = rings()
    assert accuracy(y, N2D(2, n_neighbors=6, **PLAIN).fit_predict(x)) == 1
    assert accuracy(y, N2D(2, **PLAIN | {"manifold": "none", "clusterer": "k-means"}).fit_predict(x)) < 0.95


def test_new_samples_are_placed_among_their_neighbors():
    head = MappedMixture(3, 1, 2, 2, n_neighbors=2)
    head.codes.copy_(torch.tensor([[0.0], [3.0], [9.0]]))
    head.places.copy_(torch.tensor([[0.0, 0.0], [6.0, 1.0], [0.0, 8.0]]))
    weighted = [(1 * 0 + 0.5 * 6) / 1.5, 0.5 / 1.5]  # a code at distance 1 from the first, 2 from the second
    assert head.place(torch.tensor([[1.0]]))[0].tolist() == pytest.approx(weighted)
    assert head.place(torch.tensor([[3.0]]))[0].tolist() == [6, 1]
    x, y = blobs()
    model = N2D(3, **PLAIN).fit(x[:60])
    assert accuracy(y[60:], model.predict(x[60:])) == 1


@pytest.mark.parametrize("clusterer", ["mixture", "k-means"])
@pytest.mark.parametrize("manifold", ["isomap", "none"])
def test_every_form_finds_blobs(manifold, clusterer):
    x, y = blobs()
    model = N2D(3, **PLAIN | {"manifold": manifold, "clusterer": clusterer}).fit(x)
    assert accuracy(y, model.labels_) == 1
    start = AEKMeans(3, start=IdentityEncoder(), random_state=0, device="cpu").fit(x)
    means = sorted(model.cluster_centers_.tolist())
    np.testing.assert_allclose(means, sorted(start.cluster_centers_.tolist()), rtol=1e-4, atol=1e-4)
    probabilities = model.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_the_likelihood_of_k_means_is_that_of_its_balls():
    x, _ = blobs()
    model = N2D(3, **PLAIN | {"manifold": "none", "clusterer": "k-means"}).fit(x)
    nearest = ((x[:, None] - model.cluster_centers_) ** 2).sum(2).min(1)
    variance = nearest.sum() / x.size
    expected = (-math.log(3) - 2 * np.log(2 * math.pi * variance) - nearest / (2 * variance)).mean()
    assert model.history_[-1]["log_likelihood"] == pytest.approx(expected, rel=1e-4)


def test_a_saved_model_places_as_before(tmp_path):
    x, _ = blobs()
    recipe = Pretraining(widths=(8,), latent_dim=3, epochs=3, batch_size=30)
    for manifold in ("isomap", "none"):
        model = N2D(3, **PLAIN | {"start": recipe, "manifold": manifold}).fit(x)
        model.save(tmp_path / manifold)
        again = load_model(tmp_path / manifold)
        np.testing.assert_array_equal(again.predict_proba(x + 0.1), model.predict_proba(x + 0.1))


def test_a_map_of_more_dimensions_than_samples_is_refused_before_training():
    with pytest.raises(ValueError, match="n_components must be at most 90, the number of samples, not 91"):
        N2D(3, **PLAIN, n_components=91).fit(blobs()[0])


def test_without_a_start_it_is_the_released_autoencoder():
    assert N2D(6)._default_recipe() == Pretraining(latent_dim=6, epochs=1000)


@pytest.mark.skipif(not no_umap, reason="umap-learn is installed")
def test_a_missing_package_is_named_before_training():
    with pytest.raises(ImportError, match=r'needs the package umap-learn.*"dcbook\[manifold\]".*manifold="isomap"'):
        N2D(3).fit(blobs()[0])


def test_umap_needs_two_neighbors():
    with pytest.raises(ValueError, match="n_neighbors at least 2"):
        N2D(3, manifold="umap", n_neighbors=1).fit(np.eye(9))


@pytest.mark.skipif(no_umap, reason="needs umap-learn")
def test_umap_repeats_itself():
    x, y = blobs()
    first, second = (N2D(3, **PLAIN | {"manifold": "umap"}).fit(x) for _ in range(2))
    assert accuracy(y, first.labels_) == 1
    np.testing.assert_array_equal(first.head_.places, second.head_.places)
