"""Targets made of clusters, what they cost and how they change: by hand, and beside what the methods train on."""

import numpy as np
import pandas as pd
import pytest
import torch

from dcbook.book.protocol import IMAGES
from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims import targets as claims
from dcbook.chapters.ssl.watches import Targets, changes
from dcbook.data import load
from dcbook.experiments import Record, summarize
from dcbook.methods import DeepCluster, DeepClusterV2, SwAV, load_model

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
        seen.append(model.targets.cpu().numpy().copy())
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
        assert entry["stability"] == changes(before, now)["stability"], "of the targets that the watch sees"
    seconds = [entry["target_seconds"] for entry in model.history_]
    assert seconds == sorted(seconds) and 0 < seconds[-1] < model.history_[-1]["cpu_seconds"]
    share = model.cluster_seconds_ / model.target_seconds_
    assert 0.8 < share < 1 if name == "SwAV" else 0 < share < 0.95, "all but SwAV make features, too"
    assert not hasattr(model, "_pseudo_labels") and Targets().portrait(model, digits) == {}


def test_a_second_fit_of_a_model_has_no_epoch_before_its_first(digits):
    model = MODELS["SwAV"]().set_params(epochs=2)
    for _ in range(2):
        model.fit(digits.images, monitor=lambda m: Targets().epoch(m, digits))
        assert ["moved" in entry for entry in model.history_] == [False, True]


@pytest.mark.parametrize("name", MODELS)
def test_time_of_targets_survives_an_interruption(name, digits, tmp_path):
    def stop(model):
        if len(model.history_) == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        MODELS[name]().fit(digits.images, monitor=stop, checkpoint=tmp_path / "half")
    spent, alone = [], []

    def keep(where):
        return lambda m: where.append((m.target_seconds_, m.cluster_seconds_))

    MODELS[name]().fit(digits.images, monitor=keep(spent), checkpoint=tmp_path / "half")
    MODELS[name]().fit(digits.images, monitor=keep(alone))
    assert len(spent) < 3, "the second fit goes on"
    for ours, theirs in zip(spent[-1], alone[-1], strict=True):
        assert ours > 0.5 * theirs, "seconds before the interruption count"


@pytest.mark.parametrize("name", MODELS)
def test_time_of_targets_is_saved(name, digits, tmp_path):
    model = MODELS[name]().fit(digits.images)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    for seconds in ("target_seconds_", "cluster_seconds_", "core_seconds_"):
        assert getattr(again, seconds) == getattr(model, seconds) > 0
    model.set_params(epochs=0).fit(digits.images)
    assert model.target_seconds_ < again.target_seconds_, "each fit counts its own"
    assert not hasattr(MODELS[name](), "target_seconds_")


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
    swav = runs[-1]
    images = swav.sampling.get("subset") or IMAGES[swav.dataset][0]
    assert swav.params["frozen_updates"] == images // swav.params["batch_size"]


def run_of(method, seed, moved=0.3, renumbered=0.95, seconds=(2.0, 10.0), nmi=(0.2, 0.5)):
    """A record of two epochs."""
    first = {"used": 6, "class_nmi": nmi[0], "target_seconds": seconds[0] / 2, "cpu_seconds": seconds[1] / 2}
    last = {"used": 5, "class_nmi": nmi[1], "target_seconds": seconds[0], "cpu_seconds": seconds[1]}
    last |= {"stability": 0.7, "moved": moved + seed / 1000, "renumbered": renumbered + seed / 1000}
    run = {"method": method, "dataset": "usps", "seed": seed, "params": {}, "sampling": {}}
    return Record(run, {"acc": 0.5, "nmi": 0.5}, [first, last], {}, {})


def three(**swav):
    """Three seeds of each method; SwAV may differ."""
    swav = {"moved": 0.2, "renumbered": 0.3, "seconds": (0.2, 10.0)} | swav
    return [run_of(name, seed, **(swav if name == "SwAV" else {})) for name in claims.METHODS for seed in range(3)]


def test_judges():
    usual = three()
    for judge in (claims.passes, claims.slower, claims.new_numbers, claims.takes_time, claims.nearer):
        assert judge(usual).verdict == "supported", judge.__name__
    assert claims.passes(three(moved=0.01)).verdict == "contradicted"
    assert claims.slower(three(moved=0.4)).verdict == "contradicted"
    assert claims.new_numbers(three(renumbered=0.8)).verdict == "mixed"
    assert claims.takes_time(three(seconds=(5.0, 10.0))).verdict == "mixed"
    assert claims.nearer(three(nmi=(0.5, 0.4))).verdict == "contradicted"
    with pytest.raises(NotTested, match="no record of DeepCluster"):
        claims.passes([r for r in usual if r.run["method"] == "SwAV"])


def test_table_and_picture():
    records = three()
    row = tables.passing_table(summarize(tables.passing_numbers(records))).iloc[0]
    assert row["method"] == "DeepCluster" and row["time in making targets, %"] == 20 and row["clusters used"] == 5
    assert row["images that change cluster, %"] == pytest.approx(30.1)
    assert (row["NMI with classes, first epoch, %"], row["last epoch, %"]) == (20, 50)
    once = summarize(tables.passing_numbers(records))
    several = tables.passing_table(pd.concat([once, once.assign(dataset="another")]))
    assert (
        "data set" not in tables.passing_table(once) and several["data set"].tolist() == ["USPS"] * 3 + ["another"] * 3
    )
    records[0].history.append(records[0].history[0])
    resumed = tables.passing_table(summarize(tables.passing_numbers(records)))
    assert resumed.loc[0, "in the last epoch, %"] == pytest.approx(30.15), "of the seeds whose last epoch tells it"
    frame = tables.passing(three())
    assert frame["moved"].notna().sum() == 9 and frame["epoch"].max() == 2
    figure = pictures.passing(frame)
    assert [len(axis.lines) for axis in figure.axes[:3]] == [3, 3, 3]
