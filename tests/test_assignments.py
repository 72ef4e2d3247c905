"""Losses of soft assignments: values worked by hand (checked against the released losses), slow twins, floors."""

import math
from types import SimpleNamespace

import pytest
import torch

from dcbook import losses
from dcbook.methods import SCAN

P = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
Q = torch.tensor([[0.7, 0.3], [0.5, 0.5], [0.1, 0.9]])
ZA = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
ZB = torch.tensor([[1.0, 0.2], [0.1, 1.0], [1.0, -1.0]])


def close(value, expected):
    assert float(value) == pytest.approx(expected, abs=1e-6)


def test_values_by_hand():
    close(losses.nt_xent(ZA, ZB, 0.1, anchors="first"), 3.085090)  # SCAN's step 1
    close(losses.nt_xent(ZA, ZB, 0.1), 2.807625)
    close(losses.nt_xent(ZA, ZB, 0.5), 1.397550)
    close(losses.cluster_contrast(P, Q), 0.824464)
    balance = losses.imbalance(P) + losses.imbalance(Q)
    close(balance, 0.017831)
    close(losses.nt_xent(ZA, ZB, 0.5) + losses.cluster_contrast(P, Q) + balance, 2.239845)  # CC's total
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


def test_the_matrix_of_pica_by_hand(monkeypatch):
    seen = []
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda logits, target: seen.append((logits, target)))
    losses.partition_confusion(P, Q)
    ((cosines, target),) = seen
    expected = torch.tensor([[0.997241, 0.635799], [0.449050, 0.984311]])
    torch.testing.assert_close(cosines, expected, atol=1e-6, rtol=0)
    assert target.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("threshold", "kept"),
    [(0.5761, 4), (0.5762, 3), (0.95, 3), (0.98670, 3), (0.98671, 2), (0.99506, 2), (0.99507, 0)],
)
def test_scan_selects_by_hand(threshold, kept):
    """SCAN's step 3 from logits: the largest assignments are 0.995067, 0.986703, 0.995067 and 0.576117."""
    weak = torch.tensor([[6.0, 0, 0], [5, 0, 0], [0, 6, 0], [1, 0, 0]])
    strong = torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 3]])
    head = torch.nn.Softmax(dim=1)
    head.scores = torch.nn.Identity()
    model = SimpleNamespace(
        _samples=lambda rows: weak[rows],
        autoencoder_=SimpleNamespace(encoder=torch.nn.Identity()),
        head_=head,
        view=lambda x, noise: strong,
        confidence=threshold,
    )
    found = SCAN._of_itself(model, torch.arange(4), None)
    if not kept:
        assert found == {}
        return
    assert found["confident"].item() == kept / 4
    if kept == 3:
        close(found["cross_entropy"], 0.706382)


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


# --- IMSAT, SPICE, TEMI, PAC ---------------------------------------------------------------------------------------


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True)


def test_more_values_by_hand():
    close(losses.entropy(P).mean(), 0.499499)
    close(losses.kl_divergence(P, Q), 0.060287)
    close(losses.kl_divergence(P, Q) + 0.1 * losses.negative_information(P, 4.0), -0.163456)
    labels = torch.tensor([0, 1, 1])
    close(losses.origin_loss(P, labels), 0.535576)
    close(losses.origin_loss(P, labels, softmaxes=1), 0.414932)
    close(losses.aggregation_loss(unit(ZA), P), 0.523350)
    information = losses.pointwise_information(P, Q, torch.tensor([0.5, 0.5]), 0.6)
    for value, by_hand in zip(
        (*information, information.mean()), (-0.565157, -0.549651, -0.606218, -0.573675), strict=True
    ):
        close(value, by_hand)


def test_more_slow_twins(pair):
    p, q = pair
    entropies = [-sum(value * math.log(value) for value in row) for row in p.tolist()]
    means = [sum(column) / 7 for column in zip(*p.tolist(), strict=True)]
    value = sum(entropies) / 7 + 3 * sum(m * math.log(m) for m in means)
    assert losses.negative_information(p, 3.0).item() == pytest.approx(value, rel=1e-5)
    marginals = torch.tensor([0.4, 0.3, 0.2, 0.1])
    for found, *rows in zip(losses.pointwise_information(p, q, marginals, 0.6), p, q, strict=True):
        terms = [(a * b) ** 0.6 / pi for a, b, pi in zip(*(r.tolist() for r in rows), marginals.tolist(), strict=True)]
        assert found.item() == pytest.approx(-math.log(sum(terms)), rel=1e-5)
    f, value = unit(q), 0.0
    for i in range(7):
        for j in range(7):
            shared = sum((a * b) ** 1.5 for a, b in zip(p[i].tolist(), p[j].tolist(), strict=True))
            value += (1 - float(f[i] @ f[j])) * shared / 7
    assert losses.aggregation_loss(f, p, 1.5).item() == pytest.approx(value, rel=1e-4)


def test_more_floors():
    ideal, labels = torch.eye(10).repeat(3, 1), torch.arange(10).repeat(3)
    close(losses.negative_information(ideal, 4.0), -4 * math.log(10))
    close(losses.origin_loss(ideal, labels), math.log(1 + 9 / math.e))
    close(losses.pointwise_information(ideal, ideal, torch.full((10,), 0.1)).mean(), -math.log(10))
    close(losses.aggregation_loss(ideal, ideal), 0)


def test_assignments_that_share_nothing_leave_finite_information():
    p = torch.tensor([[1.0, 0.0]], requires_grad=True)
    value = losses.pointwise_information(p, torch.tensor([[0.0, 1.0]]), torch.tensor([0.5, 0.5]))
    (gradient,) = torch.autograd.grad(value.sum(), p)
    assert value.isfinite().all() and gradient.isfinite().all()
