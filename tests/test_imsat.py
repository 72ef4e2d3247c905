"""IMSAT: a slow twin with the virtual adversary in plain loops; the network; what it learns and refuses."""

import math

import numpy as np
import pytest
import torch

from dcbook.evaluation import accuracy
from dcbook.methods import IMSAT, Pretraining
from dcbook.models import NormalizedPerceptron
from dcbook.training.inputs import batches, derived_seed, stream

SMALL = {"width": 7, "epochs": 3, "batch_size": 9, "n_neighbors": 4, "lr": 0.01, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def x():
    return 3 * torch.rand(20, 5, generator=torch.Generator().manual_seed(0)) - 1


def divergence(p, q):
    return sum((a * (a / b).log()).sum() for a, b in zip(p, q, strict=True)) / len(p)


def test_slow_twin(x):
    model = IMSAT(3, **SMALL | {"batch_size": 10}, lam=0.3, mu=2.0, radius=0.5).fit(x)
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        network = NormalizedPerceptron((5,), (7, 7))
        torch.manual_seed(derived_seed(0, "cluster head"))
        top = torch.nn.Linear(7, 3)
        torch.nn.init.normal_(top.weight, std=0.01 / math.sqrt(7))
        torch.nn.init.zeros_(top.bias)
    low, high = x.min().item(), x.max().item()
    z = 2 * (x - low) / (high - low) - 1  # the twin works on what enters the network
    radii = [sorted(float((a - b).norm()) for b in z)[4] for a in z]
    layers = [network.encoder[i] for i in (2, 3, 5, 6)]

    def p_of(z):
        """By the statistics of the batch, which are left alone."""
        for linear, norm in (layers[:2], layers[2:]):
            z = linear(z)
            z = (z - z.mean(0)) / (z.var(0, correction=0) + 2e-5).sqrt() * norm.weight + norm.bias
            z = z.relu()
        return top(z).softmax(1)

    optimizer = torch.optim.Adam([*network.parameters(), *top.parameters()], 0.01)
    order, noise = stream(0, "batches"), stream(0, "views")
    for epoch in range(3):
        total = 0.0
        for rows in batches(20, 10, order, x.device):
            p = p_of(z[rows])
            d = torch.randn(len(rows), 5, generator=noise)
            d = torch.stack([each / each.norm() for each in d]).requires_grad_()
            (gradient,) = torch.autograd.grad(divergence(p.detach(), p_of(z[rows] + 10 * d)), d)
            r = torch.stack([0.5 * radii[i] * g / g.norm() for i, g in zip(rows.tolist(), gradient, strict=True)])
            means = p.mean(0)
            information = -(p * p.log()).sum(1).mean() + 2 * (means * means.log()).sum()
            value = divergence(p.detach(), p_of(z[rows] + r)) + 0.3 * information
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(rows) / 20
        assert model.history_[epoch]["loss"] == pytest.approx(total, rel=2e-3, abs=1e-5)
    for theirs, own in zip(model.autoencoder_.encoder[2::3], network.encoder[2::3], strict=True):
        agree = (theirs.weight - own.weight).abs() < 2e-3 + 1e-2 * own.weight.abs()
        assert agree.float().mean() > 0.9  # where a gradient is zero but for rounding, Adam steps to either side


def test_running_statistics_see_clean_samples_only(x):
    model = IMSAT(3, **SMALL | {"epochs": 1, "batch_size": 20}).fit(x)
    norm = model.autoencoder_.encoder[3]
    assert norm.num_batches_tracked == 1
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        network = NormalizedPerceptron((5,), (7, 7)).train()
    network.rescaled.to_unit_range(x)
    network(x)
    torch.testing.assert_close(norm.running_mean, network.encoder[3].running_mean)
    torch.testing.assert_close(norm.running_var, network.encoder[3].running_var)


def test_the_values_of_the_samples_enter_from_minus_1_to_1(x):
    network = NormalizedPerceptron((5,), (4,))
    network.rescaled.to_unit_range(x)
    entered = network.encoder[:2](x)
    assert entered.min().item() == pytest.approx(-1) and entered.max().item() == pytest.approx(1)
    network.rescaled.to_unit_range(torch.full((3, 5), 2.0))
    assert not network.encoder[:2](torch.full((3, 5), 2.0)).any()


def test_weights_start_as_released(x):
    wide = torch.zeros(8, 400)
    wide[:, 0] = torch.arange(8.0)
    model = IMSAT(3, width=600, epochs=0, n_neighbors=2, random_state=0, device="cpu").fit(wide)
    first, second, last = (model.autoencoder_.encoder[2], model.autoencoder_.encoder[5], model.head_.layers[0])
    for layer, deviation in (
        (first, math.sqrt(0.1 / 400)),
        (second, math.sqrt(0.1 / 600)),
        (last, 0.01 / math.sqrt(600)),
    ):
        assert layer.weight.std().item() == pytest.approx(deviation, rel=0.1) and not layer.bias.any()


@pytest.mark.parametrize("off", ["lam", "radius"])
def test_a_weight_of_0_takes_a_part_away(off, x):
    model = IMSAT(3, **SMALL | {off: 0}).fit(x)
    alone = IMSAT(3, **SMALL | {off: 0, "epochs": 0}).fit(x)
    assert set(model.history_[0]) == {"phase", "epoch", "loss"} and not alone.history_
    assert (model.history_[0]["loss"] < -0.1) == (off == "radius")


def test_objectives_are_the_loss_of_the_next_update_and_change_nothing(x):
    told = []

    def ask(model):
        told.append({part: value.item() for part, value in model.objectives(torch.arange(20)).items()})

    settings = SMALL | {"batch_size": 20, "radius": 0.0}
    alone, asked = IMSAT(3, **settings).fit(x), IMSAT(3, **settings).fit(x, monitor=ask)
    assert sum(told[0].values()) == pytest.approx(asked.history_[1]["loss"], rel=1e-4)
    assert set(told[0]) == {"pseudo"}
    np.testing.assert_array_equal(alone.predict_proba(x), asked.predict_proba(x))
    seen = []
    IMSAT(3, **SMALL).fit(x, monitor=lambda model: seen.append(model.objectives(torch.arange(9))))
    assert all(part.requires_grad for parts in seen for part in parts.values())
    with pytest.raises(RuntimeError, match="only during fit"):
        asked.objectives(torch.arange(3))


def test_it_finds_three_digits_and_takes_a_start():
    from sklearn.datasets import load_digits

    digits = load_digits(n_class=3)
    images = (digits.images[:, None] / 16).astype(np.float32)
    model = IMSAT(3, width=64, epochs=15, batch_size=64, random_state=1, device="cpu").fit(images)
    assert accuracy(digits.target, model.labels_) > 0.9
    start = Pretraining(widths=(32,), latent_dim=4, epochs=1, batch_size=64)
    variant = IMSAT(3, start=start, epochs=1, batch_size=64, random_state=0, device="cpu").fit(images)
    assert variant.transform(images).shape == (len(images), 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width and n_neighbors must be at least 1"),
        ({"n_neighbors": 0}, "n_neighbors must be at least 1"),
        ({"mu": -1}, "lam, mu and radius at least 0"),
        ({"lam": 0, "radius": 0}, "one of lam and radius must be above 0"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
    ],
)
def test_bad_hyperparameters_are_refused(change, message, x):
    with pytest.raises(ValueError, match=message):
        IMSAT(3, **SMALL | change).fit(x)
