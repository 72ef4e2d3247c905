"""ADEC (reconstruction) by hand and against a slow twin; who gets which gradient."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.methods import ACAIPretraining, ADECReconstruction, AEKMeans, Pretraining
from dcbook.training.inputs import batches, derived_seed, seeded, stream

K, N = 3, 50
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    x = (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)
    return x / x.max()


@pytest.fixture(scope="module")
def start(x):
    recipe = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
    return AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x).start_


def test_losses_by_hand():
    real, fake = torch.tensor([0.9, 0.6]).logit(), torch.tensor([0.3, 0.2]).logit()
    assert losses.discriminator_loss(real, fake).item() == pytest.approx(0.598002, abs=1e-6)
    assert losses.realism_loss(fake).item() == pytest.approx(1.406705, abs=1e-6)
    assert losses.realism_loss(fake, minimax=True).item() == pytest.approx(-0.289909, abs=1e-6)
    q = losses.student_t(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    assert q.flatten().tolist() == pytest.approx([0.666667, 0.333333, 0.285714, 0.714286], abs=1e-6)
    p = losses.target_distribution(q)
    assert p.flatten().tolist() == pytest.approx([0.814815, 0.185185, 0.149660, 0.850340], abs=1e-6)
    divergence = losses.kl_divergence(p, q).item()
    assert divergence == pytest.approx(0.053073, abs=1e-6)
    assert divergence + losses.realism_loss(fake).item() == pytest.approx(1.459778, abs=1e-6)
    assert divergence + losses.realism_loss(fake, minimax=True).item() == pytest.approx(-0.236836, abs=1e-6)


def test_the_encoder_wants_to_fool_the_discriminator():
    for minimax in (False, True):
        logits = torch.zeros(3, requires_grad=True)
        losses.realism_loss(logits, minimax=minimax).backward()
        assert (logits.grad < 0).all(), "a step against the gradient raises D of what is decoded"


def test_acai_by_hand():
    x, x_hat = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[0.1, 0.8], [0.9, 0.7]])
    mixed, a, blended = torch.tensor([0.1, 0.3]), torch.tensor([0.25, 0.4]), torch.tensor([0.05, -0.1])
    assert losses.acai_loss(losses.mean_squared_error(x, x_hat), mixed).item() == pytest.approx(0.0625, abs=1e-6)
    assert losses.critic_loss(mixed, a, blended).item() == pytest.approx(0.0225, abs=1e-6)
    assert losses.critic_loss(mixed, a, torch.zeros(2)).item() == pytest.approx(0.01625, abs=1e-6)


@pytest.mark.parametrize("adversarial", ["non-saturating", "minimax"])
def test_slow_twin(adversarial, x, start):
    """Batches of 20, 20 and 10 a epoch: the first two train the decoder alone."""
    settings = {"warmup_epochs": 2, "epochs": 3, "lr": 5e-3, "adversarial": adversarial}
    model = ADECReconstruction(K, start=start, **settings, **PLAIN).fit(x)
    network, data, bce = deepcopy(start.autoencoder), torch.as_tensor(x), torch.nn.functional.binary_cross_entropy
    with seeded(derived_seed(0, "discriminator")):
        first, second, last = torch.nn.Linear(9, 500), torch.nn.Linear(500, 1000), torch.nn.Linear(1000, 1)
    judge = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last, torch.nn.Sigmoid())
    centers = start.centers.clone().requires_grad_()

    def descend(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def judge_step(optimizer, batch):
        half = len(batch) // 2
        real, fake = judge(batch[:half]), judge(network(batch[half:])[1].detach())
        descend(optimizer, bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake)))

    def soft(u):
        kernel = 1 / (1 + torch.cdist(u, centers) ** 2)
        return kernel / kernel.sum(1, keepdim=True)

    step, order = torch.optim.Adam(judge.parameters(), lr=5e-3), stream(0, "warm-up batches")
    for _ in range(2):
        for batch in batches(N, 20, order, data.device):
            judge_step(step, data[batch])
    of_judge = torch.optim.Adam(judge.parameters(), lr=5e-3)
    of_encoder = torch.optim.Adam([*network.encoder.parameters(), centers], lr=5e-3)
    of_decoder, order = torch.optim.Adam(network.decoder.parameters(), lr=5e-3), stream(0, "batches")
    for _ in range(3):
        with torch.no_grad():
            q = soft(network.encoder(data))
            p = q**2 / q.sum(0)
            p = p / p.sum(1, keepdim=True)
        for i, batch in enumerate(batches(N, 20, order, data.device)):
            if i == 2:
                judge_step(of_judge, data[batch])
                u, x_hat = network(data[batch])
                fooled = judge(x_hat)
                realism = -fooled.log().mean() if adversarial == "non-saturating" else (1 - fooled).log().mean()
                descend(of_encoder, realism + (p[batch] * (p[batch] / soft(u)).log()).sum() / len(batch))
            u = network.encoder(data[batch]).detach()
            descend(of_decoder, ((network.decoder(u) - data[batch]) ** 2).mean())
    np.testing.assert_allclose(model.cluster_centers_, centers.detach(), rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data), rtol=1e-2, atol=2e-3)
        found, wanted = model.autoencoder_.decoder(u), network.decoder(u)
    np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=2e-3)
    assert np.abs(model.cluster_centers_ - start.centers.numpy()).max() > 1e-3
    assert [entry["phase"] for entry in model.history_] == ["discriminator"] * 2 + ["clustering"] * 3


def test_batch_normalization_does_not_depend_on_who_pretrained(x):
    images = np.random.default_rng(0).random((24, 1, 12, 12), dtype=np.float32)
    recipe = Pretraining("convolutional", latent_dim=3, epochs=1, batch_size=12)
    given = AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(images).start_
    found = [
        ADECReconstruction(K, start=each, warmup_epochs=1, epochs=1, **PLAIN).fit(images).transform(images)
        for each in (recipe, given)
    ]
    np.testing.assert_array_equal(*found)


def test_the_reconstruction_never_reaches_the_encoder(x, start):
    """Batches that train the decoder alone leave the codes as they are."""
    seen = []

    class Watched(ADECReconstruction):
        def _decoder_step(self, x, optimizer):
            before = [weight.clone() for weight in self.autoencoder_.encoder.parameters()]
            loss = super()._decoder_step(x, optimizer)
            after = self.autoencoder_.encoder.parameters()
            seen.append(all(torch.equal(a, b) for a, b in zip(before, after, strict=True)))
            return loss

    model = Watched(K, start=start, warmup_epochs=0, epochs=2, **PLAIN).fit(x)
    assert seen == [True] * 6
    errors = [entry["reconstruction"] for entry in model.history_]
    assert errors[1] < errors[0]


def test_objectives_are_those_of_the_encoder(x, start):
    told = []

    def ask(model):
        parts = model.objectives(torch.arange(N))
        told.append(set(parts))
        if parts:
            u = torch.as_tensor(model.transform(x))
            q = losses.student_t(u, torch.as_tensor(model.cluster_centers_))
            expected = losses.kl_divergence(losses.target_distribution(q), q).item()
            assert parts["pseudo"].item() == pytest.approx(expected, rel=1e-4)
            assert parts["self"].item() > 0

    ADECReconstruction(K, start=start, warmup_epochs=1, epochs=2, **PLAIN).fit(x, monitor=ask)
    assert told == [set(), {"self", "pseudo"}, {"self", "pseudo"}]


def test_without_a_start_it_is_acai():
    assert ADECReconstruction._default_recipe is ACAIPretraining
    assert "reconstruction" in ADECReconstruction.__doc__
