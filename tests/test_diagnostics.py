"""Diagnostics follow a training, know what they say, and change nothing."""

import math

import numpy as np
import pytest
import torch

from dcbook.chapters.rdc.watches import Diagnostics
from dcbook.data import Dataset, ImageFile
from dcbook.evaluation import (
    Diagnose,
    cluster_dimensions,
    cosines,
    effective_rank,
    latent_variance,
    match,
    shape,
    spectral_gap,
)
from dcbook.evaluation.diagnose import looks_every
from dcbook.experiments import Method, Scale, records, runs, sweep
from dcbook.methods import DCN, DCSS, DEC, IDEC, AEKMeans, DeepCluster, Pretraining, SimCLR, VaDE

K, N = 3, 150
RECIPE = Pretraining(widths=(16,), latent_dim=4, epochs=30, batch_size=32, lr=1e-2)
SHAPE = {"id", "lid", "curvature_gap", "latent_variance", "effective_rank"}
SHORT = {"batch_size": 32, "random_state": 0, "device": "cpu"}
UPDATES = {"max_updates": 30, "update_interval": 10, "tol": 0}  # 5 an epoch
METHODS = {
    "DEC": (DEC, UPDATES, {"fd_dynae"}),
    "IDEC": (IDEC, UPDATES, {"fd_dynae"}),
    "DCN": (DCN, {"epochs": 3}, {"fd_dynae"}),
    "VaDE": (VaDE, {"epochs": 3}, {"fd_dynae"}),
    "DCSS": (DCSS, {"phase1_epochs": 2, "phase2_epochs": 3, "T2": 3, "schedule_size": None}, {"fd_dynae"}),
}


def groups(name="groups", n=N):
    """Three groups in 6 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % K
    points = np.eye(6)[labels] + rng.normal(0, 0.25, (n, 6))
    images = ((points - points.min()) / np.ptp(points)).astype(np.float32).reshape(n, 1, 2, 3)
    return Dataset(name, images, labels)


@pytest.fixture(scope="module")
def start():
    return AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(groups().images).start_


@pytest.mark.parametrize("name", METHODS)
def test_a_diagnosed_training_is_the_same_training(name, start):
    method, options, drift = METHODS[name]
    data = groups()
    alone = method(K, start=start, **options, **SHORT).fit(data.images)
    seen = method(K, start=start, **options, **SHORT).fit(data.images, monitor=Diagnose(data.labels, every=1))
    np.testing.assert_array_equal(seen.transform(data.images), alone.transform(data.images))
    np.testing.assert_array_equal(seen.labels_, alone.labels_)
    for entry, plain in zip(seen.history_, alone.history_, strict=True):
        assert {key: entry[key] for key in plain} == plain
        assert set(entry) - set(plain) == SHAPE | drift | {"fr_dynae", "spectral_gap"}
        assert all(abs(entry[cos]) <= 1 for cos in ("fr_dynae", "fd_dynae"))
    blind = method(K, start=start, **options, **SHORT).fit(data.images, monitor=Diagnose(every=1))
    assert set(blind.history_[-1]) - set(alone.history_[-1]) == SHAPE | drift


def test_the_numbers_are_those_of_the_functions(start):
    data, told = groups(), []

    def twice(model):
        rows = torch.as_tensor(np.random.default_rng(0).permutation(N))
        u, labels = model.transform(data.images), model.predict(data.images)
        dimensions = cluster_dimensions(u[rows], labels[rows])
        few = rows[:64]
        told.append(
            {
                "id": dimensions.id,
                "lid": dimensions.lid,
                "curvature_gap": dimensions.gap,
                "latent_variance": latent_variance(u),
                "effective_rank": effective_rank(u),
                "spectral_gap": spectral_gap(u[rows], data.labels[rows], K),
            }
            | cosines(model, few, labels[few], match(labels, data.labels)[few], ("dynae", "rgae"))
        )
        return Diagnose(data.labels, every=1, variants=("dynae", "rgae"), n_gradients=64)(model)

    model = IDEC(K, start=start, **UPDATES, **SHORT).fit(data.images, monitor=twice)
    for entry, expected in zip(model.history_, told, strict=True):
        assert {name: entry[name] for name in expected} == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_it_looks_at_the_first_epoch_of_a_phase_and_at_every_third_after_it(start):
    phases = {"phase1_epochs": 5, "phase2_epochs": 4, "T2": 2, "schedule_size": None}
    model = DCSS(K, start=RECIPE, **phases, **SHORT).fit(groups().images, monitor=Diagnose(every=3))
    looked = [(entry["phase"], entry["epoch"]) for entry in model.history_ if "id" in entry]
    assert looked == [("phase 1", 1), ("phase 1", 4), ("phase 2", 1), ("phase 2", 4)]


def test_left_to_itself_it_looks_as_often_as_costs_little(start):
    assert [looks_every(n, 1024) for n in (100, 1024, 9298, 70_000, 10**6)] == [100, 100, 12, 2, 1]
    monitor = Diagnose(n_gradients=4)  # of 150 samples: every third epoch
    model = DEC(K, start=start, **UPDATES, **SHORT).fit(groups().images, monitor=monitor)
    looked = [entry["epoch"] for entry in model.history_ if "id" in entry]
    assert len(model.history_) >= 4 and looked == [each["epoch"] for each in model.history_][::3]


def test_in_phase_2_of_dcss_the_clusters_are_those_of_mnet(start):
    """Their numbers are not those of the centers, so each cluster's place is the mean of its codes."""
    told = []

    def look(model):
        u, labels = model.transform(groups().images), model.labels_
        told.append((model.history_[-1]["phase"], model._latent_centers.numpy(), u, labels, model.cluster_centers_))

    phases = {"phase1_epochs": 1, "phase2_epochs": 6, "T2": 2, "schedule_size": None, "mnet_lr": 0.03}
    DCSS(K, start=start, **phases, **SHORT).fit(groups().images, monitor=look)
    assert {phase for phase, *_ in told} == {"phase 1", "phase 2"}
    for phase, places, u, labels, centers in told:
        if phase == "phase 1":
            np.testing.assert_array_equal(places, centers)
        else:
            means = [u[labels == k].mean(0) if (labels == k).any() else u.mean(0) for k in range(K)]
            np.testing.assert_allclose(places, means, atol=1e-5)


def test_a_learner_that_tells_no_objectives_still_has_a_shape():
    images = np.random.default_rng(0).random((60, 1, 8, 8), dtype=np.float32)
    settings = {"width": 2, "projection_dim": 4, "epochs": 1, "lr": 1e-3} | SHORT
    model = SimCLR(2, **settings).fit(images, monitor=Diagnose(np.arange(60) % 2))
    assert {"effective_rank", "latent_variance", "spectral_gap"} <= set(model.history_[0])
    assert not any(name.startswith(("fr", "fd")) for name in model.history_[0])


def test_deepcluster_tells_what_its_clusters_teach():
    images, classes = np.random.default_rng(0).random((60, 1, 8, 8), dtype=np.float32), np.arange(60) % 2
    settings = {"width": 0.1, "hidden": 16, "pca_dim": 4, "dropout": 0.0, "sobel": False, "epochs": 2} | SHORT
    told = []

    def look(model):
        rows = torch.arange(60)
        centers, u = model._latent_centers, model.transform(images)
        for k, center in enumerate(centers):
            np.testing.assert_allclose(center, u[model.labels_ == k].mean(0), rtol=1e-4, atol=1e-5)
        own = torch.as_tensor(model.labels_)
        model.autoencoder_.eval()
        with torch.no_grad():
            scores = model.autoencoder_.head(torch.as_tensor(u))
            told.append((model.objectives(rows)["pseudo"].item(), -scores.log_softmax(1)[rows, own].mean().item()))
        return Diagnose(classes, every=1)(model)

    model = DeepCluster(2, **settings).fit(images, monitor=look)
    for loss, expected in told:
        assert loss == pytest.approx(expected, rel=1e-4)
    assert all(abs(entry["fr_dynae"]) <= 1 and "fd_dynae" not in entry for entry in model.history_)


def test_few_codes_leave_out_what_they_cannot_measure(start):
    monitor = Diagnose(groups().labels, every=1, n_codes=5)
    last = DEC(K, start=start, **UPDATES, **SHORT).fit(groups().images, monitor=monitor).history_[-1]
    assert {"effective_rank", "fr_dynae"} <= set(last) and not {"spectral_gap", "id", "lid"} & set(last)


def test_what_it_refuses(start, tmp_path):
    with pytest.raises(ValueError, match="variants must be some of"):
        Diagnostics(variants=("ADEC",))
    with pytest.raises(ValueError, match="at least 1"):
        Diagnose(every=0)
    np.save(tmp_path / "x.npy", np.zeros((40, 1, 8, 8), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None])
    deepcluster = DeepCluster(2, width=0.1, hidden=16, pca_dim=4, epochs=1, **SHORT)
    with pytest.raises(TypeError, match="Diagnose needs samples in memory: give fit an array, not ImageFile"):
        deepcluster.fit(ImageFile(tmp_path / "x.npy"), monitor=Diagnose())
    with pytest.raises(ValueError, match="one label for each of the 150 samples"):
        DEC(K, start=start, **UPDATES, **SHORT).fit(groups().images, monitor=Diagnose(np.zeros(149)))


def test_the_record_of_a_watched_run(tmp_path):
    scale = Scale(
        datasets={"groups": {}},
        seeds=(0,),
        starts={"autoencoder": Method(AEKMeans, {"start": RECIPE})},
        methods={
            "AE+k-means": Method(AEKMeans, start="autoencoder", watch=Diagnostics()),
            "IDEC": Method(IDEC, UPDATES | {"batch_size": 32}, start="autoencoder", watch=Diagnostics(every=2)),
        },
        monitor_every=1,
    )
    given = {"starts_folder": tmp_path / "starts", "load": groups, "n_jobs": 1, "device": "cpu", "progress": False}
    grid = runs(scale)
    assert sweep(grid, tmp_path / "records", **given).complete
    before, idec = (records.read(records.path_of(run.identity, tmp_path / "records")) for run in grid)
    assert [("fd_dynae" in entry, "acc" in entry) for entry in idec.history] == [(True, True), (False, True)] * 3
    assert set(before.portrait["shape"]) == set(idec.portrait["shape"]) == SHAPE | {"spectral_gap"}
    assert before.portrait["shape"]["id"] != idec.portrait["shape"]["id"]
    assert "every 2 epochs, dynae" in idec.run["watch"]
    model = AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(groups().images)
    data = groups()
    rows = np.random.default_rng(0).permutation(N)
    expected = shape(model.transform(data.images)[rows], model.labels_[rows], data.labels[rows], K)
    assert before.portrait["shape"] == pytest.approx(expected, rel=1e-3)
    assert all(math.isfinite(value) for value in before.portrait["shape"].values())
