"""Accuracy floors at the quick settings, trained longer: a method that is broken, or does nothing, cannot land."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import shift, zoom

from dcbook.chapters.dcss.grids.benchmark import QUICK
from dcbook.chapters.dcss.grids.sensitivity import small
from dcbook.data import Dataset, load
from dcbook.evaluation import accuracy, nmi
from dcbook.experiments import Method, runs
from dcbook.experiments.worker import estimator
from dcbook.methods import (
    BRB_DCN,
    BRB_DEC,
    BRB_IDEC,
    DCN,
    DCSS,
    DKM,
    IDECF,
    LPMF,
    LSSC,
    N2D,
    ADECReconstruction,
    AEKMeans,
    DCSS_agg,
    DKM_a,
    DynAE,
    Pretraining,
    RDCReconstruction,
    VaDE,
)
from dcbook.models import IdentityEncoder

UPDATES = {"max_updates": 500, "update_interval": 25}
PHASE_1 = {"phase1_epochs": 6}
AGGREGATED = Method(DCSS_agg, QUICK.methods["DCSS_u"].params, start="autoencoder")
LONGER = small(
    replace(QUICK, methods={**QUICK.methods, "DCSS_agg": AGGREGATED}),
    {"DEC": UPDATES, "IDEC": UPDATES, "DCSS_u": PHASE_1, "DCSS_agg": PHASE_1, "DCSS": {"phase2_epochs": 40, "T2": 10}},
    starts={
        "autoencoder": Method(
            AEKMeans, {"start": Pretraining(widths=(100, 100, 400), epochs=50, batch_size=128, lr=2e-3)}
        )
    },
)


def usps_like() -> Dataset:
    """The digits as USPS has them: 16×16 gray levels, each image moved by up to a pixel."""
    digits, random = load("digits"), np.random.default_rng(0)
    images = zoom(digits.images, (1, 1, 2, 2), order=1)
    moved = [shift(image[0], random.integers(-1, 2, 2), order=0) for image in images]
    return Dataset("usps-like", np.stack(moved)[:, None].clip(0, 1).astype(np.float32), digits.labels)


@pytest.fixture(scope="module", params=["digits", "usps-like"])
def fitted(request):
    """The methods that have floors, seed 0, from one shared start; with the data's name and labels."""
    data = load("digits") if request.param == "digits" else usps_like()
    models = {}
    for run in runs(LONGER, [*LOOSE, *TIGHT], seeds=[0]):
        start = run.start and models[run.start.method].start_
        models[run.method] = estimator(run, "cpu", data.n_classes, start).fit(data.images)
        if run.method == "k-means":
            recipe = next(other.start for other in runs(LONGER, ["AE+k-means"], seeds=[0]))
            models[recipe.method] = estimator(recipe, "cpu", data.n_classes).fit(data.images)
    return request.param, data.labels, models


LOOSE, TIGHT = ("k-means", "AE+k-means", "DCSS_u", "DCSS_agg"), ("DEC", "IDEC", "DCSS")
FLOORS = {"digits": {**dict.fromkeys(LOOSE, 0.65), **dict.fromkeys(TIGHT, 0.68)}}
FLOORS["usps-like"] = {**dict.fromkeys(LOOSE, 0.36), **dict.fromkeys(TIGHT, 0.38)}  # harder: the digits move


def test_accuracy(fitted):
    name, labels, models = fitted
    reached = {method: accuracy(labels, models[method].labels_) for method in FLOORS[name]}
    assert all(reached[method] >= floor for method, floor in FLOORS[name].items()), reached


def test_methods_improve_on_the_start_that_they_share(fitted):
    """Seeds 0 to 2 on the digits, NMI: DEC gains 0.03 to 0.04, IDEC 0.04 to 0.07, DCSS over DCSS_u 0.01 to 0.09."""
    name, labels, models = fitted
    if name != "digits":
        pytest.skip("on the moved digits the gain depends on the seed, and on the CPU")
    score = {method: nmi(labels, models[method].labels_) for method in FLOORS[name]}
    assert score["DEC"] > score["AE+k-means"] + 0.01, score
    assert score["IDEC"] > score["AE+k-means"] + 0.01, score
    assert score["DCSS"] > score["DCSS_u"], score


def test_phase_1_draws_the_clusters_together(fitted):
    """By seeds 0 to 3: DCSS_u to 0.77 to 0.81 of the first epoch on digits, 0.74 to 0.91 on moved digits."""
    _, _, models = fitted
    for name in ("DCSS_u", "DCSS_agg"):
        first, last = models[name].history_[0], models[name].history_[-1]
        assert last["centering"] < 0.95 * first["centering"], name


@pytest.mark.parametrize(
    ("method", "schedule", "floor", "gain"),
    [
        (DCN, {"epochs": 20}, 0.67, 0.015),
        (DKM, {"epochs": 20}, 0.67, 0.02),
        (VaDE, {"epochs": 10}, 0.68, 0.02),
        (BRB_DEC, UPDATES | {"every": 20}, 0.68, 0.03),
        (BRB_IDEC, UPDATES | {"every": 20}, 0.68, 0.03),
        (BRB_DCN, {"epochs": 20, "every": 5}, 0.67, 0.0),
        (IDECF, {"epochs": 6, "teacher_lr": 3e-3, "batch_size": 128}, 0.67, -0.03),
        (ADECReconstruction, {"warmup_epochs": 2, "epochs": 6, "batch_size": 128}, 0.62, -0.08),
        (DKM_a, {"epochs": 40, "lr": 3e-3, "lam": 0.01}, 0.35, -0.3),  # few updates: not all random centers are met
    ],
)
def test_accuracy_from_the_shared_start(fitted, method, schedule, floor, gain):
    name, labels, models = fitted
    if name != "digits":
        pytest.skip("the digits tell enough")
    baseline = models["AE+k-means"]
    found = method(10, start=baseline.start_, random_state=0, device="cpu", **schedule).fit_predict(load(name).images)
    assert accuracy(labels, found) >= floor
    assert nmi(labels, found) > nmi(labels, baseline.labels_) + gain


@pytest.mark.parametrize(("manifold", "gain"), [("isomap", 0.01), ("none", -0.02)])
def test_n2d_gains_on_average(fitted, manifold, gain):
    """A single start of EM may end anywhere, so five seeds of it.

    From autoencoders of seeds 0 to 3 their mean NMI gained 0.03 to 0.05 on Isomap's map and 0.00 to 0.05 without one.
    """
    name, labels, models = fitted
    if name != "digits":
        pytest.skip("the digits tell enough")
    baseline, images = models["AE+k-means"], load(name).images
    shared = {"start": baseline.start_, "manifold": manifold, "device": "cpu"}
    found = [N2D(10, random_state=seed, **shared).fit_predict(images) for seed in range(5)]
    assert np.mean([accuracy(labels, each) for each in found]) >= 0.67
    assert np.mean([nmi(labels, each) for each in found]) > nmi(labels, baseline.labels_) + gain


@pytest.fixture(scope="module")
def autoencoder():
    recipe = next(run.start for run in runs(LONGER, ["AE+k-means"], seeds=[0]))
    return estimator(recipe, "cpu", 10).fit(load("digits").images)


@pytest.mark.parametrize(
    ("method", "schedule", "floor"),
    [
        (DynAE, {"max_updates": 200, "update_interval": 20}, 0.79),
        (RDCReconstruction, {"epochs": 4, "lr": 5e-4}, 0.83),
        (RDCReconstruction, {"epochs": 4, "lr": 5e-4, "loss": "neighbor", "n_neighbors": 3}, 0.75),
    ],
)
def test_phase_2_improves_on_its_start_whatever_its_seed(autoencoder, method, schedule, floor):
    """One start alone (accuracy 0.70); phase 2 reached 0.84 to 0.88, 0.89 and 0.80 to 0.81 with the seeds below."""
    digits = load("digits")
    before = nmi(digits.labels, autoencoder.labels_)
    for seed in range(3):
        shared = {"start": autoencoder.start_, "random_state": seed, "device": "cpu", "batch_size": 128}
        found = method(10, **shared, **schedule).fit_predict(digits.images)
        assert accuracy(digits.labels, found) >= floor
        assert nmi(digits.labels, found) > before + 0.02


def test_spectral_and_locality_preserving_methods_see_more_than_k_means(fitted):
    name, labels, models = fitted
    if name != "digits":
        pytest.skip("one data set will do")
    images = load("digits").images
    floor = nmi(labels, models["k-means"].labels_) + 0.06
    for model in (LSSC(10), LSSC(10, variant="released"), LPMF(10, max_iter=30)):
        found = model.set_params(random_state=0, device="cpu").fit_predict(images)
        assert accuracy(labels, found) > 0.77 and nmi(labels, found) > floor, model


def test_mnet_improves_on_what_it_is_put_on_top_of(fitted):
    """AE + k-means + MNet, and MNet on its codes as features of unknown origin: the settings of DCSS here."""
    name, labels, models = fitted
    if name != "digits":
        pytest.skip("one data set will do")
    x, below = load("digits").images, models["AE+k-means"]
    settings = models["DCSS"].get_params() | {"phase1_epochs": 0}
    floor = nmi(labels, below.labels_) + 0.005
    for start, samples in ((below.start_, x), (IdentityEncoder(), below.transform(x))):
        on_top = DCSS(**settings | {"start": start}).fit(samples)
        assert accuracy(labels, on_top.labels_) > 0.68 and nmi(labels, on_top.labels_) > floor
