"""DynAE by hand and against a slow twin."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.methods import ACAIPretraining, AEKMeans, DynAE, Pretraining
from dcbook.methods.dynae import threshold_fall
from dcbook.training.augment import ShiftRotation
from dcbook.training.inputs import batches, stream

K, N = 3, 50
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu", "tol": 0}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    x = random.random((K, 1, 4, 4))[random.integers(0, K, N)] + 0.4 * random.random((N, 1, 4, 4))
    return (x / x.max()).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    recipe = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
    start = AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x).start_
    with torch.no_grad():  # codes as far apart as those of a longer training, and the same reconstructions
        start.autoencoder.encoder[-1].weight.mul_(5)
        start.autoencoder.encoder[-1].bias.mul_(5)
        start.autoencoder.decoder[0].weight.div_(5)
        start.centers.mul_(5)
    return start


def test_thresholds_fall_as_released():
    assert [threshold_fall(3.0, n) for n in range(5)] == pytest.approx([0.9, 0.9, 0.27, 0.081, 0.0243])


def test_unconflicted_by_hand():
    q = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.45, 0.05], [0.35, 0.34, 0.31], [0.9, 0.1, 0.0]])
    assert losses.unconflicted(q, 0.4, 0.1).tolist() == [True, False, False, True]
    assert losses.unconflicted(q, 0.5, 0.1).tolist() == [False, False, False, True], "exceed, not reach"
    assert losses.unconflicted(q, 0.3, -0.1).all()
    assert losses.unconflicted(torch.ones(2, 1), 0.9, 0.5).all(), "one cluster has no second"


def q_of(z, centers):
    kernel = [1 / (1 + float((z - center).square().sum())) for center in centers]
    return [value / sum(kernel) for value in kernel]


def sure(z, centers, beta1, beta2):
    first, second = sorted(q_of(z, centers), reverse=True)[:2]
    return first > beta1 and first - second > beta2


def test_slow_twin(x, start):
    """Targets, both losses, counts, new centers and falling thresholds, one sample after the other."""
    settings = {"kappa": 1.8, "gamma": 5.0, "lr": 0.05, "max_updates": 11, "update_interval": 2}
    model = DynAE(K, start=start, **settings, **PLAIN).fit(x)
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    step = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    order, noise, view = stream(0, "batches"), stream(0, "views"), ShiftRotation()

    def embedded(samples):
        with torch.no_grad():
            return network.encoder(samples)

    def taken(centroids):
        z = embedded(data)
        centers = torch.stack([min(z, key=lambda code: float((code - c).square().sum())) for c in centroids])
        with torch.no_grad():
            return centers, network.decoder(centers)

    centers, images = taken(start.centers)
    beta1, beta2, falls = 0.6, 0.3, [0.54, 0.54, 0.162, 0.0486, 0.01458, 0.004374]
    last, updates, renewed, histories = N, 0, 0, []
    while updates < 11:
        total, before = 0.0, updates
        for batch in batches(N, 20, order, data.device):
            if updates == 11:
                break
            if updates % 2 == 0:
                conflicted = sum(not sure(z, centers, beta1, beta2) for z in embedded(data))
                if conflicted >= last:
                    twin = DynAE(K, start=start, **PLAIN)  # for its k-means alone, tested elsewhere
                    twin._x, twin.seed_, twin.autoencoder_ = data, 0, network
                    centers, images = taken(twin._kmeans(10))
                    beta1, beta2 = beta1 - falls[renewed] / K, beta2 - falls[renewed] / K
                    renewed += 1
                last = conflicted
            x_batch = data[batch]
            codes, pictures = embedded(x_batch), x_batch.flatten(1).clone()
            for i, z in enumerate(codes.clone()):
                if sure(z, centers, beta1, beta2):
                    k = int(np.argmax(q_of(z, centers)))
                    codes[i], pictures[i] = centers[k], images[k]
            z, x_hat = network(view(x_batch, noise))
            loss = ((z - codes) ** 2).mean() + 5 * ((x_hat - pictures) ** 2).mean()
            step.zero_grad()
            loss.backward()
            step.step()
            total += loss.item()
            updates += 1
        histories.append((total / (updates - before), conflicted / N, beta1, beta2))
    assert renewed >= 2 and any(0 < share < 1 for _, share, *_ in histories), "the case must show what it is to show"
    found = [[entry[name] for name in ("loss", "conflicted", "beta1", "beta2")] for entry in model.history_]
    np.testing.assert_allclose(found, histories, rtol=1e-3)
    in_order = [sorted(each.tolist()) for each in (model.cluster_centers_, centers)]  # k-means may name them otherwise
    np.testing.assert_allclose(*in_order, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(model.transform(x), embedded(data).numpy(), rtol=1e-2, atol=2e-3)


def test_objectives_are_what_an_update_minimizes(x, start):
    """One update an epoch, on all samples, not augmented: what is told after it is the loss of the next."""
    told = []

    def ask(model):
        weights = deepcopy(model.autoencoder_.state_dict())
        parts = model.objectives(torch.arange(N))
        assert all(part.requires_grad for part in parts.values())
        after = model.autoencoder_.state_dict()
        assert all(torch.equal(after[name], weight) for name, weight in weights.items())
        told.append({name: part.item() for name, part in parts.items()})

    settings = PLAIN | {"batch_size": N, "shift": 0, "rotation": 0}
    model = DynAE(K, start=start, kappa=1.8, max_updates=4, update_interval=9, **settings).fit(x, monitor=ask)
    for parts, entry in zip(told, model.history_[1:], strict=False):
        assert parts["self"] == pytest.approx(entry["reconstruction"], rel=1e-4)
        assert parts["pseudo"] == pytest.approx(entry["clustering"], rel=1e-3)
    assert len(told) == 4 and told[0]["pseudo"] > 0
    pretrained = []
    recipe = Pretraining(widths=(8,), latent_dim=2, epochs=2, batch_size=20)
    DynAE(K, start=recipe, max_updates=0, **PLAIN).fit(
        x, monitor=lambda model: pretrained.append(model.objectives(torch.arange(3)))
    )
    assert pretrained == [{}, {}]


def test_training_ends_when_no_sample_is_conflicted_or_the_updates_are_made(x, start):
    model = DynAE(K, start=start, update_interval=3, **(PLAIN | {"tol": 0.01})).fit(x)
    assert 0 < model.n_updates_ < 40 and model.n_updates_ % 3 == 0
    assert DynAE(K, start=start, max_updates=7, **PLAIN).fit(x).n_updates_ == 7
    left_over = DynAE(K, start=start, max_updates=10, **PLAIN).fit(x[:41])  # two batches, the last of 21
    assert left_over.n_updates_ == 10


def test_without_a_start_it_is_acai(x, monkeypatch):
    assert DynAE._default_recipe is ACAIPretraining
    monkeypatch.setattr(
        DynAE, "_default_recipe", partial(ACAIPretraining, widths=(8,), latent_dim=2, epochs=2, batch_size=20)
    )
    assert "critic" in DynAE(K, max_updates=1, **PLAIN).fit(x).history_[0]
