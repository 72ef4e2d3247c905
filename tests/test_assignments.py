"""Losses of soft assignments: values worked by hand (checked against the released losses), slow twins, floors."""

import math

import pytest
import torch

from dcbook import losses

P = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
Q = torch.tensor([[0.7, 0.3], [0.5, 0.5], [0.1, 0.9]])
ZA = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
ZB = torch.tensor([[1.0, 0.2], [0.1, 1.0], [1.0, -1.0]])


def close(value, expected):
    assert float(value) == pytest.approx(expected, abs=1e-6)


def test_values_by_hand():
    close(losses.nt_xent(ZA, ZB, 0.5), 1.397550)
    close(losses.cluster_contrast(P, Q), 0.824464)
    close(losses.imbalance(P) + losses.imbalance(Q), 0.017831)
    close(losses.partition_confusion(P, Q), 0.494789)
    close(losses.imbalance(P), 0.008915)
    close(losses.partition_confusion(P, Q) + 2 * losses.imbalance(P), 0.512620)
    close(losses.neighbor_disagreement(P, Q), 0.469923)
    close(losses.entropy(P.mean(0)), 0.684232)
    close(losses.neighbor_disagreement(P, Q) - 5 * losses.entropy(P.mean(0)), -2.951236)
    close(losses.neighbor_disagreement(P, Q) - losses.entropy(P.mean(0)), -0.214309)
    strong = torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 1, 1]])
    close(losses.balanced_cross_entropy(strong, torch.tensor([0, 0, 1])), 0.706382)
    close(torch.nn.functional.cross_entropy(strong, torch.tensor([0, 0, 1])), 0.654511)


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


@pytest.fixture(scope="module")
def pair():
    random = torch.Generator().manual_seed(0)
    return tuple(torch.randn(7, 4, generator=random).softmax(1) for _ in range(2))


def test_slow_twins(pair):
    p, q = pair
    columns = [*p.T, *q.T]
    value = 0.0
    for i, column in enumerate(columns):
        terms = [math.exp(cosine(column, other) / 0.7) for j, other in enumerate(columns) if j != i]
        value -= math.log(math.exp(cosine(column, columns[(i + 4) % 8]) / 0.7) / sum(terms)) / 8
    assert losses.cluster_contrast(p, q, 0.7).item() == pytest.approx(value, rel=1e-5)
    value = 0.0
    for k in range(4):
        row = [math.exp(cosine(p[:, k], q[:, j])) for j in range(4)]
        value -= math.log(row[k] / sum(row)) / 4
    assert losses.partition_confusion(p, q).item() == pytest.approx(value, rel=1e-5)
    means = [sum(row[k] for row in p.tolist()) / 7 for k in range(4)]
    assert losses.imbalance(p).item() == pytest.approx(math.log(4) + sum(m * math.log(m) for m in means), rel=1e-4)
    value = sum(
        -math.log(sum(a * b for a, b in zip(*rows, strict=True))) / 7
        for rows in zip(p.tolist(), q.tolist(), strict=True)
    )
    assert losses.neighbor_disagreement(p, q).item() == pytest.approx(value, rel=1e-5)
    logits, labels = (5 * q).log(), [0, 1, 1, 3, 3, 3, 3]
    weights = [7 / labels.count(label) for label in labels]
    errors = [-row.log_softmax(0)[label].item() for row, label in zip(logits, labels, strict=True)]
    value = sum(w * e for w, e in zip(weights, errors, strict=True)) / sum(weights)
    assert losses.balanced_cross_entropy(logits, torch.tensor(labels)).item() == pytest.approx(value, rel=1e-5)


def test_floors():
    """The least values for ten clusters, which one-hot assignments reach that are equal in size and in both views."""
    ideal = torch.eye(10).repeat(3, 1)
    close(losses.partition_confusion(ideal, ideal), math.log(1 + 9 / math.e))
    close(losses.partition_confusion(ideal, ideal), 1.461150)
    close(losses.cluster_contrast(ideal, ideal), 2.031016)
    close(losses.imbalance(ideal), 0)
    close(losses.neighbor_disagreement(ideal, ideal) - 5 * losses.entropy(ideal.mean(0)), -11.512925)
    chance = torch.full((30, 10), 0.1)
    close(losses.partition_confusion(chance, chance), math.log(10))


def test_dead_and_impossible_clusters_leave_finite_losses_and_gradients():
    p = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], requires_grad=True)
    q = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], requires_grad=True)
    for loss in (losses.cluster_contrast, losses.partition_confusion, losses.neighbor_disagreement):
        value = loss(p, q)
        gradients = torch.autograd.grad(value + losses.imbalance(p) - losses.entropy(q.mean(0)), (p, q))
        assert value.isfinite() and all(gradient.isfinite().all() for gradient in gradients), loss.__name__
    assert losses.imbalance(p).item() == pytest.approx(math.log(3), abs=1e-6)
