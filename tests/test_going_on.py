"""Every deep method, stopped after any epoch, goes on from its checkpoint and ends as one that was never stopped."""

import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from dcbook.methods import (
    BRB_DCN,
    BRB_DEC,
    BRB_IDEC,
    CC,
    DAC,
    DCCM,
    DCN,
    DCSS,
    DEC,
    DKM,
    EDESC,
    GANMM,
    IDEC,
    IDECF,
    IDFD,
    IMSAT,
    N2D,
    PAC,
    PICA,
    SCAN,
    SPICE,
    TEMI,
    ACAIPretraining,
    ADECReconstruction,
    AEKMeans,
    ContrastivePretraining,
    DeepCluster,
    DeepClusterV2,
    DynAE,
    MiCE,
    MoCo,
    NeighborConsistency,
    PixelNeighbors,
    Pretraining,
    RDCReconstruction,
    SimCLR,
    SimCLRPretext,
    SpectralNet,
    SwAV,
    VaDE,
)
from dcbook.training.deep_clusterer import DeepClusterer

IMAGES = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
COMMON = {"device": "cpu", "progress": False, "batch_size": 16}
RECIPE = {"widths": (6,), "latent_dim": 3, "epochs": 3, "batch_size": 16, "restarts": 2}
START = {"start": Pretraining(**RECIPE)} | COMMON
ADVERSARIAL = {"start": ACAIPretraining(**RECIPE)} | COMMON
SELF_TRAINED = {"max_updates": 10, "update_interval": 4}
PLAIN = {"epochs": 3, "flip": False} | COMMON
RESNET = {"width": 8, "projection_dim": 4, "lr": 0.1} | PLAIN
PHASES = {"phase1_epochs": 3, "phase2_epochs": 3, "T2": 1, "schedule_size": None}
CONTRASTIVE = {"start": ContrastivePretraining(**RECIPE, projection_dim=4), "device": "cpu", "progress": False}
HEAD = {"architecture": "resnet-9", "width": 2, "lr": 1e-2, "epochs": 3} | COMMON
BLOCKS = {"block": 20, "passes": 2}
SCANS = {"start": CONTRASTIVE["start"], "n_neighbors": 4, "heads": 2, "epochs": 2, "selflabel_epochs": 2, "lr": 0.01}
SCANS |= {"confidence": 0.34, "selflabel_batch_size": 20}
FITS = {
    "AE + k-means": (AEKMeans, {"start": Pretraining(**RECIPE), "device": "cpu", "progress": False}),
    "contrastive encoder + k-means": (AEKMeans, CONTRASTIVE),
    "DEC": (DEC, START | SELF_TRAINED),
    "DEC, converged": (DEC, START | {"max_updates": 60, "update_interval": 7, "tol": 0.9}),
    "IDEC": (IDEC, START | SELF_TRAINED),
    "DCN": (DCN, START | {"epochs": 3}),
    "DKM": (DKM, START | {"epochs": 3}),
    "DKM, annealed": (DKM, START | {"epochs": 4, "annealing": True}),
    "VaDE": (VaDE, START | {"epochs": 3, "decay_every": 1}),
    "DCSS": (DCSS, START | PHASES),
    "DCSS, released": (DCSS, START | PHASES | {"variant": "released"}),
    "DynAE": (DynAE, ADVERSARIAL | SELF_TRAINED | {"n_clusters": 4, "kappa": 2.0}),
    "DynAE, frozen critic": (
        DynAE,
        COMMON | SELF_TRAINED | {"start": ACAIPretraining(**RECIPE, critic="frozen"), "n_clusters": 4, "kappa": 2.0},
    ),
    "R-DC": (RDCReconstruction, ADVERSARIAL | {"epochs": 4, "refresh": 2, "n_neighbors": 4}),
    "R-DC, stopping": (
        RDCReconstruction,
        ADVERSARIAL | {"epochs": 9, "stop": "distance", "hand_over": 0.0, "loss": "latent"},
    ),
    "EDESC": (EDESC, START | {"epochs": 3}),
    "EDESC, shuffled": (EDESC, START | {"epochs": 3, "shuffle": True}),
    "N2D": (N2D, {"start": Pretraining(**RECIPE), "manifold": "isomap", "device": "cpu", "progress": False}),
    "BRB, DEC": (BRB_DEC, START | {"max_updates": 10, "update_interval": 4, "every": 2}),
    "BRB, DEC by steps": (BRB_DEC, START | {"max_updates": 10, "every": 1, "optimizer": "sgd"}),
    "BRB, IDEC": (BRB_IDEC, START | SELF_TRAINED | {"every": 1}),
    "BRB, DCN": (BRB_DCN, START | {"epochs": 3, "every": 1}),
    "IDECF": (IDECF, START | {"epochs": 3, "teacher_epochs": 2, "lr": 1e-2}),
    "GANMM": (GANMM, START | {"pretraining_rounds": 3, "rounds": 5, "epoch_rounds": 2, "lr": 1e-3}),
    "SpectralNet": (SpectralNet, START | {"siamese_epochs": 2, "epochs": 2, "width": 8, "n_neighbors": 4}),
    "neighbor consistency": (NeighborConsistency, START | {"epochs": 3, "width": 8, "n_neighbors": 4}),
    "ADEC (reconstruction)": (ADECReconstruction, ADVERSARIAL | {"warmup_epochs": 2, "epochs": 2}),
    "SimCLR": (SimCLR, RESNET),
    "SimCLR, pretext": (SimCLRPretext, RESNET | {"n_neighbors": 3, "fixed_views": 2}),
    "pixel neighbors": (PixelNeighbors, RESNET | {"n_neighbors": 3, "fixed_views": 2}),
    "CC": (CC, HEAD | {"projection_dim": 4}),
    "PICA": (PICA, HEAD | {"overclusters": 5, "copies": 1}),
    "DAC": (DAC, HEAD | BLOCKS | {"upper": 0.95, "lower": 0.7, "meet": 0.8}),
    "DCCM": (DCCM, HEAD | BLOCKS | {"discriminator": 4}),
    "SCAN": (SCAN, COMMON | SCANS),
    "SCAN, frozen heads": (SCAN, COMMON | SCANS | {"frozen_epochs": 3, "epochs": 0, "heads": 3}),
    "CC, warm": (CC, COMMON | {"start": CONTRASTIVE["start"], "epochs": 2, "instance": 0}),
    "IDFD": (IDFD, HEAD | {"embedding_dim": 4}),
    "MiCE": (MiCE, HEAD | {"embedding_dim": 4, "queue": 20, "teacher_momentum": 0.9}),
    "SPICE": (SPICE, CONTRASTIVE | COMMON | {"heads": 2, "block": 20, "repeats": 2, "epochs": 3}),
    "SPICE, new views": (SPICE, CONTRASTIVE | COMMON | {"heads": 2, "block": 20, "epochs": 2, "fixed_views": 0}),
    "TEMI": (TEMI, START | {"heads": 2, "n_neighbors": 4, "width": 6, "dim": 4, "epochs": 3}),
    "IMSAT": (IMSAT, COMMON | {"width": 6, "epochs": 3}),
    "PAC": (PAC, CONTRASTIVE | {"epochs": 4}),
    "MoCo": (MoCo, RESNET | {"queue": 16}),
    "SwAV": (SwAV, RESNET | {"prototypes": 5, "queue": 16, "queue_from": 1}),
    "DeepCluster-v2": (DeepClusterV2, RESNET | {"prototypes": 5}),
    "DeepCluster": (DeepCluster, PLAIN | {"width": 0.1, "hidden": 8, "pca_dim": 4}),
}


def method(name, **more):
    cls, settings = FITS[name]
    return cls(**{"n_clusters": 3} | settings | more)


class Stop(Exception):
    pass


LONG = 1e6  # seconds that an epoch is said to take before a stop


def stop_after(epochs):
    def monitor(model):
        if len(model.history_) == epochs:
            raise Stop
        model.core_seconds_ += LONG
        return look(model)

    return monitor


def look(model):
    return {"most": int(np.bincount(model.labels_).max())}


def assert_same(a, b):
    assert a.history_ == b.history_
    np.testing.assert_array_equal(a.labels_, b.labels_)
    np.testing.assert_array_equal(a.cluster_centers_, b.cluster_centers_)
    for name in ("autoencoder_", "mnet_", "prior_", "head_"):
        if hasattr(b, name):
            theirs = getattr(b, name).state_dict()
            for key, tensor in getattr(a, name).state_dict().items():
                assert torch.equal(tensor, theirs[key]), (name, key)
    np.testing.assert_array_equal(a.predict_proba(IMAGES), b.predict_proba(IMAGES))


@pytest.fixture(scope="module")
def whole():
    """Each fit without a stop, made once."""
    made = {}

    def fitted(name):
        if name not in made:
            made[name] = method(name, random_state=0).fit(IMAGES, monitor=look)
        return made[name]

    return fitted


def test_every_deep_method_is_here():
    import dcbook.methods as methods

    classes = [getattr(methods, name) for name in methods.__all__]
    deep = {cls for cls in classes if isinstance(cls, type) and issubclass(cls, DeepClusterer)}
    assert deep == {cls for cls, _ in FITS.values()}


@pytest.mark.parametrize("name", FITS)
def test_it_goes_on_bit_for_bit_from_any_epoch(name, whole, tmp_path):
    last = len(whole(name).history_)
    for first in range(1, last):  # the second stop, an epoch later, tries a checkpoint that was itself restored
        path = tmp_path / f"state {first}"
        for stop in (first + 1, first + 2):
            if stop <= last:
                with pytest.raises(Stop):
                    method(name, random_state=0).fit(IMAGES, monitor=stop_after(stop), checkpoint=path)
        parts = method(name).fit(IMAGES, monitor=look, checkpoint=path)
        assert parts.random_state is None and parts.seed_ == 0
        assert_same(parts, whole(name))
        assert parts.core_seconds_ > LONG * min(first + 1, last - 1), "of all epochs before the second stop"
    assert_same(method(name).fit(IMAGES, monitor=look, checkpoint=path), whole(name))  # a fit that is finished


@pytest.mark.parametrize("name", ["IDEC", "DCSS", "SimCLR"])
def test_another_fit_and_damage_are_refused(name, tmp_path):
    path = tmp_path / "state"
    method(name, random_state=0).fit(IMAGES, checkpoint=path)
    others = {
        "seed was 0, is 1": (method(name, random_state=1), IMAGES),
        "batch_size was 16, is 15": (method(name, random_state=0, batch_size=15), IMAGES),
        "samples was": (method(name, random_state=0), IMAGES[::-1].copy()),
    }
    if name != "SimCLR":
        shorter = Pretraining(**RECIPE | {"epochs": 2})
        others["start was"] = (method(name, random_state=0, start=shorter), IMAGES)
        others["start was {"] = (
            method(name, random_state=0, start=AEKMeans(3, **FITS["AE + k-means"][1]).fit(IMAGES).start_),
            IMAGES,
        )
    for message, (other, images) in others.items():
        with pytest.raises(ValueError, match=f"is the checkpoint of another fit \\({message}"):
            other.fit(images, checkpoint=path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(12):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(
            ValueError,
            match=r"state is (damaged|not a complete checkpoint).*; give another file, or delete it to begin anew",
        ):
            method(name, random_state=0).fit(IMAGES, checkpoint=path)
    path.write_bytes(content[:100])
    with pytest.raises(ValueError, match="state is not a complete checkpoint"):
        method(name, random_state=0).fit(IMAGES, checkpoint=path)


def test_what_is_no_checkpoint_is_refused_before_training(tmp_path):
    fit = method("AE + k-means", random_state=0).fit(IMAGES)
    fit.save(tmp_path / "model")
    (tmp_path / "notes.txt").write_text("mine")
    wrong = {
        tmp_path: "is a folder; give the path of a file",
        tmp_path / "model" / "model.safetensors": "is not a checkpoint but another file of dcbook",
        tmp_path / "notes.txt": "is not a complete checkpoint .* give another file",
    }
    for path, message in wrong.items():
        with pytest.raises(ValueError, match=message):
            method("DEC", random_state=0).fit(IMAGES, monitor=pytest.fail, checkpoint=path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    for path in (b"state", 3, {"state": 1}, str):
        with pytest.raises(TypeError, match="checkpoint must be the path of a file, or None, not "):
            method("DEC", random_state=0).fit(IMAGES, monitor=pytest.fail, checkpoint=path)
    with pytest.raises(FileExistsError):
        method("DEC").fit(IMAGES, monitor=pytest.fail, checkpoint=tmp_path / "notes.txt" / "state")
    method("DeepCluster", random_state=0).fit(IMAGES, checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"state holds 3 epochs of .*, more than the 2 requested"):
        method("DeepCluster", random_state=0, epochs=2).fit(IMAGES, checkpoint=tmp_path / "state")


def test_kill_9_loses_at_most_an_epoch(whole, tmp_path):
    def fit_and_die():
        def monitor(model):
            if len(model.history_) == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            return look(model)

        method("DCSS", random_state=0).fit(IMAGES, monitor=monitor, checkpoint=tmp_path / "state")

    process = multiprocessing.get_context("fork").Process(target=fit_and_die)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    seen = []
    parts = method("DCSS").fit(IMAGES, monitor=lambda m: seen.append(0) or look(m), checkpoint=tmp_path / "state")
    assert len(seen) == len(parts.history_) - 4
    assert_same(parts, whole("DCSS"))


@pytest.mark.parametrize("name", ["AE + k-means", "SimCLR", "DeepCluster"])
def test_two_fits_without_a_seed_are_two_fits(name, tmp_path):
    seeds = {method(name).fit(IMAGES, checkpoint=tmp_path / f"state {n}").seed_ for n in range(3)}
    assert len(seeds) == 3
