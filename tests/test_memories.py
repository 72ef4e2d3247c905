"""IDFD and MiCE: slow twins of their training, with memory, queue and teacher in plain loops; what they refuse."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from dcbook.methods import IDFD, ContrastivePretraining, MiCE, SimCLR
from dcbook.models import Experts, ResNet, UnitMap
from dcbook.training.augment import Augmentation
from dcbook.training.inputs import batches, derived_seed, stream
from dcbook.training.schedules import step_factor

SMALL = {"architecture": "resnet-9", "width": 2, "embedding_dim": 4, "epochs": 3, "batch_size": 9, "random_state": 0}
SMALL |= {"device": "cpu", "lr": 0.05, "view": Augmentation(crop=0.5)}
METHODS = {
    "IDFD": lambda **changes: IDFD(3, **SMALL | changes),
    "MiCE": lambda **changes: MiCE(3, **SMALL | {"queue": 12, "teacher_momentum": 0.8} | changes),
}
every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


def fresh(head, *sizes):
    """Trunk and head as they begin."""
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        network = ResNet((3, 10, 10), "resnet-9", 2, None)
        torch.manual_seed(derived_seed(0, "cluster head"))
        return network.train(), head(16, 3, *sizes).train()


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_idfd_slow_twin(images):
    settings = {"instance": 0.7, "decorrelation": 1.3, "temperature": 0.5, "memory_momentum": 0.3}
    model = METHODS["IDFD"](**settings, schedule="cosine", weight_decay=0.01).fit(images)
    network, head = fresh(UnitMap, 4)
    memory = (2 * torch.rand(20, 4, generator=stream(0, "memory")) - 1) * math.sqrt(3 / 4)
    optimizer = torch.optim.SGD([*network.parameters(), *head.parameters()], 0.05, 0.9, weight_decay=0.01)
    order, noise = stream(0, "batches"), stream(0, "views")
    for epoch in range(3):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * epoch / 3)) / 2
        total = 0.0
        for rows in batches(20, 9, order, images.device):
            v = head.linear(network.encoder(SMALL["view"](images[rows], noise)))
            v = torch.stack([each / each.norm() for each in v])
            value = 0.0
            for row, v_i in zip(rows.tolist(), v, strict=True):
                scores = torch.stack([dot(v_i, m) / 0.5 for m in memory])
                value = value + 0.7 * (-scores[row] + scores.exp().sum().log()) / len(rows)
            for k in range(4):
                c = torch.stack([dot(v[:, k], v[:, j]) / v[:, k].norm() / v[:, j].norm() / 2 for j in range(4)])
                value = value + 1.3 * (-c[k] + c.exp().sum().log()) / 4
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            for row, v_i in zip(rows.tolist(), v.detach(), strict=True):
                memory[row] = 0.3 * memory[row] + 0.7 * v_i
                memory[row] /= memory[row].norm()
            total += value.item() * len(rows) / 20
        assert model.history_[epoch]["loss"] == pytest.approx(total, rel=1e-3)
    np.testing.assert_array_equal(model.labels_, torch.cdist(memory, model.head_.centers).argmin(1))
    for k in range(3):
        torch.testing.assert_close(model.head_.centers[k], memory[model.labels_ == k].mean(0), rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(images), network.eval().encoder(images), rtol=1e-2, atol=1e-3)
    after = model.history_[-1]
    assert after["loss"] == pytest.approx(after["instance"] + after["decorrelation"], rel=1e-6)


def test_idfd_labels_are_those_of_its_memory_and_predictions_those_of_the_images(images):
    model = METHODS["IDFD"](epochs=30, lr=0.03, view=Augmentation(crop=0.9, flip=False, jitter=0)).fit(images)
    v = model.head_.features(torch.as_tensor(model.transform(images)))
    np.testing.assert_array_equal(model.predict(images), torch.cdist(v, model.head_.centers).argmin(1))
    assert (model.predict(images) == model.labels_).mean() > 0.5
    assert set(model.predict_proba(images).ravel()) == {0, 1}


def test_idfd_finds_clusters_in_the_memory_where_it_is_interrupted(images):
    def view(x, noise):
        if noise.initial_seed() == stream(0, "views").initial_seed():
            raise KeyboardInterrupt
        return x.clone()

    with pytest.warns(UserWarning, match="interrupted after 0 epochs"):
        model = METHODS["IDFD"](view=view).fit(images)
    assert len(set(model.labels_)) == 3 and model.head_.centers.any(1).all()


def test_mice_slow_twin(images):
    model = METHODS["MiCE"](schedule="constant", weight_decay=0.01, temperature=0.6).fit(images)
    network, head = fresh(Experts, 4, 12, 0.6)
    teacher_trunk, teacher_experts = deepcopy(network.encoder), deepcopy(head.experts)
    queue, at = head.queue.clone(), 0
    optimizer = torch.optim.SGD([*network.parameters(), *head.parameters()], 0.05, 0.9, weight_decay=0.01)
    order, noise = stream(0, "batches"), stream(0, "views")
    for epoch in range(3):
        total, sums, sizes = 0.0, torch.zeros(3, 4), [0] * 3
        for rows in batches(20, 9, order, images.device):
            f, v, g = (SMALL["view"](images[rows], noise) for _ in range(3))
            f = normalize(head.experts(network.encoder(f)).view(-1, 3, 4), dim=2)
            with torch.no_grad():
                v = normalize(teacher_experts(teacher_trunk(v)).view(-1, 3, 4), dim=2)
            g = normalize(head.gate(network.encoder(g)), dim=1)
            value = 0.0
            for b in range(len(rows)):
                gates = torch.stack([dot(g[b], omega) / 0.6 for omega in head.directions]).exp()
                joint = []
                for k in range(3):
                    mu = head.prototypes[k] / head.prototypes[k].norm()
                    keys = [v[b, k], *queue[:, k]]
                    scores = torch.stack([(dot(f[b, k], key) + dot(key, mu)) / 0.6 for key in keys]).exp()
                    joint.append(gates[k] / gates.sum() * scores[0] / scores.sum())
                value = value - sum(joint).log() / len(rows)
                label = int(torch.stack(joint).argmax())
                sums[label] += v[b, label]
                sizes[label] += 1
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            for key in v:
                queue[at % 12] = key
                at += 1
            with torch.no_grad():
                slow, fast = (*teacher_trunk.parameters(), *teacher_experts.parameters()), network.encoder.parameters()
                for a, b in zip(slow, (*fast, *head.experts.parameters()), strict=True):
                    a.mul_(0.8).add_(0.2 * b)
            total += value.item() * len(rows) / 20
        for k in range(3):
            if sizes[k]:
                head.prototypes.data[k] = sums[k] / sums[k].norm()
        assert model.history_[epoch]["loss"] == pytest.approx(total, rel=1e-3)
        assert model.history_[epoch]["experts"] == sum(size > 0 for size in sizes)
    torch.testing.assert_close(model.head_.queue, queue, rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(model.head_.prototypes, head.prototypes.detach(), rtol=1e-2, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(images), network.eval().encoder(images), rtol=1e-2, atol=1e-3)


def test_a_look_fills_no_queue_and_depends_on_no_order(images):
    model = METHODS["MiCE"]().fit(images)
    before = model.head_.queue.clone()
    p = model.predict_proba(images)
    np.testing.assert_allclose(model.predict_proba(images.flip(0)), p[::-1], rtol=1e-5)
    assert torch.equal(model.head_.queue, before)


# --- what both promise ---------------------------------------------------------------------------------------------


@every_method
def test_objectives_are_the_loss_of_the_next_update_and_change_nothing(name, images):
    told = []

    def ask(model):
        told.append({part: value.item() for part, value in model.objectives(torch.arange(20)).items()})

    settings = {"view": lambda x, noise: x, "batch_size": 20, "schedule": "constant", "reset": False}
    settings = settings if name == "MiCE" else {key: settings[key] for key in settings if key != "reset"}
    alone, asked = METHODS[name](**settings).fit(images), METHODS[name](**settings).fit(images, monitor=ask)
    assert sum(told[0].values()) == pytest.approx(asked.history_[1]["loss"], rel=1e-4)
    assert set(told[0]) == {"self" if name == "IDFD" else "pseudo"}
    np.testing.assert_array_equal(alone.labels_, asked.labels_)
    np.testing.assert_array_equal(alone.transform(images), asked.transform(images))
    with pytest.raises(RuntimeError, match="only during fit"):
        asked.objectives(torch.arange(3))


@every_method
def test_a_warm_start_is_taken_and_left_alone(name, images):
    settings = {"architecture": "resnet-9", "width": 2, "projection_dim": 5, "epochs": 1, "batch_size": 9}
    start = SimCLR(3, **settings, random_state=0, device="cpu").fit(images).start_
    before = start.digest
    codes = METHODS[name](start=start, epochs=0).fit(images).transform(images)
    np.testing.assert_allclose(codes, start.autoencoder.eval().encoder(images).detach(), rtol=1e-5, atol=1e-6)
    trained = METHODS[name](start=start, epochs=1).fit(images)
    assert start.digest == before and not np.allclose(trained.transform(images), codes)


@pytest.mark.parametrize("name", METHODS)
def test_a_recipe_may_be_the_start(name, images):
    recipe = ContrastivePretraining(latent_dim=6, widths=(8,), epochs=2, batch_size=9)
    model = METHODS[name](start=recipe, epochs=1).fit(images)
    assert [entry["phase"] for entry in model.history_][:2] == ["pretraining"] * 2
    assert model.transform(images).shape == (20, 6)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("IDFD", {"embedding_dim": 1}, "embedding_dim must be at least 2"),
        ("IDFD", {"temperature": 0}, "both temperatures above 0"),
        ("IDFD", {"memory_momentum": 1}, r"memory_momentum and sgd_momentum must lie in \[0, 1\)"),
        ("IDFD", {"instance": 0, "decorrelation": 0}, "one of them above 0"),
        ("IDFD", {"schedule": "linear"}, "schedule must be one of steps, cosine, constant"),
        ("IDFD", {"view": None}, "view must be a view"),
        ("MiCE", {"embedding_dim": 1}, "embedding_dim must be at least K - 1 = 2"),
        ("MiCE", {"temperature": -1}, "temperature above 0"),
        ("MiCE", {"teacher_momentum": 1.1}, r"teacher_momentum must lie in \[0, 1\]"),
        ("MiCE", {"queue": 21}, "queue must be a whole number from 1 to 20, the number of samples, not 21"),
        ("MiCE", {"schedule": None}, "schedule must be one of"),
        ("MiCE", {"lr": 0}, "lr above 0"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images):
    with pytest.raises(ValueError, match=message):
        METHODS[name](**change).fit(images)


@every_method
def test_only_images_with_values_from_0_to_1(name, images):
    with pytest.raises(ValueError, match=r"needs images \(N, C, H, W\)"):
        METHODS[name]().fit(images.flatten(1))
    with pytest.raises(ValueError, match=r"needs images in \[0, 1\]"):
        METHODS[name]().fit(images * 3)


def test_schedules():
    of_idfd = [step_factor("steps", epoch, 2000, (0.3, 0.475, 0.65, 0.825)) for epoch in range(2000)]
    assert [round(-math.log10(of_idfd[i])) for i in (599, 600, 949, 950, 1299, 1300, 1649, 1650)] == [
        *(0, 1, 1, 2, 2, 3, 3, 4)
    ]
    of_mice = [step_factor("steps", epoch, 1001, (0.48, 0.64, 0.8), 10 / 1001) for epoch in range(1001)]
    np.testing.assert_allclose(of_mice[:11], [*np.arange(1, 11) / 10, 1])
    assert [round(-math.log10(of_mice[i])) for i in (480, 481, 640, 641, 800, 801)] == [0, 1, 1, 2, 2, 3]
    cosine = [step_factor("cosine", epoch, 10) for epoch in range(10)]
    assert cosine[0] == 1 and cosine[5] == pytest.approx(0.5) and sorted(cosine, reverse=True) == cosine
    assert {step_factor("constant", epoch, 10) for epoch in range(10)} == {1.0}
