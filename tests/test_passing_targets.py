"""Targets made of clusters, what they cost and how they change: by hand, and beside what the methods train on."""

import numpy as np
import pytest
import torch

from dcbook.chapters.ssl import grids
from dcbook.chapters.ssl.watches import Targets, changes
from dcbook.data import load
from dcbook.methods import DeepCluster, DeepClusterV2, SwAV

SHARED = {
    "architecture": "alexnet-small",
    "width": 0.25,
    "batch_size": 20,
    "epochs": 3,
    "crop": 0.5,
    "random_state": 0,
    "device": "cpu",
    "progress": False,
}
LATER = {"projection_dim": 8, "prototypes": 6, "lr": 0.1}
MODELS = {
    "DeepCluster": lambda: DeepCluster(6, sobel=False, dropout=0.0, pca_dim=8, **SHARED),
    "DeepCluster-v2": lambda: DeepClusterV2(10, **LATER, **SHARED),
    "SwAV": lambda: SwAV(10, eps=0.05, frozen_updates=5, **LATER, **SHARED),
}


@pytest.fixture(scope="module")
def digits():
    return load("digits", subset=100)


def test_changes_by_hand():
    before = np.array([0, 0, 1, 1])
    assert changes(before, 1 - before) == {"stability": pytest.approx(1), "moved": 0, "renumbered": 1}
    found = changes(before, np.array([0, 0, 0, 1]))
    assert found["moved"] == 0.25 and found["renumbered"] == 0.25 and 0 < found["stability"] < 1


@pytest.mark.parametrize("name", MODELS)
def test_watch_sees_the_targets_of_each_epoch_and_what_they_cost(name, digits):
    seen, modes = [], []

    def look(model):
        modes.append(model.autoencoder_.training)
        seen.append(model.targets.cpu().numpy())
        modes.append(model.autoencoder_.training)
        return Targets().epoch(model, digits)

    model = MODELS[name]().fit(digits.images, monitor=look)
    assert modes[::2] == modes[1::2], "looking changes no mode"
    assert len(seen) == 3 and all(each.shape == (100,) and each.max() < 6 for each in seen)
    first, *later = model.history_
    assert "moved" not in first
    for entry, before, now in zip(later, seen, seen[1:], strict=False):
        assert entry["used"] == len(set(now))
        assert entry["renumbered"] == np.mean(before != now) and 0 <= entry["moved"] <= entry["renumbered"]
    seconds = [entry["target_seconds"] for entry in model.history_]
    assert seconds == sorted(seconds) and 0 < seconds[-1] < model.history_[-1]["cpu_seconds"]
    assert not hasattr(model, "_pseudo_labels") and Targets().portrait(model, digits) == {}


@pytest.mark.parametrize("name", MODELS)
def test_time_of_targets_survives_an_interruption(name, digits, tmp_path):
    def stop(model):
        if len(model.history_) == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        MODELS[name]().fit(digits.images, monitor=stop, checkpoint=tmp_path / "half")
    spent = []
    MODELS[name]().fit(digits.images, monitor=lambda m: spent.append(m.target_seconds_), checkpoint=tmp_path / "half")
    alone = []
    MODELS[name]().fit(digits.images, monitor=lambda m: alone.append(m.target_seconds_))
    assert len(spent) < 3, "the second fit goes on"
    assert spent[-1] > 0.5 * alone[-1], "seconds before the interruption count"


def test_targets_are_those_that_are_trained_on(digits):
    deepcluster, v2, swav = (make() for make in MODELS.values())
    by_history = []
    deepcluster.fit(digits.images, monitor=lambda m: by_history.append(len(set(m.targets.tolist()))))
    assert by_history == [entry["clusters"] for entry in deepcluster.history_]
    kept = []
    v2.fit(digits.images, monitor=lambda m: kept.append((m.targets.clone(), m._prototypes[0].clone())))
    assert kept[0][0].max() < 6 and not torch.equal(kept[0][1], kept[-1][1])
    ends = []
    swav.fit(digits.images, monitor=lambda m: ends.append(m.targets.clone()))
    nearest = (swav.project(digits.images) @ swav.prototypes_.T).argmax(1)
    np.testing.assert_array_equal(ends[-1].numpy(), nearest)


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_runs_share_network_views_and_epochs(scale):
    runs = grids.targets(scale, [0])
    assert [run.method for run in runs] == ["DeepCluster", "DeepCluster-v2", "SwAV"]
    for name in ("architecture", "width", "batch_size", "epochs", "crop", "flip", "jitter", "grayscale"):
        assert len({run.params[name] for run in runs}) == 1, name
    assert len({run.params.get("prototypes", run.params.get("n_clusters")) for run in runs}) == 1
