"""What methods with a trunk and heads train and learn: parts of the loss, warm starts, patterns."""

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import accuracy
from dcbook.methods import (
    CC,
    SimCLR,
    Start,
)
from dcbook.training.augment import Augmentation
from dcbook.training.head_clusterer import statistics_kept
from tests.head_clusterers.conftest import METHODS, PRETEXT, SMALL, every_method


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
