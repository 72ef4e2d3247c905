"""Methods whose network says the clusters: a slow twin of the training of each, what they learn, what they refuse."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import accuracy
from dcbook.methods import CC, ContrastivePretraining, SimCLR
from dcbook.models import Classifier, ResNet
from dcbook.training.augment import Augmentation
from dcbook.training.head_clusterer import statistics_kept
from dcbook.training.inputs import batches, derived_seed, stream

SMALL = {"architecture": "resnet-9", "width": 2, "lr": 0.01, "epochs": 2, "batch_size": 9, "random_state": 0}
SMALL |= {"device": "cpu"}
METHODS = {"CC": lambda **changes: CC(3, **SMALL | {"projection_dim": 5} | changes)}
every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


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


# --- the parts of the loss -----------------------------------------------------------------------------------------


def still(x, noise):
    """A view that is the image, so that the loss of an update can be told in advance."""
    return x


@every_method
def test_objectives_are_the_loss_of_the_next_update_and_change_nothing(name, images):
    told = []

    def ask(model):
        told.append({part: value.item() for part, value in model.objectives(torch.arange(20)).items()})

    settings = {"view": still, "batch_size": 20}
    alone, asked = METHODS[name](**settings).fit(images), METHODS[name](**settings).fit(images, monitor=ask)
    assert sum(told[0].values()) == pytest.approx(asked.history_[1]["loss"], rel=1e-4)
    assert set(told[0]) <= {"self", "pseudo"} and "pseudo" in told[0]
    np.testing.assert_array_equal(alone.predict_proba(images), asked.predict_proba(images))
    with pytest.raises(RuntimeError, match="only while fit runs"):
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


@every_method
def test_a_warm_start_is_taken_and_left_alone(name, images):
    start = (
        SimCLR(3, width=2, projection_dim=5, epochs=1, batch_size=9, random_state=0, device="cpu").fit(images).start_
    )
    before = start.digest
    model = METHODS[name](start=start, epochs=0).fit(images)
    np.testing.assert_allclose(
        model.transform(images), start.autoencoder.eval().encoder(images).detach(), rtol=1e-5, atol=1e-6
    )
    trained = METHODS[name](start=start, epochs=1).fit(images)
    assert start.digest == before and not np.allclose(trained.transform(images), model.transform(images))
    assert not np.allclose(METHODS[name](epochs=0).fit(images).transform(images), model.transform(images))


def test_centers_are_the_means_of_the_clusters(images):
    model = METHODS["CC"]().fit(images)
    codes = model.transform(images)
    for k in np.unique(model.labels_):
        np.testing.assert_allclose(model.cluster_centers_[k], codes[model.labels_ == k].mean(0), rtol=1e-4, atol=1e-5)
    assert model.predict_proba(images).sum(1) == pytest.approx(np.ones(20))


def test_without_balance_and_instances_cc_may_collapse_and_with_them_it_finds_patterns():
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
        ("CC", {"temperature": 0}, "temperatures must be above 0"),
        ("CC", {"balance": -1}, "at least 0"),
        ("CC", {"instance": 0, "cluster": 0, "balance": 0}, "one of the weights"),
        ("CC", {"architecture": "resnet-50"}, "architecture must be one of"),
        ("CC", {"epochs": -1}, "epochs must be at least 0"),
        ("CC", {"lr": 0}, "lr above 0"),
        ("CC", {"batch_size": 1}, "batch_size must be at least 2"),
        ("CC", {"view": None}, "view must be a view"),
        ("CC", {"start": ContrastivePretraining(latent_dim=2, widths=(4,), epochs=0)}, "has no instance head"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images):
    with pytest.raises(ValueError, match=message):
        METHODS[name](**change).fit(images)


@every_method
def test_only_images_with_values_from_0_to_1(name, images):
    for bad in (images.flatten(1), images[:, None]):
        with pytest.raises(ValueError, match=r"learns from images \(N, C, H, W\)"):
            METHODS[name]().fit(bad)
    with pytest.raises(ValueError, match=r"needs images in \[0, 1\]"):
        METHODS[name]().fit(images * 3)
