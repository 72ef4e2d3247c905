"""SPICE, TEMI and PAC, which leave the trunk of their start alone: slow twins, selection, what they refuse."""

import math
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from dcbook import losses
from dcbook.evaluation import accuracy
from dcbook.methods import PAC, SPICE, TEMI, Pretraining, SimCLRPretext, Start
from dcbook.methods.pac import aggregate
from dcbook.methods.spice import labeled_by_prototypes
from dcbook.models import Aggregation, Classifier, IdentityEncoder, UnitClassifier
from dcbook.training import head_clusterer
from dcbook.training.augment import Augmentation
from dcbook.training.inputs import batches, derived_seed, in_batches, stream
from dcbook.training.pretext import codes_of
from dcbook.training.views import Strong

COMMON = {"random_state": 0, "device": "cpu"}
METHODS = {
    "SPICE": lambda **changes: SPICE(
        3, **COMMON | {"heads": 2, "epochs": 2, "batch_size": 5, "block": 12, "repeats": 2, "lr": 0.01} | changes
    ),
    "TEMI": lambda **changes: TEMI(
        3,
        **COMMON
        | {"heads": 2, "width": 6, "dim": 4, "n_neighbors": 3, "epochs": 3, "batch_size": 9, "lr": 0.01}
        | {"teacher_momentum": 0.8}
        | changes,
    ),
    "PAC": lambda **changes: PAC(3, **COMMON | {"epochs": 5} | changes),
}
every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 1, 9, 9, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def pretext(images):
    settings = {"architecture": "resnet-9", "width": 2, "projection_dim": 4, "epochs": 1, "batch_size": 10}
    return SimCLRPretext(3, **settings, **COMMON, n_neighbors=5, fixed_views=3).fit(images)


def fresh_heads(make, n):
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "heads"))
        return nn.ModuleList(make() for _ in range(n))


# --- SPICE ---------------------------------------------------------------------------------------------------------


def rows_by_loops(features, p, share):
    each = max(1, len(p) // p.shape[1])
    found = []
    for k in range(p.shape[1]):
        first = sorted(range(len(p)), key=lambda i, k=k: -p[i, k])[: max(1, int(share * each))]
        prototype = sum(features[i] for i in first) / len(first)
        found.append(sorted(range(len(p)), key=lambda i, c=prototype: -float(features[i] @ c))[:each])
    return found


def test_images_are_labeled_by_prototypes():
    random = torch.Generator().manual_seed(0)
    features, p = normalize(torch.randn(23, 5, generator=random), dim=1), torch.rand(23, 4, generator=random)
    for share in (0.1, 0.5, 1.0):
        assert labeled_by_prototypes(features, p, share).tolist() == rows_by_loops(features, p, share)
    assert labeled_by_prototypes(features[:2], p[:2]).shape == (4, 1), "fewer images than clusters"


@pytest.mark.parametrize("softmaxes", [1, 2])
def test_spice_slow_twin(softmaxes, images):
    """On pixels and three images a prototype: with two, both are equally near."""
    view, network = Augmentation(crop=0.5), IdentityEncoder()
    settings = {"start": network, "view": view, "fixed_views": 3, "softmaxes": softmaxes, "block": 11}
    model = METHODS["SPICE"](**settings, center_share=1.0).fit(images)
    codes = codes_of(network, images, "", n_neighbors=1, n_views=3, view=view, seed=0)
    heads = fresh_heads(lambda: Classifier(81, 3, (81,)), 2)
    optimizer = torch.optim.Adam(heads.parameters(), 0.01)
    order, noise = stream(0, "batches"), stream(0, "views")
    features = normalize(codes.h, dim=1)

    def error(p, k):
        return -p.log_softmax(0)[k] if softmaxes == 2 else -p[k].log()

    lowest = math.inf
    for epoch in range(2):
        total = seen = 0.0
        for block in batches(20, 11, order, images.device):
            which = torch.randint(3, (len(block),), generator=noise)
            taught = [rows_by_loops(features[block], head(codes.h[block]).detach(), 1.0) for head in heads]
            pairs = [[(block[i], which[i], k) for k in range(3) for i in rows[k]] for rows in taught]
            for _ in range(2):
                for part in in_batches(torch.randperm(len(pairs[0]), generator=order), 5):
                    value = 0.0
                    for head, own in zip(heads, pairs, strict=True):
                        for at in part.tolist():
                            i, view, k = own[at]
                            value = value + error(head(codes.views[view, i][None])[0], k) / len(part) / 2
                    optimizer.zero_grad()
                    value.backward()
                    optimizer.step()
                    total, seen = total + value.item() * len(part), seen + len(part)
        assert model.history_[epoch]["loss"] == pytest.approx(total / seen, rel=1e-4)
        values = []
        for head in heads:
            p = head(codes.h).detach()
            rows = rows_by_loops(features, p, 1.0)
            values.append(np.mean([error(p[i], k).item() for k in range(3) for i in rows[k]]))
        assert model.history_[epoch]["selection"] == pytest.approx(min(values), rel=1e-4)
        if min(values) < lowest:
            lowest, best = min(values), deepcopy(heads[int(np.argmin(values))])
    np.testing.assert_allclose(model.predict_proba(images), best(codes.h).detach(), rtol=1e-3, atol=1e-4)


def test_a_monitor_sees_the_labels_of_all_heads(images, pretext):
    seen = []

    def look(model):
        seen.append(model.labels_of_heads())

    model = METHODS["SPICE"](start=pretext.start_, fixed_views=3, epochs=1).fit(images, monitor=look)
    assert seen[0].shape == (2, 20) and any((labels == model.labels_).all() for labels in seen[0])
    with pytest.raises(RuntimeError, match="only during fit"):
        model.labels_of_heads()


def test_spice_may_draw_its_views_anew(images, pretext):
    """From no view but its own: those of the start are refused unless they come from it."""
    drawn = []

    def view(x, noise):
        drawn.append(len(x))
        return x

    METHODS["SPICE"](start=pretext.start_, fixed_views=0, view=view, epochs=1).fit(images)
    assert sum(drawn[1:]) == 20  # the first call looks whether it is a view
    drawn.clear()
    for other in (view, Strong(flip=False)):
        with pytest.raises(ValueError, match=r"but the start holds codes of views by Strong\(.*start without codes"):
            METHODS["SPICE"](start=pretext.start_, fixed_views=3, view=other).fit(images)
    assert drawn == [2]
    drawn.clear()
    METHODS["SPICE"](start=Start(pretext.autoencoder_), fixed_views=3, view=view, epochs=1).fit(images)
    assert sum(drawn[1:]) == 3 * 20


def test_spice_takes_fixed_views_of_unknown_origin(images, pretext, tmp_path):
    pretext.start_.save(tmp_path)
    other = {"fixed_views": 3, "view": Strong(flip=False)}
    with pytest.raises(ValueError, match="but the start holds codes of views by Strong"):
        METHODS["SPICE"](start=tmp_path, **other).fit(images)
    unknown = replace(pretext.start_, codes=replace(pretext.codes_, made_by=None))
    given = METHODS["SPICE"](start=pretext.start_, fixed_views=3).fit(images)
    taken = METHODS["SPICE"](start=unknown, **other).fit(images)
    np.testing.assert_array_equal(given.predict_proba(images), taken.predict_proba(images))


# --- TEMI ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [True, False])
def test_temi_slow_twin(weighted, images, pretext):
    model = METHODS["TEMI"](start=pretext.start_, weighted=weighted, beta=0.7, temperature=0.3).fit(images)
    codes = pretext.codes_
    cosines = torch.nn.functional.cosine_similarity(codes.h[:, None], codes.h, dim=2).fill_diagonal_(-1)
    near = cosines.argsort(1, descending=True)[:, :3]
    assert (near.sort(1).values != codes.neighbors[:, :3].sort(1).values).any()  # those are neighbors in z
    heads = fresh_heads(lambda: UnitClassifier(16, 3, 6, 4, 0.3), 2)
    teachers = deepcopy(heads).requires_grad_(False)
    optimizer = torch.optim.Adam(heads.parameters(), 0.01)
    order, draw = stream(0, "batches"), stream(0, "partners")
    pi = [[1 / 3] * 3 for _ in heads]
    for epoch in range(3):
        totals = [0.0, 0.0]
        for rows in batches(20, 9, order, images.device):
            drawn = torch.randint(3, (len(rows), 1), generator=draw).flatten()
            partners = near[rows, drawn]
            q = [(teacher(codes.h[rows]), teacher(codes.h[partners])) for teacher in teachers]
            weights = [sum(float(a[b] @ c[b]) for a, c in q) / 2 if weighted else 1 for b in range(len(rows))]
            values = []
            for i, head in enumerate(heads):
                for k in range(3):
                    mean = sum(float(each[b, k]) for each in q[i] for b in range(len(rows))) / (2 * len(rows))
                    pi[i][k] = 0.9 * pi[i][k] + 0.1 * mean
                p = head(codes.h[rows]), head(codes.h[partners])
                value = 0.0
                for b in range(len(rows)):
                    for s, t in ((p[0], q[i][1]), (p[1], q[i][0])):
                        inner = sum((s[b, k] * t[b, k]) ** 0.7 / pi[i][k] for k in range(3))
                        value = value - weights[b] * inner.log() / len(rows) / 2
                values.append(value)
                totals[i] += value.item() * len(rows) / 20
            optimizer.zero_grad()
            (sum(values) / 2).backward()
            for head in heads if epoch == 0 else ():
                head.directions.grad.zero_()
                head.lengths.grad.zero_()
            optimizer.step()
            with torch.no_grad():
                for slow, fast in zip(teachers.parameters(), heads.parameters(), strict=True):
                    slow.mul_(0.8).add_(0.2 * fast)
        assert model.history_[epoch]["loss"] == pytest.approx(sum(totals) / 2, rel=1e-3)
    best = teachers[int(np.argmin(totals))]
    np.testing.assert_allclose(model.predict_proba(images), best(codes.h), rtol=1e-2, atol=1e-3)
    np.testing.assert_array_equal(model.transform(images), pretext.transform(images))


def test_temi_may_standardize_its_codes(images, pretext):
    model = METHODS["TEMI"](start=pretext.start_, standardized=True, epochs=1).fit(images)
    torch.testing.assert_close(model.head_.rescaled.shift, pretext.codes_.h.mean(0))
    torch.testing.assert_close(model.head_.rescaled.scale, pretext.codes_.h.std(0))


def test_temi_takes_any_samples_and_any_start():
    x = torch.rand(30, 5, generator=torch.Generator().manual_seed(0))
    for start in (Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=9), IdentityEncoder()):
        assert METHODS["TEMI"](start=start).fit(x).predict_proba(x).shape == (30, 3)


# --- PAC -----------------------------------------------------------------------------------------------------------


def sweep_by_loops(f, p, m):
    """The released update, over N × N distances."""
    n, k = p.shape
    before, distances = p.copy(), 1 - f @ f.T
    for i in range(n):
        s = [sum(distances[i, j] * p[j, c] ** m for j in range(n) if j != i) for c in range(k)]
        least = min(s)
        new = np.array([(least / value) ** (1 / (m - 1)) for value in s])
        p[i] = new / new.sum()
    return np.abs(p - before).sum() / n


@pytest.mark.parametrize("m", [1.01, 1.2, 2.0])
def test_pac_slow_twin(m):
    random = torch.Generator().manual_seed(0)
    f = normalize(torch.randn(15, 4, generator=random, dtype=torch.float64), dim=1)
    p = (torch.randn(15, 3, generator=random, dtype=torch.float64) / 1000).softmax(1)
    other, values = p.clone().numpy(), [losses.aggregation_loss(f, p, m).item()]
    for _ in range(4):
        change = aggregate(f.numpy(), p.numpy(), m)
        assert change == pytest.approx(sweep_by_loops(f.numpy(), other, m), rel=1e-6, abs=1e-12)
        np.testing.assert_allclose(p, other, rtol=1e-6, atol=1e-12)
        values.append(losses.aggregation_loss(f, p, m).item())
    assert all(b <= a + 1e-12 for a, b in pairwise(values)), "each step lowers the loss"


def test_the_head_of_pac_says_what_the_next_update_would():
    random = torch.Generator().manual_seed(0)
    u = torch.randn(15, 4, generator=random, dtype=torch.float64)
    f, p = normalize(u, dim=1), torch.rand(15, 3, generator=random, dtype=torch.float64).softmax(1)
    head = Aggregation(4, 3, m=1.5)
    head.take(f, p**1.5)
    one = p.clone().numpy()
    aggregate(f.numpy(), one, 1.5)
    np.testing.assert_allclose(head(7 * u)[0], one[0], rtol=1e-9)
    assert head(u.float()).dtype == torch.float32


def test_pac_finds_clusters_and_stops():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 90)
    x = (np.eye(3)[y] + 0.1 * random.standard_normal((90, 3))).astype(np.float32)
    model = PAC(3, start=IdentityEncoder(), random_state=0, device="cpu").fit(x)
    assert accuracy(y, model.labels_) == 1
    assert 12 <= len(model.history_) < 100 and model.history_[-1]["change"] < 1e-3
    assert model.history_[0]["loss"] > model.history_[-1]["loss"]
    np.testing.assert_array_equal(model.predict(2 * x), model.labels_)
    assert len(PAC(3, start=IdentityEncoder(), random_state=0, epochs=3).fit(x).history_) == 3


# --- what they promise ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SPICE", "TEMI"])
def test_objectives_are_the_loss_of_the_next_update_and_change_nothing(name, images, pretext):
    told = []

    def ask(model):
        told.append({part: value.item() for part, value in model.objectives(torch.arange(20)).items()})

    settings = {"start": Start(pretext.autoencoder_), "batch_size": 20}
    settings |= {"repeats": 1, "block": 20, "view": lambda x, noise: x} if name == "SPICE" else {"n_neighbors": 1}
    alone, asked = METHODS[name](**settings).fit(images), METHODS[name](**settings).fit(images, monitor=ask)
    assert sum(told[0].values()) == pytest.approx(asked.history_[1]["loss"], rel=1e-4)
    assert set(told[0]) == {"pseudo"}
    np.testing.assert_array_equal(alone.predict_proba(images), asked.predict_proba(images))
    with pytest.raises(RuntimeError, match="only during fit"):
        asked.objectives(torch.arange(3))


@pytest.mark.parametrize("name", ["SPICE", "TEMI"])
def test_they_take_the_codes_of_their_start_or_make_their_own(name, images, pretext, monkeypatch):
    made = []
    monkeypatch.setattr(head_clusterer, "codes_of", lambda *a, **more: made.append(a) or codes_of(*a, **more))
    settings = {"fixed_views": 3} if name == "SPICE" else {}
    before = pretext.start_.digest
    given = METHODS[name](start=pretext.start_, **settings).fit(images)
    assert not made and pretext.start_.digest == before
    own = METHODS[name](start=Start(pretext.autoencoder_), **settings).fit(images)
    assert len(made) == 1
    np.testing.assert_allclose(own.predict_proba(images), given.predict_proba(images), rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match=f"{name} needs a pretext as its start"):
        METHODS[name]().fit(images)


def test_a_last_block_of_spice_has_an_image_for_each_cluster(images, pretext, monkeypatch):
    sizes = []

    def counted(features, *given):
        sizes.append(len(features))
        return labeled_by_prototypes(features, *given)

    monkeypatch.setattr("dcbook.methods.spice.labeled_by_prototypes", counted)
    METHODS["SPICE"](start=pretext.start_, block=9, epochs=1, heads=1, fixed_views=3).fit(images)
    assert sizes == [9, 11, 20], "the last two images are too few for three clusters; then all, for the selection"


@every_method
def test_they_take_a_start_with_another_number_of_centers(name, images, pretext):
    four = replace(pretext.start_, centers=torch.zeros(4, pretext.start_.centers.shape[1]))
    found, usual = (METHODS[name](start=start).fit(images) for start in (four, pretext.start_))
    assert found.cluster_centers_.shape == usual.cluster_centers_.shape
    np.testing.assert_array_equal(found.predict_proba(images), usual.predict_proba(images))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("SPICE", {"heads": 0}, "repeats and heads at least 1"),
        ("SPICE", {"fixed_views": -1}, "fixed_views must be at least 0"),
        ("SPICE", {"center_share": 0}, r"center_share must lie in \(0, 1\]"),
        ("SPICE", {"softmaxes": 3}, "softmaxes be 1 or 2"),
        ("SPICE", {"block": 2}, "block must be at least K = 3, not 2"),
        ("SPICE", {"block": 21}, "block must be a whole number from 1 to 20, the number of samples, not 21"),
        ("TEMI", {"beta": 0}, "beta and temperature above 0"),
        ("TEMI", {"n_neighbors": 0}, "n_neighbors, heads, width and dim must be at least 1"),
        ("TEMI", {"marginal_momentum": 1.1}, "marginal_momentum must lie"),
        ("TEMI", {"teacher_momentum": -1}, "teacher_momentum and marginal_momentum must lie"),
        ("PAC", {"m": 1}, "m must be above 1"),
        ("PAC", {"tol": -1}, "epochs and tol at least 0"),
        ("PAC", {"uniformity": 0}, "uniformity above 0"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images, pretext):
    with pytest.raises(ValueError, match=message):
        METHODS[name](start=pretext.start_, **change).fit(images)
