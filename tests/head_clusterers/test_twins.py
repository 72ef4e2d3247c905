"""Methods with a trunk and heads, against slow twins: loops over pairs, torch's own optimizers."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from dcbook import losses
from dcbook.methods import (
    DAC,
    DCCM,
    PICA,
    SCAN,
    DAC_star,
    Start,
)
from dcbook.models import Classifier, NormalizedClassifier, ResNet
from dcbook.training import head_clusterer
from dcbook.training.augment import Augmentation, ShiftRotation
from dcbook.training.inputs import batches, derived_seed, stream
from dcbook.training.optimizers import SGD
from dcbook.training.pretext import codes_of
from dcbook.training.views import Strong
from tests.head_clusterers.conftest import BLOCKS, METHODS, SMALL


def fresh(model, images, widths=()):
    """Trunk and cluster head as they begin."""
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        network = ResNet(images.shape[1:], "resnet-9", model.width, getattr(model, "projection_dim", None))
        torch.manual_seed(derived_seed(0, "cluster head"))
        head = Classifier(8 * model.width, 3, widths)
    return network.train(), head.train()


def trained(model, images, network, head, loss):
    """Adam of torch on `loss(rows, noise)`; the mean losses of the epochs."""
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=model.lr)
    order, noise = stream(0, "batches"), stream(0, "views")
    history = []
    for _ in range(model.epochs):
        total = 0.0
        for rows in batches(len(images), model.batch_size, order, images.device):
            value = loss(rows, noise)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(rows) / len(images)
        history.append(total)
    return history


def assert_same_training(model, images, network, head, history):
    assert [entry["loss"] for entry in model.history_] == pytest.approx(history, rel=1e-3)
    with torch.no_grad():
        p = head.eval()(network.eval().encoder(images))
    np.testing.assert_allclose(model.predict_proba(images), p, rtol=1e-2, atol=1e-3)
    np.testing.assert_array_equal(model.labels_, model.predict_proba(images).argmax(1))
    assert len(model.history_) == model.epochs


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def contrast(rows, temperature):
    """NT-Xent of 2n vectors, the i-th and the i+n-th of which belong together."""
    n, value = len(rows), 0.0
    for i in range(n):
        terms = [(cosine(rows[i], rows[k]) / temperature).exp() for k in range(n) if k != i]
        value = value - ((cosine(rows[i], rows[(i + n // 2) % n]) / temperature).exp() / sum(terms)).log() / n
    return value


def test_cc_slow_twin(images):
    view = Augmentation(crop=0.5)
    model = METHODS["CC"](view=view, instance=0.7, cluster=1.3, balance=2.0).fit(images)
    network, head = fresh(model, images, (16,))

    def loss(rows, noise):
        a, b = (network.encoder(view(images[rows], noise)) for _ in range(2))
        c_a, c_b = head(a), head(b)
        balance = 0.0
        for c in (c_a, c_b):
            m = [sum(row[k] for row in c) / len(rows) for k in range(3)]
            balance = balance + math.log(3) + sum(each * each.log() for each in m)
        instances = contrast([*network.head(a), *network.head(b)], 0.5)
        return 0.7 * instances + 1.3 * contrast([*c_a.T, *c_b.T], 1.0) + 2 * balance

    assert_same_training(model, images, network, head, trained(model, images, network, head, loss))
    after = model.history_[-1]
    assert after["loss"] == pytest.approx(after["instance"] + after["cluster"] + after["balance"], rel=1e-6)


def test_pica_slow_twin(images):
    view, moved = Augmentation(crop=0.5), ShiftRotation(0.2, 0)
    model = PICA(3, **SMALL, view=view, original=moved, copies=2, overclusters=4, balance=1.5).fit(images)
    network, head = fresh(model, images)
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "large head"))
        large = Classifier(16, 4, ())
    weights = [*network.parameters(), *head.parameters(), *large.parameters()]
    for weight in weights:
        weight.grad = torch.zeros_like(weight)  # from the first step on, a head that is not trained has gradients of 0
    optimizer = torch.optim.Adam(weights, lr=model.lr)
    order, noise = stream(0, "batches"), stream(0, "views")
    history = []
    for _ in range(2):
        totals = []
        for g, k in ((large, 4), (head, 3)):
            totals.append(0.0)
            for rows in batches(20, 9, order, images.device):
                x = images[rows]
                p = g(network.encoder(moved(x, noise)))
                q = g(network.encoder(torch.cat([view(x, noise), view(x, noise)])))
                value = math.log(k) + sum(m * m.log() for m in p.mean(0))
                value = 1.5 * value
                for i in range(k):
                    row = [cosine(torch.cat([p[:, i], p[:, i]]), q[:, j]).exp() for j in range(k)]
                    value = value - (row[i] / sum(row)).log() / k
                optimizer.zero_grad(set_to_none=False)
                value.backward()
                optimizer.step()
                totals[-1] += value.item() * len(rows) / 20
        history.append(totals)
    assert [entry["overclusters_loss"] for entry in model.history_] == pytest.approx([a for a, _ in history], rel=1e-3)
    assert_same_training(model, images, network, head, [b for _, b in history])
    assert 1 / 3 <= model.history_[-1]["confidence"] <= 1


def shaken(x, noise):
    """A faint view: where an image and its view differ, cosines near 1 would amplify the rounding of the twin."""
    return (x + 0.05 * torch.rand(x.shape, generator=noise)).clamp(0, 1)


def in_blocks(model, images, network, head, loss):
    """DAC's and DCCM's loop with torch's RMSprop on `loss(epoch, before, rows, noise)`."""
    optimizer = torch.optim.RMSprop([*network.parameters(), *head.parameters()], lr=model.lr, alpha=0.9, eps=1e-8)
    order, noise = stream(0, "batches"), stream(0, "views")
    history = []
    for epoch in range(model.epochs):
        total = seen = 0.0
        for block in batches(20, 15, order, images.device):
            with torch.no_grad():  # on copies, so that their running statistics are thrown away
                before = deepcopy(head)(deepcopy(network).encoder(images[block]))
            for _ in range(2):
                places = torch.randperm(len(block), generator=order)
                for part in places.split(9):
                    value = loss(epoch, before[part], block[part], noise)
                    optimizer.zero_grad()
                    value.backward()
                    optimizer.step()
                    total, seen = total + value.item() * len(part), seen + len(part)
        history.append(total / seen)
    return history


@pytest.mark.parametrize(("star", "scaled"), [(False, "none"), (True, "none"), (True, "target"), (False, "both")])
def test_dac_slow_twin(star, scaled, images):
    view = shaken
    settings = BLOCKS | {"epochs": 3, "view": view, "upper": 0.95, "meet": 0.8}
    settings |= {"anchor_scaled": scaled}
    released = {"pair_loss": "squared", "pair_scale": "batch", "rectified": True}
    model = DAC_star(3, **settings, **released) if star else DAC(3, **settings, lower=0.7, anchor=2.0)
    network, _ = fresh(model, images)
    head = NormalizedClassifier(16, 3, 3, rectified=star).train()
    model.fit(images)

    def loss(epoch, before, rows, noise):
        upper, lower = 0.95 - 0.075 * epoch, 0.7 + 0.05 * epoch
        p = head(network.encoder(view(images[rows], noise)))
        total = count = 0.0
        for i in range(len(rows)):
            for j in range(len(rows)):
                was, s = cosine(before[i], before[j]), cosine(p[i], p[j])
                if star:
                    total, count = total + (s - float(was > upper)) ** 2, count + 1
                elif was > upper or was < lower:
                    s = s.clamp(1e-7, 1 - 1e-7)
                    total, count = total - (s if was > upper else 1 - s).log(), count + 1
        t = before if scaled == "none" else before / before.norm(dim=1, keepdim=True)
        q = p / p.norm(dim=1, keepdim=True) if scaled == "both" else p
        anchor = -(t * q.log() + (1 - t) * (1 - q).log()).mean()
        return total / count / len(rows) + anchor if star else total / count + 2 * anchor

    assert_same_training(model, images, network, head, in_blocks(model, images, network, head, loss))
    assert [entry["decided"] < 1 for entry in model.history_[:2]] == [not star] * 2
    assert model.history_[-1]["decided"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("pairs", ["linked", "released"])
def test_dccm_slow_twin(pairs, images):
    view = shaken
    model = DCCM(3, **BLOCKS, view=view, link=0.9, sure=0.5, discriminator=6, pairs=pairs).fit(images)
    network, _ = fresh(model, images)
    head = NormalizedClassifier(16, 3, 64).train()
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "discriminator"))
        w1, w2, w3 = (nn.Conv2d(a, b, 1, bias=False) for a, b in ((4 + 3, 6), (6, 6), (6, 1)))
    judge = nn.ModuleList([w1, w2, w3])

    def softplus(values):
        return sum((1 + value.exp()).log().mean() for value in values) / len(values)

    def loss(epoch, before, rows, noise):
        maps = network.encoder[:3](view(images[rows], noise))
        y = head.layers(network.encoder[3:](maps))
        p, n = head.top(y), len(rows)
        linked = [[bool(cosine(before[i], before[j]) >= 0.9) for j in range(n)] for i in range(n)]
        s = torch.stack([torch.stack([cosine(p[i], p[j]) for j in range(n)]) for i in range(n)])
        s = s / s.max()
        graph = sum(-(s if linked[i][j] else (1 - s).clamp_min(1e-12))[i, j].log() for i in range(n) for j in range(n))
        label = 0.0
        for i in range(n):
            if before[i].max() >= 0.5:
                own = before[i].argmax()
                label = label - (p[i, own].log() + sum((1 - p[i, k]).log() for k in range(3) if k != own)) / 3

        def judged(i, j):
            """D of the map of i and the output of j, at all places."""
            x = torch.cat([maps[i], y[j].view(3, 1, 1).expand(3, *maps.shape[2:])])
            return w3(w2(w1(x[None]).relu()).relu())

        positive, negative = [judged(i, i) for i in range(n)], []
        for i in range(n):
            around = [(i + step) % n for step in range(1, n)]
            if pairs == "linked":
                friends = [j for j in around if linked[i][j]]
                strangers = [j for j in around if not linked[i][j]]
                partner = friends[0] if friends else i
            else:
                row = [linked[i][j] for j in range(n) if j != i]
                partner = row.index(True) if any(row) else 0
                strangers = [j for j in range(n) if not linked[i][j]]
            positive.append(judged(partner, i))
            negative += [judged(j, i) for j in strangers[:2]]
        local = softplus([-d for d in positive]) + softplus(negative)
        return 5 * label / n + graph / n**2 + 0.05 * local

    history = in_blocks(model, images, network, Both(head, judge), loss)
    assert_same_training(model, images, network, head, history)
    after = model.history_[-1]
    assert after["loss"] == pytest.approx(after["label"] + after["graph"] + after["local"], rel=1e-6)


class Both(nn.Module):
    """A head, and other weights that are trained with it."""

    def __init__(self, head, others):
        super().__init__()
        self.head, self.others = head, others

    def forward(self, u):
        return self.head(u)


def test_scan_slow_twin(images, pretext):
    view = Strong()
    settings = {
        "view": view,
        "heads": 2,
        "epochs": 2,
        "lr": 0.01,
        "weight_decay": 0.1,
        "n_neighbors": 3,
        "entropy": 2.0,
    }
    settings |= {"selflabel_epochs": 1, "selflabel_batch_size": 10, "confidence": 0.34, "batch_size": 9}
    model = SCAN(3, start=pretext.start_, **settings, random_state=0, device="cpu").fit(images)
    network = deepcopy(pretext.autoencoder_).train()
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "heads"))
        heads = [nn.Sequential(*Classifier(16, 3, ()).layers) for _ in range(2)]
    near = [[i, *pretext.codes_.neighbors[i].tolist()] for i in range(20)]
    weights = [*network.parameters(), *heads[0].parameters(), *heads[1].parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.01, weight_decay=0.1)
    order, noise = stream(0, "batches"), stream(0, "views")
    history, best = [], (math.inf,)
    for _ in range(2):
        total, network = 0.0, network.train()
        for rows in batches(20, 9, order, images.device):
            drawn = torch.randint(4, (len(rows), 1), generator=noise).flatten().tolist()
            partners = [near[i][at] for i, at in zip(rows.tolist(), drawn, strict=True)]
            u, v = network.encoder(view(images[rows], noise)), network.encoder(view(images[partners], noise))
            value = 0.0
            for head in heads:
                p, q = head(u), head(v)
                means = p.mean(0)
                value = value + sum(-(p[i] @ q[i]).log() for i in range(len(rows))) / len(rows) / 2
                value = value + 2 * sum(m * m.log() for m in means) / 2
            optimizer.zero_grad(set_to_none=False)
            value.backward()
            optimizer.step()
            total += value.item() * len(rows) / 20
        with torch.no_grad():
            codes = network.eval().encoder(images)
        values = []
        for head in heads:
            p = head(codes).detach()
            value = sum(-(p[i] @ p[j]).log() for i in range(20) for j in near[i][:6]) / 120
            values.append((value + sum(m * m.log() for m in p.mean(0))).item())
        history.append((total, min(values)))
        if min(values) < best[0]:
            best = min(values), deepcopy(network), deepcopy(heads[values.index(min(values))])
    of_step_2 = [entry for entry in model.history_ if entry["phase"] == "neighbors"]
    assert [entry["loss"] for entry in of_step_2] == pytest.approx([loss for loss, _ in history], rel=1e-3)
    assert [entry["selection"] for entry in of_step_2] == pytest.approx([value for _, value in history], rel=1e-3)
    _, network, head = best
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=0.01, weight_decay=0.1)
    order, noise = stream(0, "self-labeling batches"), stream(0, "self-labeling views")
    network.train()
    for rows in batches(20, 10, order, images.device):
        with torch.no_grad():
            p = head(network.encoder(images[rows]))
        logits = head[:-1](network.encoder(view(images[rows], noise)))
        chosen = [i for i in range(len(rows)) if p[i].max() > 0.34]
        labels = [int(p[i].argmax()) for i in chosen]
        weight = [len(chosen) / labels.count(label) for label in labels]
        value = sum(-w * logits[i].log_softmax(0)[k] for i, k, w in zip(chosen, labels, weight, strict=True))
        optimizer.zero_grad(set_to_none=False)
        (value / sum(weight)).backward()
        optimizer.step()
    with torch.no_grad():
        p = head(network.eval().encoder(images))
    np.testing.assert_allclose(model.predict_proba(images), p, rtol=1e-2, atol=2e-3)


def test_scan_takes_the_codes_of_its_start_or_makes_its_own(images, pretext, monkeypatch):
    settings = {"frozen_epochs": 3, "heads": 3, "epochs": 0, "selflabel_epochs": 0, "n_neighbors": 5, "batch_size": 9}
    settings |= {"random_state": 0, "device": "cpu"}
    made = []
    monkeypatch.setattr(head_clusterer, "codes_of", lambda *a, **more: made.append(a) or codes_of(*a, **more))
    given = SCAN(3, start=pretext.start_, **settings).fit(images)
    assert not made
    np.testing.assert_array_equal(given.transform(images), pretext.transform(images))
    bare = Start(pretext.autoencoder_)
    SCAN(3, start=bare, **settings).fit(images)
    SCAN(3, start=pretext.start_, **settings).fit(images[:19])
    assert len(made) == 2, "a start without codes, and one with those of other samples"
    chosen = min(entry["selection"] for entry in given.history_)
    neighbors = pretext.codes_.neighbors[:, :5]
    p = torch.as_tensor(given.predict_proba(images))
    disagreement = np.mean([-(p[i] @ p[j]).log() for i in range(20) for j in [i, *neighbors[i].tolist()]])
    assert chosen == pytest.approx(disagreement - losses.entropy(p.mean(0)).item(), rel=1e-4)
    with pytest.raises(ValueError, match="SCAN needs a pretext as its start"):
        SCAN(3, **settings).fit(images)
    other = settings | {"view": Strong(flip=False)}
    with pytest.raises(
        ValueError, match=r"view is Strong\(.*flip=False.*, but the start holds codes of views by Strong"
    ):
        given.set_params(view=other["view"]).fit(images)
    assert given.history_[-1]["selection"] and given.labels_.shape == (20,), "a refused fit leaves the model as it was"
    SCAN(3, start=pretext.start_, **other | {"frozen_epochs": 0}).fit(images)  # it needs no fixed views


def test_scan_without_a_confident_sample_learns_nothing_in_step_3(images, pretext):
    settings = {"epochs": 1, "batch_size": 9, "n_neighbors": 5, "random_state": 0, "device": "cpu"}
    without = SCAN(3, start=pretext.start_, selflabel_epochs=0, **settings).fit(images)
    model = SCAN(3, start=pretext.start_, selflabel_epochs=2, confidence=0.999999, **settings).fit(images)
    assert [entry["confident"] for entry in model.history_ if entry["phase"] == "self-labeling"] == [0, 0]
    for key, tensor in model.head_.state_dict().items():
        assert torch.equal(tensor, without.head_.state_dict()[key])


def test_noted_values_are_means_over_all_samples(images, pretext):
    """And losses means over the samples of updates."""
    found = []

    def look(model):
        loss = sum(weight.sum() for weight in model.head_.parameters()) * 0 + 2
        parts = {"cross_entropy": loss, "confident": torch.tensor(0.5)}
        given = [torch.arange(5), torch.arange(5, 20)]
        found.append(model._pass(lambda rows: parts if len(rows) == 15 else {}, given, SGD([], 1.0)))

    METHODS["SCAN"](start=pretext.start_, epochs=1).fit(images, monitor=look)
    assert found == [{"loss": 2, "cross_entropy": 2, "confident": 0.5 * 15 / 20}]


def test_scan_leaves_the_head_of_its_start_alone(images, pretext):
    """Weight decay would shrink it."""
    settings = {"epochs": 1, "selflabel_epochs": 1, "confidence": 0.34, "weight_decay": 0.1, "batch_size": 9}
    model = METHODS["SCAN"](start=pretext.start_, **settings).fit(images)
    before, after = pretext.start_.autoencoder.state_dict(), model.start_.autoencoder.state_dict()
    heads = [name for name in before if name.startswith("head.") and name.endswith(("weight", "bias"))]
    assert heads and all(torch.equal(before[name], after[name]) for name in heads)
