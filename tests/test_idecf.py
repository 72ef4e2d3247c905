"""IDECF by hand and against a slow twin, trap by trap."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.evaluation import nmi
from dcbook.methods import IDECF, AEKMeans, Pretraining
from dcbook.training.inputs import batches, derived_seed, seeded, stream

K, N, D = 3, 50, 4
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def groups():
    random = np.random.default_rng(0)
    y = random.integers(0, K, N)
    return (random.random((K, 9))[y] + 0.4 * random.random((N, 9))).astype(np.float32), y


@pytest.fixture(scope="module")
def start(groups):
    recipe = Pretraining(widths=(24,), latent_dim=D, epochs=10, batch_size=20, lr=1e-2)
    return AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(groups[0]).start_


def test_fuzzy_c_means_by_hand():
    u, centers = torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([[0.5], [4.5]])
    p = losses.memberships(u, centers, 1.5)
    assert p[:, 0].tolist() == pytest.approx([0.999848, 0.999584, 0.000416], abs=1e-6)
    assert losses.weighted_centering(u, centers, p**1.5).item() == pytest.approx(0.749877, abs=1e-6)


def test_student_t_summed_over_dimensions_by_hand():
    u, centers = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 1.0], [2.0, 0.0]])  # kernels 1 + 1/2 and 1/5 + 1
    assert losses.student_t_by_dimension(u, centers)[0].tolist() == pytest.approx([1.5 / 2.7, 1.2 / 2.7])


def q_by_hand(u, centers, by_dimension):
    rows = []
    for code in u:
        squares = [(code - center) ** 2 for center in centers]
        kernel = [(1 / (1 + s)).sum() if by_dimension else 1 / (1 + s.sum()) for s in squares]
        rows.append(torch.stack(kernel) / sum(kernel))
    return torch.stack(rows)


@pytest.mark.parametrize("variant", ["released", "repaired", "dimensions", "elements", "attached"])
def test_slow_twin(variant, groups, start):
    x, _ = groups
    settings = {"epochs": 2, "teacher_epochs": 2, "lr": 0.05, "lam": 2.0}
    model = IDECF(K, start=start, variant=variant, **settings, **PLAIN).fit(x)
    followed = {"released": ("dimensions", "elements", "attached"), "repaired": ()}.get(variant, (variant,))
    network, data, centers = deepcopy(start.autoencoder), torch.as_tensor(x), start.centers
    with seeded(derived_seed(0, "teacher")):
        layers = [torch.nn.Linear(D, 100), torch.nn.Linear(100, 200), torch.nn.Linear(200, K)]
    teacher = torch.nn.Sequential(
        layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2], torch.nn.Softmax(1)
    )
    order = stream(0, "batches")
    for iteration in range(2):
        with torch.no_grad():
            u = network.encoder(data)
            if iteration:
                weights = teacher(u) ** 1.5
                centers = torch.stack([(weights[:, k : k + 1] * u).sum(0) / weights[:, k].sum() for k in range(K)])
        step = torch.optim.Adam(teacher.parameters())
        for _ in range(2):
            for batch in batches(N, 20, order, data.device):
                p = teacher(u[batch]) ** 1.5
                loss = sum(p[:, k] @ ((u[batch] - centers[k]) ** 2).sum(1) for k in range(K))
                step.zero_grad()
                loss.backward()
                step.step()
        step = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
        for batch in batches(N, 20, order, data.device):
            z, x_hat = network(data[batch])
            p = teacher(z) if "attached" in followed else teacher(z).detach()
            divergence = (p * (p / q_by_hand(z, centers, "dimensions" in followed)).log()).sum()
            loss = ((x_hat - data[batch]) ** 2).mean()
            loss = loss + 2.0 * divergence / (len(batch) * (K if "elements" in followed else 1))
            step.zero_grad()
            loss.backward()
            step.step()
    np.testing.assert_allclose(model.cluster_centers_, centers, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data), rtol=1e-2, atol=1e-3)
        np.testing.assert_allclose(model.predict_proba(x), teacher(network.encoder(data)), rtol=1e-2, atol=1e-3)
    assert np.abs(model.transform(x) - u.numpy()).max() > 1e-3


def test_the_teacher_learns_fuzzy_c_means(groups, start):
    """With the step as released the codes stay, and the teacher nears the memberships that minimize its loss."""
    x, y = groups
    model = IDECF(K, start=start, epochs=8, teacher_lr=1e-2, **PLAIN).fit(x)
    u = torch.as_tensor(model.transform(x))
    np.testing.assert_allclose(u, AEKMeans(K, start=start).fit(x).transform(x), atol=1e-3)
    fuzzy = [entry["fuzzy"] for entry in model.history_]
    p = losses.memberships(u, torch.as_tensor(model.cluster_centers_), 1.5)
    least = losses.weighted_centering(u, torch.as_tensor(model.cluster_centers_), p**1.5).item() / N
    assert least <= fuzzy[-1] < fuzzy[0] and fuzzy[-1] < 1.2 * least, (least, fuzzy)
    assert nmi(y, model.labels_) > 0.9 * nmi(y, AEKMeans(K, start=start).fit(x).labels_)


def test_objectives_are_the_parts_of_an_update(groups, start):
    x, _ = groups
    told = []

    def ask(model):
        parts = model.objectives(torch.arange(N))
        told.append({name: part.item() for name, part in parts.items()})
        gradient = torch.autograd.grad(parts["pseudo"], model.autoencoder_.encoder[1].weight)[0]
        assert gradient.abs().max() > 0

    model = IDECF(K, start=start, variant="repaired", epochs=1, **PLAIN).fit(x, monitor=ask)
    u = torch.as_tensor(model.transform(x))
    p, q = torch.as_tensor(model.predict_proba(x)), q_by_hand(u, torch.as_tensor(model.cluster_centers_), False)
    assert told[0]["pseudo"] == pytest.approx(0.1 * (p * (p / q).log()).sum().item() / N, rel=1e-4)
