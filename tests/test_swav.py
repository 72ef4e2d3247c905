"""SwAV: a slow twin of its training, prototypes that wait and stay on the sphere, its queue, an accuracy floor."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.data import load
from dcbook.evaluation import nmi
from dcbook.methods import SwAV, load_model
from dcbook.training.inputs import stream
from tests.test_contrastive import LEARNERS, assert_same_training, twin


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


def first_prototypes(k=4):
    drawn = torch.randn(k, 5, generator=stream(0, "prototypes"))
    return torch.stack([row / row.norm() for row in drawn])


def codes_of(scores, eps, iterations):
    """Exponentials scaled column by column, then row by row."""
    q = [[math.exp(s / eps) for s in row] for row in scores]
    for _ in range(iterations):
        totals = [sum(row[k] for row in q) for k in range(len(q[0]))]
        q = [[value / total for value, total in zip(row, totals, strict=True)] for row in q]
        q = [[value / sum(row) for value in row] for row in q]
    return q


@pytest.mark.parametrize(("queue", "queue_from"), [(0, 0), (12, 0), (12, 1)])
def test_slow_twin(queue, queue_from, images):
    """Three updates: each makes five times as much of every rounding in so small a network."""
    settings = {"eps": 0.1, "weight_decay": 0.01, "epochs": 3, "batch_size": 20, "frozen_updates": 1}
    model = LEARNERS["SwAV"](queue=queue, queue_from=queue_from, **settings).fit(images)
    prototypes = nn.Parameter(first_prototypes())
    top = torch.optim.SGD([prototypes], lr=1, momentum=0.9, weight_decay=0.01)
    queues, updates, used = ([], []), 0, 0

    def loss(network, a, b, rows):
        nonlocal used
        _, z = network(torch.cat([a, b]))
        z = [row / row.norm() for row in z]
        views, codes = (z[: len(a)], z[len(a) :]), []
        for view, kept in zip(views, queues, strict=True):
            full = len(kept) == queue > 0
            used += full
            known = [*view, *kept] if full else view
            scores = [[float(row.detach() @ c) for c in prototypes.detach()] for row in known]
            codes.append(codes_of(scores, 0.1, 3)[: len(view)])
            if updates >= queue_from:  # an epoch is one update
                kept[:] = [*(row.detach() for row in view), *kept][:queue]
        value = 0.0
        for view, others in zip(views, reversed(codes), strict=True):
            for row, code in zip(view, others, strict=True):
                terms = [(row @ c / model.temperature).exp() for c in prototypes]
                value = value - sum(q * (t / sum(terms)).log() for q, t in zip(code, terms, strict=True)) / len(z)
        return value

    def move(network, step):
        nonlocal updates
        updates += 1
        if updates > 1:
            top.param_groups[0]["lr"] = step
            top.step()
            with torch.no_grad():
                prototypes.copy_(torch.stack([c / c.norm() for c in prototypes]))
        top.zero_grad()

    assert_same_training(model, images, *twin(model, images, loss, move))
    assert used == {(0, 0): 0, (12, 0): 4, (12, 1): 2}[queue, queue_from]
    np.testing.assert_allclose(model.prototypes_, prototypes.detach(), atol=1e-3)
    assert (model.prototypes_ - first_prototypes().numpy()).max() > 0.01


def test_prototypes_wait_then_move_on_the_sphere(images, tmp_path):
    frozen = LEARNERS["SwAV"](frozen_updates=6).fit(images)  # 2 epochs of 9 + 9 + 2
    torch.testing.assert_close(torch.from_numpy(frozen.prototypes_), first_prototypes())
    moved = LEARNERS["SwAV"](frozen_updates=5).fit(images)
    change = np.abs(moved.prototypes_ - frozen.prototypes_).max()
    assert change > 1e-5, "the last update moves them"
    np.testing.assert_allclose(np.linalg.norm(moved.prototypes_, axis=1), 1, rtol=1e-5)
    moved.save(tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").prototypes_, moved.prototypes_)


def test_codes_do_not_change_with_the_queue_until_it_is_full(images):
    without, filling = (LEARNERS["SwAV"](queue=n, queue_from=0, epochs=1).fit(images) for n in (0, 20))
    assert without.history_ == filling.history_, "9 + 9 rows before the third batch, and 20 are wanted"
    full = LEARNERS["SwAV"](queue=18, queue_from=0, epochs=1).fit(images)
    assert full.history_ != without.history_


def test_it_learns_what_the_classes_are():
    """An accuracy floor: from 0.34 NMI with a random network to about 0.58."""
    data = load("digits", subset=1200)
    views = {"flip": False, "crop": 0.5, "jitter": 0.4}
    schedule = {"epochs": 6, "lr": 0.1, "batch_size": 50, "eps": 0.02, "frozen_updates": 24, "prototypes": 40}
    model = SwAV(10, width=8, projection_dim=32, **views, **schedule, random_state=0, device="cpu").fit(data.images)
    untrained = SwAV(**model.get_params() | {"epochs": 0}).fit(data.images)
    assert nmi(data.labels, model.labels_) > max(0.52, nmi(data.labels, untrained.labels_) + 0.1)
    assert model.history_[-1]["loss"] < math.log(40) - 1, "codes differ"
