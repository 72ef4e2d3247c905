"""EDESC by hand and against a slow twin, and what its released settings do."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.clustering.subspaces import principal_subspaces
from dcbook.data import load
from dcbook.evaluation import LabelPicked, accuracy, nmi
from dcbook.methods import EDESC, AEKMeans, Pretraining
from dcbook.training.inputs import stream

Z = torch.tensor([[1.0, 2.0], [2.0, 0.0]], dtype=torch.float64)
NORMED = torch.tensor([[1.0, 0.6], [0.0, 0.8]], dtype=torch.float64)
LONGER = torch.tensor([[1.2, 0.6], [0.0, 0.8]], dtype=torch.float64)
K, N = 3, 50
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    return (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    recipe = Pretraining(widths=(24,), latent_dim=6, epochs=10, batch_size=20, lr=1e-2)
    return AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x).start_


def test_losses_by_hand():
    s = losses.subspace_affinity(Z, NORMED, 2, eta=5)
    assert s[0].tolist() == pytest.approx([0.378788, 0.621212], abs=1e-6)
    assert s[1].tolist() == pytest.approx([0.582902, 0.417098], abs=1e-6)
    target = losses.target_distribution(s)
    assert target[0].tolist() == pytest.approx([0.286441, 0.713559], abs=1e-6)
    assert target[1].tolist() == pytest.approx([0.678318, 0.321682], abs=1e-6)
    per_sample = losses.kl_divergence(target, s).item()
    assert [2 * per_sample, per_sample, per_sample / 2] == pytest.approx([0.038122, 0.019061, 0.009530], abs=1e-6)
    assert losses.column_lengths(NORMED).item() == pytest.approx(0, abs=1e-12)
    assert losses.subspace_overlap(NORMED, 2).item() == pytest.approx(0.848528, abs=1e-6)
    assert losses.column_lengths(LONGER).item() == pytest.approx(0.44, abs=1e-6)
    assert losses.subspace_overlap(LONGER, 2).item() == pytest.approx(1.018234, abs=1e-6)
    s = losses.subspace_affinity(Z, LONGER, 2, eta=5)
    assert losses.kl_divergence(losses.target_distribution(s), s).item() / 2 == pytest.approx(0.011800, abs=1e-6)


def test_within_a_block_columns_may_overlap():
    assert losses.subspace_overlap(LONGER, 1).item() == 0


@pytest.mark.parametrize(("kl_mean", "loss"), [("elements", 0.252638), ("samples", 0.253818)])
def test_whole_loss_by_hand(kl_mean, loss):
    """Codes are the samples, reconstructions lie 1/2 off, and D is longer than it should be."""

    class Halved(torch.nn.Module):
        encoder = staticmethod(lambda x: x)
        decoder = staticmethod(lambda u: u + 0.5)

    model = EDESC(2, d=1, kl_mean=kl_mean)
    model._x, model.autoencoder_ = Z, Halved()
    model.head_ = type(
        "Head", (), {"basis": LONGER, "__call__": lambda self, u: losses.subspace_affinity(u, LONGER, 2)}
    )()
    model._target = losses.target_distribution(model.head_(Z))
    assert sum(model.objectives(torch.arange(2)).values()).item() == pytest.approx(loss, abs=1e-6)


def test_first_bases_by_hand():
    codes, one = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 1.0]]), torch.zeros(3, dtype=torch.int64)
    assert principal_subspaces(codes, one, 1, 1).abs().flatten().tolist() == pytest.approx([1, 0], abs=1e-6)
    centered = principal_subspaces(codes, one, 1, 1, centered=True).abs().flatten()
    assert centered.tolist() == pytest.approx([0.965344, 0.260980], abs=1e-6)
    random = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % 3  # cluster 3 holds none
    bases = principal_subspaces(random, labels, 4, 2)
    for k, block in enumerate(bases.split(2, 1)):
        torch.testing.assert_close(block.T @ block, torch.eye(2, dtype=block.dtype), atol=1e-6, rtol=0)
        if k < 3:
            vectors = torch.linalg.svd(random[labels == k].double(), full_matrices=False).Vh[:2]
            torch.testing.assert_close(block @ block.T, vectors.T @ vectors, atol=1e-6, rtol=0)


def affinities(z, basis, d):
    rows = []
    for code in z:
        row = [(basis[:, k * d : (k + 1) * d].T @ code).square().sum() + 5 * d for k in range(K)]
        rows.append(torch.stack(row) / sum(row))
    return torch.stack(rows)


@pytest.mark.parametrize("shuffle", [False, True])
def test_slow_twin(shuffle, x, start, monkeypatch):
    """From columns that are a tenth too long: of the root of a sum of zeros, rounding alone decides the gradient."""
    longer = lambda *given: 1.1 * principal_subspaces(*given)  # noqa: E731
    monkeypatch.setattr("dcbook.methods.edesc.principal_subspaces", longer)
    model = EDESC(K, start=start, epochs=3, shuffle=shuffle, **PLAIN).fit(x)
    begin = EDESC(K, start=start, epochs=0, **PLAIN).fit(x)
    assert begin.head_.basis.shape == (6, 6), "the default d is n_z / K"
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    basis = begin.head_.basis.detach().clone().requires_grad_()
    step, order = torch.optim.Adam([*network.parameters(), basis], lr=1e-3), stream(0, "batches")
    for _ in range(3):
        with torch.no_grad():
            s = affinities(network.encoder(data), basis, 2)
        target = s**2 / s.sum(0)
        target = target / target.sum(1, keepdim=True)
        rows = torch.randperm(N, generator=order) if shuffle else torch.arange(N)
        for batch in rows.split(20):
            u, x_hat = network(data[batch])
            s, p = affinities(u, basis, 2), target[batch]
            gram = basis.T @ basis
            lengths = sum((gram[j, j] - 1) ** 2 for j in range(6)).sqrt()
            overlap = sum(gram[i, j] ** 2 for i in range(6) for j in range(6) if i // 2 != j // 2).sqrt()
            loss = ((x_hat - data[batch]) ** 2).mean() + 0.1 * (p * (p / s).log()).sum() / (len(batch) * K)
            step.zero_grad()
            (loss + 1e-3 * (lengths + overlap)).backward()
            step.step()
    np.testing.assert_allclose(model.head_.basis.detach(), basis.detach(), rtol=1e-2, atol=2e-4)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data).numpy(), rtol=1e-2, atol=1e-3)
    s = affinities(torch.as_tensor(model.transform(x)), model.head_.basis.detach(), 2)
    np.testing.assert_allclose(model.predict_proba(x), s, rtol=1e-5)
    np.testing.assert_array_equal(model.labels_, model.predict_proba(x).argmax(1))
    assert (model.head_.basis - begin.head_.basis).abs().max() > 2e-3


def test_a_stronger_clustering_term_sharpens_s(x, start):
    """At the released weight s stays nearly flat; the usual mean over samples is K times stronger."""
    settings = PLAIN | {"epochs": 40, "beta": 1.0}
    sharp = {
        kl_mean: EDESC(K, start=start, kl_mean=kl_mean, **settings).fit(x).predict_proba(x).max(1).mean()
        for kl_mean in ("elements", "samples")
    }
    flat = EDESC(K, start=start, **(settings | {"beta": 0.0})).fit(x).predict_proba(x).max(1).mean()
    assert flat < sharp["elements"] < sharp["samples"], (flat, sharp)


def test_the_labels_are_those_of_the_last_epoch_and_the_picked_ones_stand_beside(x, start):
    y = np.random.default_rng(1).integers(0, K, N)
    watch = LabelPicked(y)
    model = EDESC(K, start=start, epochs=5, lr=1e-2, **PLAIN).fit(x, monitor=watch)
    plain = EDESC(K, start=start, epochs=5, lr=1e-2, **PLAIN).fit(x)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    assert watch.best["clustering"]["acc"] >= model.history_[-1]["acc"]


def test_without_a_start_the_codes_have_5_dimensions_a_cluster():
    recipe = EDESC(4)._default_recipe()
    assert (recipe.widths, recipe.latent_dim, recipe.epochs) == ((500, 500, 1000), 20, 50)
    assert EDESC(4).set_params(start__epochs=3).start.latent_dim == 20


def test_a_subspace_larger_than_the_latent_space_is_refused(x, start):
    with pytest.raises(ValueError, match="d must be None or from 1 to 6, the dimension of the codes, not 7"):
        EDESC(K, start=start, d=7, **PLAIN).fit(x)


def test_subspaces_see_more_than_k_means_and_training_does_not_spoil_all_of_it():
    """Seeds 0 and 1: NMI 0.71, 0.73 of k-means on the codes, 0.75, 0.76 of the start, 0.70, 0.73 after ten epochs."""
    digits = load("digits")
    recipe = Pretraining(widths=(100, 200), latent_dim=50, epochs=30, batch_size=128, lr=2e-3)
    codes = AEKMeans(10, start=recipe, random_state=0, device="cpu").fit(digits.images)
    first, last = (
        EDESC(10, start=codes.start_, epochs=epochs, random_state=0, device="cpu").fit(digits.images)
        for epochs in (0, 10)
    )
    assert nmi(digits.labels, first.labels_) > nmi(digits.labels, codes.labels_) + 0.01
    assert accuracy(digits.labels, last.labels_) > 0.6
    assert last.history_[-1]["reconstruction"] < 0.9 * last.history_[0]["reconstruction"]
