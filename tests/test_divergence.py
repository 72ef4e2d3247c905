"""A training that runs away ends with an error that says where, and on what data; never with clusters."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris

from dcbook.data import Dataset
from dcbook.experiments import Method, Scale, runs, sweep
from dcbook.methods import (
    BRB_DCN,
    BRB_DEC,
    BRB_IDEC,
    DCN,
    DCSS,
    DEC,
    DKM,
    EDESC,
    GANMM,
    IDEC,
    IDECF,
    LPMF,
    ACAIPretraining,
    ADECReconstruction,
    AEKMeans,
    DeepCluster,
    DynAE,
    Pretraining,
    RDCReconstruction,
    SimCLR,
    SpectralNet,
    SwAV,
    VaDE,
)

IRIS, DIGITS = load_iris().data, load_digits().data.astype(int) * 16
IMAGES = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
RECIPE = {"widths": (8,), "latent_dim": 2, "epochs": 2, "batch_size": 50, "restarts": 1}
COMMON = {"start": Pretraining(**RECIPE), "random_state": 0, "progress": False, "device": "cpu"}
SHORT = COMMON | {"batch_size": 50}
PHASES = {"schedule_size": None, "phase1_epochs": 3, "phase2_epochs": 2, "T2": 1}
RUNAWAY = {
    "DCSS on 0 to 255": (DCSS, SHORT | PHASES, DIGITS, "phase 1", "lower encoder_lr (1e-05), mnet_lr (0.001), phase1_"),
    "DCSS, step": (DCSS, SHORT | PHASES | {"phase1_lr": 10.0}, IRIS, "phase 1", "phase1_lr (10)"),
    "DynAE": (DynAE, SHORT | {"n_clusters": 4, "max_updates": 40}, IRIS * 1e6, "clustering", "lower lr (0.001)"),
    "VaDE": (VaDE, SHORT | {"epochs": 3, "likelihood": "gaussian"}, IRIS * 1e6, "clustering", "lower lr (0.002)"),
    "DEC": (DEC, SHORT | {"max_updates": 40, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "IDEC": (IDEC, SHORT | {"max_updates": 40, "optimizer": "sgd", "lr": 10.0}, IRIS, "clustering", "lower lr (10)"),
    "DCN": (DCN, SHORT | {"epochs": 3, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "DKM": (DKM, SHORT | {"epochs": 3, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "EDESC": (EDESC, SHORT | {"epochs": 3, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "BRB_DEC": (BRB_DEC, SHORT | {"max_updates": 40, "every": 1, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "BRB_IDEC": (BRB_IDEC, SHORT | {"max_updates": 40, "every": 1, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "BRB_DCN": (BRB_DCN, SHORT | {"epochs": 3, "every": 1, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30)"),
    "IDECF": (IDECF, SHORT | {"epochs": 3, "lr": 1e30}, IRIS, "clustering", "lower lr (1e+30), teacher_lr (0.001)"),
    "GANMM": (GANMM, SHORT | {"pretraining_rounds": 0, "rounds": 3, "lr": 1e30}, IRIS, "clustering", "lr (1e+30)"),
    "SpectralNet": (SpectralNet, SHORT | {"epochs": 3, "width": 8, "lr": 1e30}, IRIS, "siamese", "lower lr (1e+30)"),
    "ADEC (reconstruction)": (
        ADECReconstruction,
        SHORT | {"warmup_epochs": 0, "epochs": 3, "lr": 1e30},
        IRIS,
        "clustering",
        "lower lr (1e+30)",
    ),
    "R-DC": (RDCReconstruction, SHORT | {"epochs": 3, "lr": 1e30}, IRIS, "phase 2", "lower lr (1e+30)"),
    "pretraining": (
        AEKMeans,
        COMMON | {"start": Pretraining(**RECIPE, lr=1e30)},
        IRIS,
        "pretraining",
        "lower lr of the pretraining",
    ),
    "ACAI": (
        AEKMeans,
        COMMON | {"start": ACAIPretraining(**RECIPE, lr=1e30)},
        IRIS,
        "pretraining",
        "of the pretraining",
    ),
}


@pytest.mark.parametrize("name", RUNAWAY)
def test_the_error_names_epoch_range_and_what_to_lower(name):
    cls, settings, x, phase, lower = RUNAWAY[name]
    with pytest.raises(FloatingPointError) as error:
        cls(**{"n_clusters": 3} | settings).fit(x)
    message = str(error.value)
    assert message.startswith(f"{cls.__name__} diverged in epoch ") and f" of {phase}: its " in message
    assert f"x lies in [{x.min():.4g}, {x.max():.4g}]; scale x to [0, 1] or lower " in message and lower in message


@pytest.mark.parametrize(
    "model",
    [
        SimCLR(3, width=8, epochs=2, lr=1e30, batch_size=20, random_state=0, device="cpu"),
        DeepCluster(3, width=0.1, hidden=8, pca_dim=4, epochs=2, lr=1e30, batch_size=20, random_state=0, device="cpu"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_so_do_those_that_learn_from_images(model):
    with pytest.raises(FloatingPointError, match=r"diverged in epoch 1 of .*lower lr \(1e\+30\)"):
        model.fit(IMAGES)


def test_a_checkpoint_keeps_the_last_sound_epoch(tmp_path):
    cls, settings, x, *_ = RUNAWAY["DynAE"]
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="DynAE diverged in epoch 1 of clustering"):
            cls(**settings).fit(x, checkpoint=tmp_path / "state")


def test_codes_that_are_not_finite_are_refused():
    model = AEKMeans(3, **COMMON).fit(IRIS)
    network = model.autoencoder_
    torch.nn.init.constant_(next(network.parameters()), torch.nan)
    with pytest.raises(
        FloatingPointError, match=r"codes that are not finite, or too large, for samples in \[0.1, 7.9\]; scale them"
    ):
        model.predict(IRIS)
    with pytest.raises(ValueError, match="the encoder given as start maps a sample of zeros to numbers that are not"):
        DEC(3, **SHORT | {"start": network}).fit(IRIS)
    for weight in network.encoder.parameters():
        torch.nn.init.constant_(weight, 1e30 if weight.ndim > 1 else 0.0)
    with pytest.raises(FloatingPointError, match="DEC diverged at its start: its codes are not finite"):
        DEC(3, **SHORT | {"start": network}).fit(IRIS)
    with pytest.raises(FloatingPointError, match=r"x lies in \[0.1, 7.9\]; scale x to \[0, 1\]$"):
        AEKMeans(3, **COMMON | {"start": network}).fit(IRIS)  # it has no step to lower


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: DCSS(3, **SHORT | {"alpha": np.nan}).fit(IRIS), "alpha of DCSS"),
        (lambda: DCN(3, **SHORT | {"lam": np.float32("nan")}).fit(IRIS), "lam of DCN"),
        (lambda: SimCLR(3, weight_decay=float("nan")).fit(IMAGES), "weight_decay of SimCLR"),
        (lambda: LPMF(3, lam=float("nan")).fit(IRIS), "lam of LPMF"),
        (lambda: Pretraining(lr=float("nan")), "lr of Pretraining"),
        (lambda: ACAIPretraining(lam=float("nan")), "lam of ACAIPretraining"),
    ],
)
def test_a_hyperparameter_that_is_nan_is_refused(make, name):
    with pytest.raises(ValueError, match=f"{name} must be a number, not"):
        make()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: DEC(3, **SHORT | {"max_updates": 1e4}).fit(IRIS),
            "max_updates of DEC must be a whole number, not 10000",
        ),
        (lambda: DCN(3, **SHORT | {"epochs": 2.5}).fit(IRIS), "epochs of DCN must be a whole number, not 2.5"),
        (lambda: DCSS(3, **SHORT | {"T2": np.inf}).fit(IRIS), "T2 of DCSS must be a whole number, not inf"),
        (lambda: DKM(3, **SHORT | {"lr": "0.1"}).fit(IRIS), "lr of DKM must be a number, not '0.1'"),
        (lambda: LPMF(3, max_iter=1e2).fit(IRIS), "max_iter of LPMF must be a whole number"),
        (lambda: Pretraining(epochs=1e2), "epochs of Pretraining must be a whole number"),
    ],
)
def test_a_number_of_the_wrong_kind_is_refused_before_training(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_a_second_network_that_is_not_finite_ends_the_fit():
    """One update, whose loss is computed before it."""
    settings = COMMON | PHASES | {"phase1_epochs": 0, "phase2_epochs": 1, "batch_size": len(IRIS), "mnet_lr": 3e38}
    with pytest.raises(FloatingPointError, match=r"DCSS diverged in epoch 1 of phase 2: its weights .*hold"):
        DCSS(3, **settings).fit(IRIS)


def test_centers_that_are_not_finite_end_the_fit():
    """Where the loss of the last epochs has no part in them."""

    def harm(model):
        if model.history_[-1]["phase"] == "phase 2":
            model._centers = model._centers * torch.nan

    settings = SHORT | PHASES | {"phase1_epochs": 0, "phase2_epochs": 2, "T2": 0}
    with pytest.raises(FloatingPointError, match=r"DCSS diverged in epoch 2 of phase 2: its .*centers hold"):
        DCSS(3, **settings).fit(IRIS, monitor=harm)


def test_an_error_within_an_epoch_is_told_as_a_divergence():
    swav = SwAV(3, prototypes=6, width=8, epochs=2, lr=1e30, batch_size=20, random_state=0, device="cpu")
    with pytest.raises(FloatingPointError, match=r"SwAV diverged in epoch 1 of .*its network holds numbers"):
        swav.fit(IMAGES)


def test_a_sweep_records_it_as_failed(tmp_path):
    def load(name, **sampling):
        return Dataset(name, IRIS.astype(np.float32), load_iris().target, ("a", "b", "c"), {})

    diverging = {"start": Pretraining(**RECIPE, lr=1e30)}
    scale = Scale({"iris": {}}, (0,), {"AE+k-means": Method(AEKMeans, diverging)})
    result = sweep(runs(scale), tmp_path, starts_folder=tmp_path / "starts", n_jobs=1, load=load, progress=False)
    (failure,) = result.failed
    assert failure.error.startswith("FloatingPointError: AEKMeans diverged in epoch")
    assert not list(tmp_path.glob("iris/*"))
