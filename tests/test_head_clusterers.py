"""Methods whose network says the clusters: a slow twin of the training of each, what they learn, what they refuse."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from dcbook import losses
from dcbook.evaluation import accuracy
from dcbook.methods import (
    CC,
    DAC,
    DCCM,
    DCSS,
    PICA,
    SCAN,
    TEMI,
    ContrastivePretraining,
    DAC_star,
    SimCLR,
    SimCLRPretext,
    Start,
)
from dcbook.models import Classifier, IdentityEncoder, NormalizedClassifier, ResNet
from dcbook.training import head_clusterer
from dcbook.training.augment import Augmentation, ShiftRotation
from dcbook.training.head_clusterer import statistics_kept
from dcbook.training.inputs import batches, derived_seed, stream
from dcbook.training.optimizers import SGD
from dcbook.training.pretext import codes_of
from dcbook.training.views import Strong

SMALL = {"architecture": "resnet-9", "width": 2, "lr": 0.01, "epochs": 2, "batch_size": 9, "random_state": 0}
SMALL |= {"device": "cpu"}
BLOCKS = SMALL | {"block": 15, "passes": 2, "lr": 1e-4}
PRETEXT = {"architecture": "resnet-9", "width": 2, "projection_dim": 5, "epochs": 1, "batch_size": 9}
PRETEXT |= {"random_state": 0, "device": "cpu"}
SCANS = {"start": ContrastivePretraining(latent_dim=6, widths=(8,), epochs=1, batch_size=9), "n_neighbors": 5}
SCANS |= {"epochs": 2, "selflabel_epochs": 0, "batch_size": 9, "random_state": 0, "device": "cpu"}
METHODS = {
    "CC": lambda **changes: CC(3, **SMALL | {"projection_dim": 5} | changes),
    "PICA": lambda **changes: PICA(3, **SMALL | {"overclusters": 0, "copies": 2} | changes),
    "DAC": lambda **changes: DAC(3, **BLOCKS | {"upper": 0.9, "lower": 0.6, "meet": 0.7} | changes),
    "DAC_star": lambda **changes: DAC_star(3, **BLOCKS | changes),
    "SCAN": lambda **changes: SCAN(3, **SCANS | changes),
    "DCCM": lambda **changes: DCCM(3, **BLOCKS | {"link": 0.8, "sure": 0.4, "discriminator": 6} | changes),
}
every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def pretext(images):
    return SimCLRPretext(3, **PRETEXT, n_neighbors=5, fixed_views=2).fit(images)


# --- slow twins ----------------------------------------------------------------------------------------------------


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


# --- the parts of the loss -----------------------------------------------------------------------------------------


def still(x, noise):
    """A view that is the image, so that the loss of an update can be told in advance."""
    return x


@every_method
def test_objectives_are_the_loss_of_the_next_update_and_change_nothing(name, images):
    told = []

    def ask(model):
        if model.history_[-1]["phase"] != "pretraining":
            told.append({part: value.item() for part, value in model.objectives(torch.arange(20)).items()})

    settings = {"view": still, "batch_size": 20} | ({"original": still} if name == "PICA" else {})
    settings |= {"block": 20, "passes": 1} if name.startswith("D") else {}
    alone, asked = METHODS[name](**settings).fit(images), METHODS[name](**settings).fit(images, monitor=ask)
    after = [entry for entry in asked.history_ if entry["phase"] != "pretraining"][1]
    tolerance = 0.1 if name == "SCAN" else 1e-4  # which draws its partners anew
    assert sum(told[0].values()) == pytest.approx(after["loss"], rel=tolerance)
    assert set(told[0]) <= {"self", "pseudo"} and "pseudo" in told[0]
    np.testing.assert_array_equal(alone.predict_proba(images), asked.predict_proba(images))
    with pytest.raises(RuntimeError, match="only during fit"):
        asked.objectives(torch.arange(3))


def test_statistics_are_kept_and_go_on():
    network = nn.Sequential(nn.BatchNorm1d(2)).train()
    x = torch.randn(8, 2) + 3
    with statistics_kept(network):
        normalized = network(x)
    assert not network[0].running_mean.any() and network[0].num_batches_tracked == 0
    torch.testing.assert_close(normalized, network(x))
    assert network[0].running_mean.all() and network[0].num_batches_tracked == 1


# --- what they learn -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in METHODS if name != "SCAN"])
def test_a_warm_start_is_taken_and_left_alone(name, images):
    start = SimCLR(3, **PRETEXT).fit(images).start_
    before = start.digest
    model = METHODS[name](start=start, epochs=0).fit(images)
    np.testing.assert_allclose(
        model.transform(images), start.autoencoder.eval().encoder(images).detach(), rtol=1e-5, atol=1e-6
    )
    trained = METHODS[name](start=start, epochs=1).fit(images)
    assert start.digest == before and not np.allclose(trained.transform(images), model.transform(images))
    assert not np.allclose(METHODS[name](epochs=0).fit(images).transform(images), model.transform(images))


@pytest.mark.parametrize("name", ["CC", "SCAN"])
def test_centers_of_a_start_are_not_used(name, images, pretext):
    start = Start(pretext.autoencoder_, torch.zeros(7, 16))
    given, without = (METHODS[name](start=each, epochs=1).fit(images) for each in (start, Start(pretext.autoencoder_)))
    np.testing.assert_array_equal(given.predict_proba(images), without.predict_proba(images))


def test_centers_are_the_means_of_the_clusters(images):
    model = METHODS["CC"]().fit(images)
    codes = model.transform(images)
    for k in np.unique(model.labels_):
        np.testing.assert_allclose(model.cluster_centers_[k], codes[model.labels_ == k].mean(0), rtol=1e-4, atol=1e-5)
    assert model.predict_proba(images).sum(1) == pytest.approx(np.ones(20))


def test_cc_finds_patterns():
    random = np.random.default_rng(0)
    y = np.arange(120) % 3
    across, down = np.meshgrid(np.arange(8), np.arange(8))
    patterns = np.stack([across // 2 % 2, down // 2 % 2, (across + down) // 3 % 2])
    x = (0.2 + 0.6 * patterns[y][:, None] + 0.1 * random.standard_normal((120, 1, 8, 8))).clip(0, 1)
    settings = SMALL | {"width": 4, "epochs": 25, "batch_size": 40, "view": Augmentation(crop=0.7)}
    model = CC(3, **settings, projection_dim=8).fit(x.astype(np.float32))
    assert accuracy(y, model.labels_) > 0.9


# --- what they refuse ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("CC", {"projection_dim": 0}, "projection_dim must be at least 1, not 0"),
        ("PICA", {"width": 0}, "width of a resnet-9 must be a whole number of at least 1, not 0"),
        ("CC", {"width": 1.5}, "width of a resnet-9 must be a whole number"),
        ("DAC", {"architecture": "dac", "width": -5}, "width of dac must be above 0, not -5"),
        ("DAC", {"lower": "low"}, "lower of DAC must be a number, not 'low'"),
        ("CC", {"temperature": 0}, "temperatures must be above 0"),
        ("CC", {"balance": -1}, "at least 0"),
        ("CC", {"instance": 0, "cluster": 0, "balance": 0}, "one of the weights"),
        ("CC", {"architecture": "resnet-50"}, "architecture must be one of"),
        ("CC", {"epochs": -1}, "epochs must be at least 0"),
        ("CC", {"lr": 0}, "lr above 0"),
        ("CC", {"batch_size": 1}, "batch_size must be at least 2"),
        ("CC", {"view": None}, "view must be a view"),
        ("PICA", {"copies": 0}, "copies must be at least 1"),
        ("PICA", {"overclusters": -1}, "overclusters and balance at least 0"),
        ("PICA", {"original": None}, "original must be a view"),
        ("DAC", {"lower": 0.8, "meet": 0.7}, "0 <= lower <= meet <= upper <= 1"),
        ("DAC", {"meet": 0.95}, "0 <= lower <= meet <= upper <= 1"),
        ("DAC", {"pair_loss": "hinge"}, "pair_loss must be one of cross-entropy, squared"),
        ("DAC", {"pair_scale": "mean"}, "pair_scale one of pairs, batch"),
        ("DAC", {"passes": 0}, "passes must be at least 1"),
        ("DAC", {"anchor_scaled": "output"}, "anchor_scaled one of none, target, both"),
        ("DAC", {"block": 21}, "block must be a whole number from 1 to 20, the number of samples, not 21"),
        ("DAC", {"block": 1}, "block must be at least 2: batch normalization needs two images"),
        ("DAC", {"architecture": "dac"}, "images of 10×10 pixels are too small for dac"),
        ("DCCM", {"block": 1}, "block must be at least 2: batch normalization needs two images"),
        ("DCCM", {"link": 1.1}, "link and sure must lie"),
        ("DCCM", {"label": 0, "graph": 0, "local": 0}, "one of them above 0"),
        ("DCCM", {"discriminator": 0}, "discriminator must be at least 1"),
        ("DCCM", {"pairs": "all"}, 'pairs "linked" or "released"'),
        ("DCCM", {"architecture": "resnet-18"}, "needs a trunk with max-pooling"),
        ("SCAN", {"confidence": 1}, "confidence lie in"),
        ("SCAN", {"heads": 0}, "n_neighbors and heads must be at least 1"),
        ("SCAN", {"head_lr": 0}, "head_lr above 0"),
        ("SCAN", {"selflabel_batch_size": 1}, "selflabel_batch_size must be at least 2"),
        ("CC", {"start": ContrastivePretraining(latent_dim=2, widths=(4,), epochs=0)}, "has no instance head"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images):
    with pytest.raises(ValueError, match=message):
        METHODS[name](**change).fit(images)


@every_method
def test_only_images_with_values_from_0_to_1(name, images):
    for bad in (images.flatten(1), images[:, None]):
        with pytest.raises(ValueError, match=r"needs images \(N, C, H, W\)"):
            METHODS[name]().fit(bad)
    with pytest.raises(ValueError, match=r"needs images in \[0, 1\]"):
        METHODS[name]().fit(images * 3)


@every_method
def test_new_images_must_have_values_from_0_to_1(name, images):
    model = METHODS[name](epochs=0).fit(images)
    for answer in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(ValueError, match=r"needs images in \[0, 1\], not in \[0\.\d+, 25\d\.\d+\]"):
            answer(255 * images)


def test_a_value_just_above_1_is_told_as_it_is(images):
    with pytest.raises(ValueError, match=r"not in \[0, 1\.0000002\d*\]; scale or clip them"):
        METHODS["CC"]().fit((images - images.min()) / (images - images.min()).max() * 1.00000024)


def test_a_head_that_is_not_finite_ends_the_fit(images, pretext):
    """All images in one batch: the loss before the only update is finite, and the trunk is frozen."""
    model = TEMI(3, start=pretext.start_, n_neighbors=5, epochs=1, lr=math.inf, device="cpu")
    with pytest.raises(FloatingPointError, match="TEMI diverged in epoch 1"):
        model.fit(images)


def test_an_encoder_without_layers_has_no_pooling(images):
    with pytest.raises(ValueError, match="DCCM needs a trunk with max-pooling"):
        METHODS["DCCM"](start=IdentityEncoder()).fit(images)


@pytest.mark.parametrize(("name", "needed"), [("CC", "no instance head"), ("DCCM", "a trunk with max-pooling")])
def test_a_pretext_without_what_is_needed_is_refused_before_it_is_trained(name, needed, images):
    model = METHODS[name]().fit(images)
    labels = model.labels_
    with pytest.raises(ValueError, match=needed):
        model.set_params(start=SCANS["start"]).fit(images, monitor=pytest.fail)
    np.testing.assert_array_equal(model.labels_, labels)


def test_an_estimator_as_start_is_told_of_its_start(images, pretext):
    with pytest.raises(TypeError, match="not SimCLRPretext: give its start_, after fit"):
        METHODS["SCAN"](start=pretext).fit(images)


VIEWS = {
    "fewer images": (lambda x, noise: x[:-1], r"not to \(1, 3, 10, 10\)"),
    "other sizes": (lambda x, noise: x[..., ::2], r"not to \(2, 3, 10, 5\)"),
    "arrays": (lambda x, noise: x.numpy(), "not to an object of ndarray"),
    "a class": (Strong, r"such as Strong\(\) from .* not <class"),
    "half the precision": (lambda x, noise: x.half(), "torch.float16"),
    "changed in place": (lambda x, noise: x.mul_(0.5), "must return new ones"),
    "brighter": (lambda x, noise: 10 * x, r"not to \[.*, 9\."),
    "NaN": (lambda x, noise: x * math.nan, "nan"),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("what", VIEWS)
def test_a_view_gives_images_like_those_it_takes(name, what, images):
    view, message = VIEWS[what]
    parameters = {"CC": "view"} | {"PICA": "original"}
    with pytest.raises(ValueError, match=f"{parameters.get(name, 'view')} .*{message}"):
        METHODS[name](**{parameters.get(name, "view"): view}).fit(images)


class Encoder(nn.Module):
    """A network given by its encoder alone, as a user may write it."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder


ENCODERS = {
    "maps": (nn.Conv2d(3, 4, 3), r"code of shape \(1, d\), float32, not shape \(1, 4, 8, 8\)"),
    "another size": (nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), r"fails on a sample of shape \(3, 10, 10\): mat1"),
    "float64": (nn.Sequential(nn.Flatten(), nn.Linear(300, 2)).double(), "fails on a sample"),
    "two outputs": (nn.LSTM(10, 2), "fails on a sample|not tuple"),
    "NaN": (nn.Sequential(nn.Flatten(), nn.Linear(300, 2)), "numbers that are not finite"),
}
nn.init.constant_(ENCODERS["NaN"][0][1].bias, math.nan)


@pytest.mark.parametrize("what", ENCODERS)
def test_an_encoder_that_gives_no_codes_is_refused(what, images):
    encoder, message = ENCODERS[what]
    for method in (CC(3, start=Encoder(encoder)), DCSS(3, start=Encoder(encoder), phase1_epochs=0)):
        with pytest.raises(ValueError, match=message):
            method.fit(images)


def test_a_decoder_that_gives_no_samples_is_refused(images):
    """One output would be compared with all pixels, with no more than a warning of torch."""
    network = Encoder(nn.Sequential(nn.Flatten(), nn.Linear(300, 2)))
    for decoder, message in (
        (nn.Linear(2, 1), r"a sample of shape \(1, 300\), .*, not shape \(1, 1\)"),
        (nn.Linear(3, 300), "the decoder given as start fails on a code of dimension 2: mat1"),
    ):
        network.decoder = decoder
        with pytest.raises(ValueError, match=message):
            DCSS(3, start=network).fit(images)
    network.decoder = nn.Sequential(nn.Linear(2, 300), nn.Unflatten(1, (3, 10, 10)))
    DCSS(3, start=network, phase1_epochs=1, phase2_epochs=0).fit(images)
