"""Losses that tell samples apart, and the heads on them: values by hand, slow twins, floors, geometry."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from dcbook import losses
from dcbook.methods.mice import add_keys, reset_prototypes
from dcbook.models import Experts, UnitClassifier, UnitMap, experts
from dcbook.models.experts import simplex

MEMORY = normalize(torch.tensor([[1.0, 0], [0, 1], [-1, 0], [1, 1]]), dim=1)
V = normalize(torch.tensor([[1.0, 0.5], [0.2, 1]]), dim=1)
F_K = torch.tensor([[[1.0, 0], [0.6, 0.8]], [[0, 1], [0.8, -0.6]]])
V_K = torch.tensor([[[0.8, 0.6], [0, 1]], [[0.6, 0.8], [1, 0]]])
G = normalize(torch.tensor([[1.0, 0.5], [-0.3, 1]]), dim=1)
MU = normalize(torch.tensor([[1.0, 1], [1, -1]]), dim=1)
QUEUE = torch.tensor([[[0.0, 1], [1, 0]], [[-1, 0], [0, -1]]])


def close(value, expected):
    torch.testing.assert_close(value, torch.tensor(expected), atol=1e-6, rtol=0)


def test_idfd_by_hand(monkeypatch):
    rows = torch.tensor([0, 1])
    close(losses.instance_discrimination(V, MEMORY, rows), 1.008667)
    close(losses.decorrelation(V), 0.598182)
    seen = []
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.functional, "cross_entropy", lambda logits, target: seen.append(logits))
        losses.decorrelation(V)
    close(seen[0], [[0.5, 0.300095], [0.300095, 0.5]])
    close(losses.remembered(MEMORY[rows], V), [[0.973249, 0.229753], [0.098538, 0.995133]])


def test_mice_by_hand():
    log_pi = (G @ simplex(2, 2).T).log_softmax(1)
    log_phi = losses.expert_log_likelihoods(F_K, V_K, MU, QUEUE)
    close(log_pi.exp(), [[0.856787, 0.143213], [0.360154, 0.639846]])
    close(log_phi, [[-0.314021, -1.648292], [-0.694558, -1.036287]])
    r = (log_pi + log_phi).softmax(1)
    close(r, [[0.957837, 0.042163], [0.442020, 0.557980]])
    close(losses.mixture_loss(log_pi, log_phi), 0.662445)
    assert r.argmax(1).tolist() == [0, 1]
    close(after_an_epoch(r.argmax(1)), [[0.8, 0.6], [1, 0]])


def after_an_epoch(labels):
    """MiCE's prototypes after one batch of keys `V_K` with these labels, from `MU`."""
    prototypes, sums, sizes = MU.clone(), torch.zeros(2, 2), torch.zeros(2)
    add_keys(sums, sizes, V_K, labels)
    reset_prototypes(prototypes, sums, sizes)
    return prototypes


def test_an_expert_without_images_keeps_its_prototype():
    prototypes = after_an_epoch(torch.tensor([0, 0]))
    close(prototypes[0], [math.sqrt(0.5), math.sqrt(0.5)])  # the direction of (0.8, 0.6) + (0.6, 0.8)
    torch.testing.assert_close(prototypes[1], MU[1])


def dot(a, b):
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))


@pytest.fixture(scope="module")
def features():
    random = torch.Generator().manual_seed(0)
    return normalize(torch.randn(6, 4, generator=random), dim=1), normalize(torch.randn(9, 4, generator=random), dim=1)


def test_idfd_slow_twins(features):
    v, memory = features
    rows, value = [3, 0, 8, 1, 2, 5], 0.0
    for v_i, row in zip(v, rows, strict=True):
        value += (-dot(v_i, memory[row]) / 0.3 + math.log(sum(math.exp(dot(v_i, m) / 0.3) for m in memory))) / 6
    found = losses.instance_discrimination(v, memory, torch.tensor(rows), 0.3)
    assert found.item() == pytest.approx(value, rel=1e-5)
    value = 0.0
    lengths = [math.sqrt(dot(column, column)) for column in v.T]
    for k in range(4):
        c = [dot(v[:, k], v[:, j]) / (lengths[k] * lengths[j]) / 1.5 for j in range(4)]
        value += (-c[k] + math.log(sum(math.exp(each) for each in c))) / 4
    assert losses.decorrelation(v, 1.5).item() == pytest.approx(value, rel=1e-5)


def test_mice_slow_twin_and_the_released_bound():
    random = torch.Generator().manual_seed(1)
    f, v, queue = (normalize(torch.randn(n, 3, 4, generator=random), dim=2) for n in (5, 5, 7))
    mu = normalize(torch.randn(3, 4, generator=random), dim=1)
    log_pi = torch.randn(5, 3, generator=random).log_softmax(1)
    found = losses.expert_log_likelihoods(f, v, mu, queue, 0.7)
    for b in range(5):
        for k in range(3):
            logits = [(dot(f[b, k], key) + dot(key, mu[k])) / 0.7 for key in (v[b, k], *queue[:, k])]
            expected = logits[0] - math.log(sum(math.exp(each) for each in logits))
            assert found[b, k].item() == pytest.approx(expected, rel=1e-5)
    log_pi.requires_grad_()
    found.requires_grad_()
    r = (log_pi + found).softmax(1).detach()
    bound = -(r * (log_pi + found - r.log())).sum() / 5
    value = losses.mixture_loss(log_pi, found)
    torch.testing.assert_close(value, bound)
    for a, b in zip(
        torch.autograd.grad(value, (log_pi, found)), torch.autograd.grad(bound, (log_pi, found)), strict=True
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("d", "floor"), [(128, 4.357086), (64, 3.668968)])
def test_the_floor_of_decorrelation_takes_as_many_samples_as_dimensions(d, floor):
    close(losses.decorrelation(torch.eye(d)), floor)
    assert floor == pytest.approx(math.log(1 + (d - 1) / math.sqrt(math.e)), abs=1e-6)
    assert losses.decorrelation(torch.eye(d)[: d // 2] + 1e-3) > floor + 0.001
    close(losses.decorrelation(torch.ones(d, d)), math.log(d))


def test_nothing_is_known_where_all_keys_are_alike():
    f = normalize(torch.ones(2, 3, 4), dim=2)
    found = losses.expert_log_likelihoods(f, f, f[0], f[:1].repeat(7, 1, 1))
    close(found, [[-math.log(8)] * 3] * 2)


@pytest.mark.parametrize(("k", "dim"), [(1, 3), (2, 1), (2, 2), (4, 3), (10, 128), (20, 19)])
def test_directions_of_the_gate_have_equal_angles(k, dim):
    rows = simplex(k, dim).double()
    gram = torch.full((k, k), -1 / (k - 1) if k > 1 else 1.0, dtype=torch.float64).fill_diagonal_(1)
    torch.testing.assert_close(rows @ rows.T, gram, atol=1e-6, rtol=0)
    assert rows[0].tolist() == [1] + [0] * (dim - 1)


def test_more_directions_than_dimensions_allow_are_refused():
    with pytest.raises(ValueError, match="5 directions of equal angles need at least 4 dimensions, not 3"):
        simplex(5, 3)


# --- heads ---------------------------------------------------------------------------------------------------------


def test_experts_give_the_posterior_and_remember_in_turn():
    torch.manual_seed(0)
    head, u = Experts(6, 3, dim=4, queue=5, temperature=0.5), torch.randn(4, 6)
    f = head.embeddings(u)
    torch.testing.assert_close(f.norm(dim=2), torch.ones(4, 3))
    g = normalize(head.gate(u), dim=1)
    pi = torch.softmax(g @ head.directions.T / 0.5, 1)
    phi = losses.expert_log_likelihoods(f, f, normalize(head.prototypes, dim=1), head.queue, 0.5).exp()
    torch.testing.assert_close(head(u), pi * phi / (pi * phi).sum(1, keepdim=True))
    keys = torch.arange(9.0).view(9, 1, 1).expand(9, 3, 4)
    head.remember(keys[:3])
    head.remember(keys[3:6])
    assert head.queue[:, 0, 0].tolist() == [5, 1, 2, 3, 4] and int(head.place) == 1
    head.remember(keys)
    assert sorted(head.queue[:, 0, 0].tolist()) == [4, 5, 6, 7, 8], "the last ones of too many"


def test_experts_take_codes_a_piece_at_a_time(monkeypatch):
    torch.manual_seed(0)
    head, u = Experts(6, 3, dim=4, queue=5), torch.randn(9, 6)
    whole = head(u)
    monkeypatch.setattr(experts, "PIECE", 31)
    torch.testing.assert_close(head(u), whole)


def test_a_unit_map_finds_the_nearest_center():
    torch.manual_seed(0)
    head, u = UnitMap(6, 3, 4), torch.randn(20, 6)
    head.centers.copy_(torch.randn(3, 4))
    v = head.features(u)
    torch.testing.assert_close(v.norm(dim=1), torch.ones(20))
    nearest = torch.cdist(v, head.centers).argmin(1)
    assert torch.equal(head.nearest(v), nearest) and torch.equal(head(u).argmax(1), nearest)


def test_a_unit_classifier_depends_on_directions_alone():
    torch.manual_seed(0)
    head, u = UnitClassifier(6, 3, 8, 5, temperature=0.2), torch.randn(20, 6)
    z = head.layers(u)
    cosines = torch.nn.functional.cosine_similarity(z.unsqueeze(1), head.directions.unsqueeze(0), dim=2)
    head.lengths.data = torch.tensor([1.0, 2, 0.5])
    torch.testing.assert_close(head(u), torch.softmax(head.lengths * cosines / 0.2, 1))
    before = head(u)
    head.directions.data *= 7
    torch.testing.assert_close(head(u), before)
