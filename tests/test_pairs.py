"""DAC's and DCCM's losses: values worked by hand, slow twins; which images DCCM pairs."""

import math

import pytest
import torch

from dcbook import losses
from dcbook.methods import DCCM
from dcbook.methods.dac import anchor_loss
from dcbook.methods.dccm import as_meant, as_released

P = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
Q = torch.tensor([[0.7, 0.3], [0.5, 0.5], [0.1, 0.9]])
BLOCK = torch.tensor([[0.95, 0.05], [0.92, 0.08], [0.15, 0.85]])


def close(value, expected):
    assert float(torch.as_tensor(value).detach()) == pytest.approx(expected, abs=1.5e-6)


def cosines(p):
    features = losses.label_features(p)
    return features @ features.T


def test_dac_by_hand():
    s = cosines(P)
    close(s[0, 1], 0.888218)
    close(s[0, 2], 0.348187)
    close(s[1, 2], 0.739940)
    same, decided = losses.pair_targets(s, 0.85, 0.5)
    assert decided.sum() == 7 and not decided[1, 2] and same[0, 1] and not same[0, 2]
    close(losses.cross_entropy_of_pairs(s, same, decided), 0.156153)
    close(losses.cross_entropy_of_pairs(s, same, decided) * 7 / 9, 0.121452)  # a port's: over all pairs
    close(losses.cross_entropy_of_pairs(s, same, decided) / 3, 0.052051)  # as released: once more over B
    same, decided = losses.pair_targets(s, 0.8, None)
    assert decided.all()
    close(losses.cross_entropy_of_pairs(s, same, decided), 0.420751)
    close(losses.squared_error_of_pairs(s, same, decided), 0.151387)
    close(losses.cross_entropies(P, Q).mean(), 0.613286)


# the mean of six terms -t ln p - (1 - t) ln(1 - p); scaled, the first has t = 0.7 / sqrt(0.58), p = 0.9 / sqrt(0.82)
@pytest.mark.parametrize(("scaled", "value"), [("none", 0.613286), ("target", 0.548147), ("both", 0.519664)])
def test_the_second_loss_of_dac_by_hand(scaled, value):
    close(anchor_loss(P, Q, scaled), value)
    p, q = P.clone().requires_grad_(), Q.clone().requires_grad_()
    anchor_loss(p, q, scaled).backward()
    assert p.grad.any() and q.grad is None


def test_dccm_by_hand():
    linked = cosines(BLOCK) >= 0.95
    assert linked.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    largest, labels = BLOCK.max(1)
    sure = largest >= 0.9
    assert sure.tolist() == [True, True, False]
    graph, label = losses.graph_loss(P, linked), losses.pseudo_label_loss(P, labels, sure)
    local = losses.local_information(torch.tensor([1.0, -0.5]), torch.tensor([-2.0, 0.3]))
    close(graph, 0.420751)
    close(label, 0.205395)
    close(local, 1.134311)
    close(5 * label + graph + 0.05 * local, 1.504442)


def entropy(p, t):
    p = min(max(p, 1e-7), 1 - 1e-7)
    return -t * math.log(p) - (1 - t) * math.log(1 - p)


def test_slow_twins():
    random = torch.Generator().manual_seed(0)
    before, p = (torch.randn(6, 3, generator=random).mul(2).softmax(1) for _ in range(2))
    same, decided = losses.pair_targets(cosines(before), 0.9, 0.6)
    assert 0 < decided.sum() < 36
    unit = [[v / math.sqrt(sum(w * w for w in row)) for v in row] for row in p.tolist()]
    was = [[v / math.sqrt(sum(w * w for w in row)) for v in row] for row in before.tolist()]
    s = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in unit] for u in unit]
    s0 = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in was] for u in was]
    kept = [(i, j) for i in range(6) for j in range(6) if s0[i][j] > 0.9 or s0[i][j] < 0.6]
    value = sum(entropy(s[i][j], float(s0[i][j] > 0.9)) for i, j in kept) / len(kept)
    assert losses.cross_entropy_of_pairs(cosines(p), same, decided).item() == pytest.approx(value, rel=1e-4)
    value = sum((s[i][j] - (s0[i][j] > 0.9)) ** 2 for i, j in kept) / len(kept)
    assert losses.squared_error_of_pairs(cosines(p), same, decided).item() == pytest.approx(value, rel=1e-4)
    top = max(max(row) for row in s)
    value = sum(entropy(s[i][j] / top, float(s0[i][j] > 0.9)) for i in range(6) for j in range(6) if i != j) / 36
    assert losses.graph_loss(p, same).item() == pytest.approx(value, rel=1e-3)


def test_they_are_finite_where_nothing_is_decided_and_where_all_is_certain():
    sure = torch.eye(2).repeat(2, 1).requires_grad_()
    never = torch.zeros(4, 4, dtype=torch.bool)
    close(losses.cross_entropy_of_pairs(cosines(sure), never, never), 0)
    wrong = cosines(sure.detach()) < 0.5
    for value in (
        losses.cross_entropy_of_pairs(cosines(sure), wrong, ~never),
        losses.graph_loss(sure, wrong),
        losses.pseudo_label_loss(sure, torch.tensor([1, 0, 1, 0]), torch.ones(4, dtype=torch.bool)),
    ):
        assert value.isfinite() and value > 1
        assert torch.autograd.grad(value, sure)[0].isfinite().all()


# --- which images DCCM pairs ---------------------------------------------------------------------------------------


def pairs_of(n, *pairs):
    linked = torch.eye(n, dtype=torch.bool)
    for i, j in pairs:
        linked[i, j] = linked[j, i] = True
    return linked


def test_an_image_is_linked_to_itself_at_the_highest_threshold_too():
    images = torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    small = {"architecture": "resnet-9", "width": 2, "discriminator": 4, "epochs": 1, "passes": 1, "batch_size": 20}
    model = DCCM(10, link=1.0, view=lambda x, noise: x.clone(), random_state=0, device="cpu", **small).fit(images)
    assert model.history_[-1]["links"] == pytest.approx(1 / 20)


def test_partners_are_linked_images_as_meant_and_shifted_by_one_as_released():
    linked = pairs_of(6, (0, 1), (2, 3), (4, 5))
    partner, negatives, there = as_meant(linked)
    assert partner.tolist() == [1, 0, 3, 2, 5, 4]
    assert negatives.T.tolist() == [[2, 3], [2, 3], [4, 5], [4, 5], [0, 1], [0, 1]] and there.all()
    released, always, there = as_released(linked)
    assert released.tolist() == [0, 0, 2, 2, 4, 4], "three of six partners are wrong"
    assert always.T.tolist() == [[2, 3], [2, 3], [0, 1], [0, 1], [0, 1], [0, 1]] and there.all()


def test_lone_images_are_their_own_partners_and_full_batches_have_fewer_negatives():
    partner, _, there = as_meant(pairs_of(4, (1, 3)))
    assert partner.tolist() == [0, 3, 2, 1] and there.all()
    assert as_released(pairs_of(4, (1, 3)))[0].tolist()[::2] == [0, 0], "an arbitrary image"
    everything = torch.ones(3, 3, dtype=torch.bool)
    assert not as_meant(everything)[2].any() and not as_released(everything)[2].any()
    one_away = pairs_of(3, (0, 1), (1, 2))
    _, negatives, there = as_meant(one_away)
    assert there.sum(0).tolist() == [1, 0, 1] and negatives[0, 0] == 2 and negatives[0, 2] == 0
