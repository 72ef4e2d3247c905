"""scikit-learn's own checks of an estimator, for every method: all but those of `NOT_FOR`, and its conventions.

Of estimators of images, `IMAGES_ONLY`, scikit-learn checks only how they are made: it has no images to fit.
"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from torch import nn

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
    LPMF,
    LSSC,
    N2D,
    PAC,
    PICA,
    SCAN,
    SPICE,
    TEMI,
    ACAIPretraining,
    ADECReconstruction,
    AEKMeans,
    DCSS_agg,
    DCSS_u,
    DeepCluster,
    DeepClusterV2,
    DKM_a,
    DynAE,
    IterativeClassification,
    KMeans,
    MiCE,
    MiniBatchKMeans,
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
from tests.test_methods import METHODS, brief

RECIPE = Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=10, restarts=1)
SHORT = {"start": RECIPE, "batch_size": 10, "random_state": 0}
PHASES = SHORT | {"schedule_size": None, "batch_size": 5}
TEACHERS = {"heads": 2, "n_neighbors": 5, "width": 32, "dim": 16, "epochs": 8, "lr": 2e-2, "teacher_momentum": 0.8}
TEACHERS |= {"standardized": True}
ESTIMATORS = [
    KMeans(3, n_init=1),
    MiniBatchKMeans(3, random_state=0),
    MiniBatchKMeans(3, batch_size=None, random_state=0),
    IterativeClassification(3, rounds=2, random_state=0),
    NeighborConsistency(3, epochs=10, width=32, n_neighbors=5, lr=1e-2, batch_size=10, random_state=0),
    LSSC(3, n_init=1),
    LPMF(3, n_init=1, max_iter=10),
    AEKMeans(3, start=RECIPE, random_state=0),
    DEC(3, max_updates=2, **SHORT),
    IDEC(3, max_updates=2, **SHORT),
    DCN(3, epochs=1, **SHORT),
    DKM(3, epochs=1, **SHORT),
    DKM_a(3, epochs=1, **SHORT),
    VaDE(3, epochs=1, likelihood="gaussian", **SHORT),
    VaDE(3, epochs=1, **SHORT),
    DynAE(3, max_updates=2, **SHORT),
    EDESC(3, epochs=1, **SHORT),
    ADECReconstruction(3, warmup_epochs=1, epochs=1, **SHORT),
    SpectralNet(3, siamese_epochs=1, epochs=5, width=16, lr=1e-2, **SHORT),
    GANMM(3, pretraining_rounds=1, rounds=2, lr=1e-2, **SHORT),
    IDECF(3, epochs=2, teacher_lr=1e-2, **SHORT),
    BRB_DEC(3, max_updates=8, every=1, **SHORT),
    BRB_IDEC(3, max_updates=8, every=1, **SHORT),
    BRB_DCN(3, epochs=2, every=1, **SHORT),
    IMSAT(3, width=16, epochs=8, batch_size=10, random_state=0),
    PAC(3, start=RECIPE, random_state=0),
    TEMI(3, **TEACHERS, **SHORT),
    N2D(3, start=RECIPE, manifold="isomap", random_state=0),
    RDCReconstruction(3, epochs=1, **SHORT),
    DCSS(3, phase1_epochs=1, phase2_epochs=1, **PHASES),
    DCSS_u(3, phase1_epochs=1, **PHASES),
    DCSS_agg(3, phase1_epochs=1, **PHASES),
]
IMAGES_ONLY = [SimCLR(3), SimCLRPretext(3), MoCo(3), SwAV(3), DeepClusterV2(3), DeepCluster(3), CC(3)]
IMAGES_ONLY += [IDFD(3), MiCE(3), SPICE(3), PixelNeighbors(3)]
IMAGES_ONLY += [PICA(3), DAC(3), DCCM(3), SCAN(3)]
BEYOND_1 = [
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_readonly_memmap_input",
    "check_n_features_in_after_fitting",
    "check_estimators_dtypes",
    "check_pipeline_consistency",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
    "check_clustering",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit2d_1feature",
    "check_dict_unchanged",
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
    "check_n_features_in",
    "check_fit2d_predict1d",
]


def not_for(estimator):
    """The checks that an estimator fails, with the reason."""
    if isinstance(estimator, LPMF):
        return {"check_clustering": "its data are standardized, and LPMF refuses negative numbers"}
    if isinstance(estimator, DKM) and estimator.annealing:
        return {"check_clustering": "random centers find the clusters only after many more updates"}
    if isinstance(estimator, VaDE) and estimator.likelihood == "bernoulli":
        return dict.fromkeys(BEYOND_1, "its data go beyond 1, and VaDE's default takes pixels in [0, 1]")
    return {}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=not_for)
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("model", IMAGES_ONLY)
def test_estimators_of_images_say_that_they_take_no_tables(model):
    with pytest.warns(SkipTestWarning, match="two_d_array=False"):
        check_estimator(model)


# conventions that the checks leave out

IRIS = load_iris().data
IMAGES = np.random.default_rng(0).random((66, 1, 4, 4), dtype=np.float32)


@pytest.mark.parametrize("name", METHODS)
def test_transform_gives_a_data_frame_of_images_where_one_is_asked_for(name):
    model = brief(name).fit(IMAGES)
    codes = model.transform(IMAGES)
    framed = model.set_output(transform="pandas").transform(IMAGES)
    assert isinstance(framed, pd.DataFrame)
    np.testing.assert_array_equal(framed, codes)
    prefix = type(model).__name__.lower()
    assert list(framed) == list(model.get_feature_names_out()) == [f"{prefix}{i}" for i in range(codes.shape[1])]


def test_the_index_of_a_data_frame_is_kept():
    x = pd.DataFrame(IRIS, index=range(1000, 1150), columns=list("abcd"))
    model = make_pipeline(DEC(3, max_updates=2, **SHORT)).set_output(transform="pandas")
    assert list(model.fit(x).transform(x).index) == list(x.index)


def test_a_grid_search_varies_what_is_inside_of_a_recipe():
    grid = {"start__epochs": [1, 2], "start__widths": [(4,), (8,)], "n_clusters": [2, 3]}
    model = DEC(max_updates=2, **SHORT)
    found = GridSearchCV(model, grid, scoring=lambda m, x, y=None: m.start.epochs + m.n_clusters, cv=2).fit(IRIS)
    assert found.best_params_ == {"start__epochs": 2, "start__widths": (4,), "n_clusters": 3}
    assert len(found.best_estimator_.history_) > 2
    assert model.start is RECIPE and RECIPE.epochs == 1


def test_parameters_of_a_recipe_are_parameters_of_its_method():
    model = DEC(start=RECIPE)
    assert model.get_params()["start__widths"] == (8,)
    assert not any(name.startswith("start__") for name in model.get_params(deep=False))
    assert clone(model).set_params(start__epochs=7, lr=0.5).start == replace(RECIPE, epochs=7)
    assert clone(model).start == RECIPE
    assert model.set_params(start=Pretraining(), start__epochs=3).start == Pretraining(epochs=3)
    assert DEC().set_params(start__epochs=3).start == Pretraining(epochs=3)
    assert DynAE().set_params(start__epochs=3).start == ACAIPretraining(epochs=3)
    assert make_pipeline(model).set_params(dec__start__epochs=9)[0].start.epochs == 9


@pytest.mark.parametrize(
    ("model", "name", "told"),
    [
        (DEC(start=RECIPE), "start__epoch", "Pretraining has no epoch; it has architecture, widths"),
        (DEC(start=nn.Linear(2, 2)), "start__epochs", "changes a recipe, but start is a Linear"),
        (DEC(start="folder"), "start__epochs", "changes a recipe, but start is a str"),
        (DEC(start=RECIPE), "strat__epochs", "Invalid parameter 'strat'"),
        (SimCLR(), "start__epochs", "Invalid parameter 'start'"),
    ],
)
def test_a_parameter_that_is_none_is_refused(model, name, told):
    with pytest.raises(ValueError, match=told):
        model.set_params(**{name: 1})


def test_the_score_of_k_means_is_minus_the_inertia_of_the_data_given():
    model = KMeans(3, random_state=0).fit(IRIS)
    assert model.score(IRIS) == pytest.approx(-model.inertia_)
    expected = sum(min(np.square(row - center).sum() for center in model.cluster_centers_) for row in IRIS[:20])
    assert model.score(IRIS[:20]) == pytest.approx(-expected)
    assert GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3, 4]}).fit(IRIS).best_params_ == {"n_clusters": 4}


@pytest.mark.parametrize(
    ("make", "name", "told"),
    [
        (DCSS_u, "phase2_epochs", "DCSS_u is DCSS with phase2_epochs=0: for another phase2_epochs use DCSS itself"),
        (
            DCSS_agg,
            "phase2_epochs",
            "DCSS_agg is DCSS with phase2_epochs=0, aggregated=True: for another phase2_epochs",
        ),
        (DCSS_agg, "aggregated", "for another aggregated use DCSS itself"),
        (DKM_a, "annealing", "DKM_a is DKM with annealing=True: for another annealing use DKM itself"),
    ],
)
def test_what_a_name_fixes_can_not_be_given(make, name, told):
    with pytest.raises(TypeError, match=told):
        make(3, **{name: 1})


def test_a_method_prints_in_few_words_whatever_it_starts_from():
    trained = AEKMeans(3, start=RECIPE).fit(IRIS)
    recipe = "Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=10, restarts=1)"
    for start, said in [
        (RECIPE, recipe),
        (trained.start_, "Start(FullyConnectedAutoencoder, 3 centers)"),
        (trained.autoencoder_, "Start(FullyConnectedAutoencoder)"),
    ]:
        model = DEC(3, start=start)
        assert " ".join(str(model).split()) == f"DEC(n_clusters=3, start={said})"
        assert model.start is start
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of sections in docstrings that numpydoc doesn't know
        for model in ESTIMATORS + IMAGES_ONLY:
            assert type(model).__name__ in model._repr_html_()
