"""Feature randomness and drift on gradients that are worked out by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import cosine, cosines, encoder_gradients, gradient, match
from dcbook.evaluation.gradients import VARIANTS
from dcbook.losses import mean_squared_error

N, D, LATENT, K = 12, 4, 2, 3


class Linear:
    """A method in mid-fit, z = W x + b and x̂ = V z, whose losses are those of IDEC's kind: x̂ near x, and z near t."""

    def __init__(self, trains=("self", "pseudo")):
        random = torch.Generator().manual_seed(0)
        self.autoencoder_ = nn.Module()
        self.autoencoder_.encoder = nn.Sequential(nn.Linear(D, LATENT))
        self.autoencoder_.decoder = nn.Linear(LATENT, D, bias=False)
        for weight in self.autoencoder_.parameters():
            weight.data = torch.randn(weight.shape, generator=random)
        self.x, self.t = torch.randn(N, D, generator=random), torch.randn(N, LATENT, generator=random)
        self._latent_centers = torch.randn(K, LATENT, generator=random)
        self.trains = trains

    def _samples(self, rows):
        return self.x[rows]

    def objectives(self, rows):
        z = self.autoencoder_.encoder(self.x[rows])
        parts = {
            "self": lambda: mean_squared_error(self.x[rows], self.autoencoder_.decoder(z)),
            "pseudo": lambda: 0.5 * mean_squared_error(self.t[rows], z),
        }
        return {name: parts[name]() for name in self.trains}

    def by_hand(self, target):
        """d/d(W, b) of MSE(z, target): the mean over samples of 2/d (z - target) x^T and 2/d (z - target)."""
        z = self.z()
        return self._flat(2 / LATENT * (z - target))

    def reconstruction_by_hand(self, target):
        """d/d(W, b) of MSE(V z, target): the error comes back through V."""
        v = self.autoencoder_.decoder.weight.detach()
        return self._flat(2 / D * (self.z() @ v.T - target) @ v)

    def z(self):
        weight, bias = self.autoencoder_.encoder[0].parameters()
        return (self.x @ weight.T + bias).detach()

    def _flat(self, errors):
        return torch.cat([(errors.T @ self.x / N).flatten(), errors.mean(0)])


PREDICTED = np.array([0, 0, 0, 1, 2, 2, 2, 2, 1, 1, 0, 2])
MATCHED = match(PREDICTED, np.repeat([5, 7, 9], 4))
EVERY = {name for pairs in VARIANTS.values() for pair in pairs for name in pair}


def expected(model):
    mu, v = model._latent_centers, model.autoencoder_.decoder.weight.detach()
    parts = {
        "self": model.reconstruction_by_hand(model.x),
        "pseudo": 0.5 * model.by_hand(model.t),
        "supervised": model.by_hand(mu[MATCHED]),
        "predicted": model.by_hand(mu[PREDICTED]),
        "reconstruction": model.reconstruction_by_hand(model.x),
        "class reconstruction": model.reconstruction_by_hand(mu[MATCHED] @ v.T),
    }
    return parts | {"total": sum(parts[name] for name in model.trains)}


@pytest.mark.parametrize("chunk", [12, 6, 4, 1, 100])
def test_all_gradients_by_hand_at_once_and_in_chunks(chunk):
    model = Linear()
    found = encoder_gradients(model, torch.arange(N), PREDICTED, MATCHED, EVERY, chunk)
    assert set(found) == EVERY
    for name, vector in expected(model).items():
        torch.testing.assert_close(found[name], vector, rtol=1e-4, atol=1e-6)
    assert all(weight.grad is None for weight in model.autoencoder_.parameters())


def test_the_variants_by_hand():
    model = Linear()
    hand = expected(model)

    def cos(a, b):
        return float(hand[a] @ hand[b] / hand[a].norm() / hand[b].norm())

    found = cosines(model, torch.arange(N), PREDICTED, MATCHED, VARIANTS)
    assert found == pytest.approx(
        {
            "fr_dynae": cos("supervised", "total"),
            "fd_dynae": cos("self", "pseudo"),
            "fr_adec": cos("pseudo", "supervised"),
            "fd_adec": cos("pseudo", "self"),
            "fr_rgae": cos("predicted", "supervised"),
            "fd_rgae": cos("reconstruction", "class reconstruction"),
            "fr_rdc": cos("supervised", "total"),
            "fd_rdc": cos("reconstruction", "total"),
        },
        abs=1e-5,
    )
    assert len({round(value, 3) for value in found.values()}) == 6, "two pairs are the same for this method"


def test_without_labels_or_without_a_loss_there_are_fewer():
    rows = torch.arange(N)
    assert set(cosines(Linear(), rows, PREDICTED)) == {"fd_dynae"}
    assert set(cosines(Linear(), rows, PREDICTED, None, VARIANTS)) == {"fd_dynae", "fd_adec", "fd_rdc"}
    alone = cosines(Linear(trains=("self",)), rows, PREDICTED, MATCHED, VARIANTS)
    assert set(alone) == {"fr_dynae", "fr_rgae", "fd_rgae", "fr_rdc", "fd_rdc"}
    assert alone["fd_rdc"] == pytest.approx(1)
    assert cosines(Linear(trains=()), rows, PREDICTED, MATCHED) == {}
    with pytest.raises(ValueError, match="variants must be some of"):
        cosines(Linear(), rows, PREDICTED, MATCHED, ("DynAE",))
    with pytest.raises(ValueError, match=r"predicted must have one entry for each of the 12 rows, not shape \(13,\)"):
        cosines(Linear(), rows, [*PREDICTED, 0], MATCHED)
    with pytest.raises(ValueError, match=r"matched must have one entry for each of the 12 rows, not shape \(11,\)"):
        cosines(Linear(), rows, PREDICTED, MATCHED[:-1])


def test_a_method_that_only_clusters_drifts_from_the_decoder_of_its_start():
    model = Linear(trains=("pseudo",))
    found = encoder_gradients(model, torch.arange(N), PREDICTED, MATCHED)
    torch.testing.assert_close(found["total"], found["pseudo"])
    torch.testing.assert_close(found["self"], model.reconstruction_by_hand(model.x))
    del model.autoencoder_.decoder
    assert set(cosines(model, torch.arange(N), PREDICTED, MATCHED)) == {"fr_dynae"}


def test_a_class_without_a_cluster_counts_for_nothing():
    model, classes = Linear(), np.array([5, 5, 5, 5, 7, 7, 7, 7, 9, 9, 8, 8])
    matched = match(PREDICTED, classes)
    assert matched.tolist() == [0, 0, 0, 0, 2, 2, 2, 2, 1, 1, -1, -1]
    found = encoder_gradients(model, torch.arange(N), PREDICTED, matched, EVERY)
    z = model.z()
    target = model._latent_centers[matched]
    target[-2:] = z[-2:]
    torch.testing.assert_close(found["supervised"], model.by_hand(target))
    decoded = target @ model.autoencoder_.decoder.weight.detach().T
    torch.testing.assert_close(found["class reconstruction"], model.reconstruction_by_hand(decoded))


def test_classes_are_matched_to_clusters_by_the_hungarian_method():
    assert MATCHED.tolist() == [0] * 4 + [2] * 4 + [1] * 4


def test_cosines_of_known_vectors():
    g = torch.tensor([3.0, 4.0, 0.0])
    assert cosine(g, g) == pytest.approx(1) and cosine(g, -2 * g) == pytest.approx(-1)
    assert cosine(g, torch.tensor([0.0, 0.0, 2.0])) == 0 and cosine(g, torch.tensor([1.0, 0, 0])) == pytest.approx(0.6)
    assert math.isnan(cosine(g, torch.zeros(3)))


def test_gradient_is_flat_and_zero_where_nothing_depends():
    a, b = nn.Parameter(torch.tensor([[1.0, 2.0]])), nn.Parameter(torch.tensor([3.0]))
    assert gradient(a.square().sum(), [a, b]).tolist() == [2.0, 4.0, 0.0]
    assert a.grad is None


def test_networks_keep_their_modes_and_batch_norm_its_statistics():
    model = Linear()
    model.autoencoder_.encoder.append(nn.BatchNorm1d(LATENT))
    model.autoencoder_.train()
    model.autoencoder_.decoder.eval()
    before = model.autoencoder_.encoder[1].running_mean.clone()
    assert cosines(model, torch.arange(N), PREDICTED, MATCHED)
    assert model.autoencoder_.encoder[1].training and not model.autoencoder_.decoder.training
    assert torch.equal(model.autoencoder_.encoder[1].running_mean, before)
