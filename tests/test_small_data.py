"""Data with fewer samples than a batch, or fewer distinct ones than clusters: defaults adapt, and the rest is told."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from dcbook import methods
from dcbook.experiments.runs import Run, settings_of
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
    LSSC,
    ACAIPretraining,
    ADECReconstruction,
    AEKMeans,
    ContrastivePretraining,
    DeepCluster,
    DKM_a,
    DynAE,
    KMeans,
    MoCo,
    Pretraining,
    RDCReconstruction,
    SimCLR,
    SpectralNet,
    VaDE,
    load_model,
)

IRIS = load_iris().data
RECIPE = Pretraining(widths=(8,), latent_dim=2, epochs=1)
PLAIN = {"start": RECIPE, "random_state": 0, "device": "cpu"}
DEFAULTS = {  # the method, and the number of samples in an update that is its own
    "DEC": (DEC(3, max_updates=1, **PLAIN), 256),
    "IDEC": (IDEC(3, max_updates=1, **PLAIN), 256),
    "DCN": (DCN(3, epochs=1, **PLAIN), 256),
    "DKM": (DKM(3, epochs=1, **PLAIN), 256),
    "VaDE": (VaDE(3, epochs=1, likelihood="gaussian", **PLAIN), 100),
    "DCSS": (DCSS(3, phase1_epochs=1, phase2_epochs=1, schedule_size=None, **PLAIN), 500),
    "EDESC": (EDESC(3, epochs=1, **PLAIN), 256),
    "BRB_DEC": (BRB_DEC(3, max_updates=2, every=1, **PLAIN), 256),
    "BRB_IDEC": (BRB_IDEC(3, max_updates=2, every=1, **PLAIN), 256),
    "BRB_DCN": (BRB_DCN(3, epochs=2, every=1, **PLAIN), 256),
    "IDECF": (IDECF(3, epochs=1, **PLAIN), 500),
    "GANMM": (GANMM(3, pretraining_rounds=1, rounds=1, **PLAIN), 50),
    "SpectralNet": (SpectralNet(3, siamese_epochs=1, epochs=1, width=8, **PLAIN), 1024),
    "ADECReconstruction": (ADECReconstruction(3, warmup_epochs=1, epochs=1, **PLAIN), 256),
    "DynAE": (DynAE(3, max_updates=1, **PLAIN), 256),
    "RDCReconstruction": (RDCReconstruction(3, epochs=1, **PLAIN), 256),
}
every_default = pytest.mark.parametrize("name", DEFAULTS)


@every_default
def test_default_batches_adapt_to_iris(name, tmp_path):
    method, usual = DEFAULTS[name]
    model = clone(method).fit(IRIS)
    assert model.batch_size is None and model.batch_size_ == min(usual, 150)
    explicit = clone(method).set_params(batch_size=model.batch_size_).fit(IRIS)
    np.testing.assert_array_equal(model.cluster_centers_, explicit.cluster_centers_)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.batch_size is None and again.start == RECIPE and again.batch_size_ == model.batch_size_


@every_default
def test_given_batches_do_not_adapt(name):
    with pytest.raises(
        ValueError, match=r"^batch_size must be a whole number from 1 to 150, the number of samples, not 151"
    ):
        clone(DEFAULTS[name][0]).set_params(batch_size=151).fit(IRIS)
    with pytest.raises(ValueError, match=r"^the batch_size of Pretraining must be a whole number from 1 to 150"):
        clone(DEFAULTS[name][0]).set_params(start=Pretraining(batch_size=151)).fit(IRIS)


@every_default
def test_settings_tell_the_usual_batch(name):
    """Records were made with these numbers; a default that says nothing would make them look altered."""
    method, usual = DEFAULTS[name]
    assert settings_of(method)["batch_size"] == usual
    assert settings_of(clone(method).set_params(batch_size=7))["batch_size"] == 7


def test_identity_of_a_run_tells_the_usual_batch_of_its_recipe():
    open_, given = (Run("AE", AEKMeans, "usps", 0, "x", {"start": Pretraining(batch_size=n)}) for n in (None, 256))
    assert open_.identity == given.identity and open_.recipe("data") == given.recipe("data")
    assert open_.identity["params"]["start"]["Pretraining"]["batch_size"] == 256


def test_recipes_adapt_alike():
    for recipe in (Pretraining(), ACAIPretraining(), ContrastivePretraining()):
        assert [recipe.sizes(n)["batch_size"] for n in (5, 255, 256, 70_000)] == [5, 255, 256, 256]
    with pytest.raises(ValueError, match="the batch_size of ACAIPretraining must"):
        AEKMeans(3, start=ACAIPretraining(batch_size=151)).fit(IRIS)
    for size in (0, -1):
        with pytest.raises(ValueError, match="sizes, restarts and step must be positive"):
            Pretraining(batch_size=size)
    with pytest.raises(ValueError, match="batch_size at least 2"):
        ContrastivePretraining(batch_size=1)


def test_learners_of_images_adapt():
    x = np.random.default_rng(0).random((20, 1, 8, 8), dtype=np.float32)
    small = {"epochs": 1, "random_state": 0, "device": "cpu"}
    moco = MoCo(2, width=2, projection_dim=4, **small).fit(x)
    assert (moco.batch_size_, moco.queue_) == (20, 20) and settings_of(moco)["queue"] == 4096
    assert SimCLR(2, width=2, projection_dim=4, **small).fit(x).batch_size_ == 20
    assert DeepCluster(2, width=0.1, hidden=8, pca_dim=2, **small).fit(x).batch_size_ == 20
    with pytest.raises(ValueError, match="queue must be a whole number from 1 to 20, the number of samples, not 21"):
        MoCo(2, width=2, projection_dim=4, queue=21, **small).fit(x)


def test_every_method_for_vectors_takes_iris_by_default():
    """No default of any class stops it; only the schedule is cut short."""
    short = {"epochs": 1, "max_updates": 1, "phase1_epochs": 1, "phase2_epochs": 0, "max_iter": 5, "rounds": 1}
    short |= {"siamese_epochs": 1, "warmup_epochs": 1, "pretraining_rounds": 1}
    short |= {"start": RECIPE, "likelihood": "gaussian", "manifold": "isomap", "random_state": 0}
    classes = [getattr(methods, name) for name in methods.__all__ if hasattr(getattr(methods, name), "fit_predict")]
    for cls in classes:
        model = cls(3)
        if model.__sklearn_tags__().input_tags.two_d_array:
            names = set(model.get_params()) - ({"start"} if cls is methods.IterativeClassification else set())
            labels = model.set_params(**{name: value for name, value in short.items() if name in names}).fit_predict(
                IRIS
            )
            assert labels.shape == (150,)
    assert sum(cls(3).__sklearn_tags__().input_tags.two_d_array for cls in classes) >= 12


@pytest.mark.parametrize("method", [KMeans, LSSC, LPMF, lambda k: AEKMeans(k, **PLAIN), lambda k: DEC(k, **PLAIN)])
def test_fewer_distinct_samples_than_clusters_are_told(method):
    x = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    x[5] *= -1
    x[5] *= -1  # zeros become -0
    with pytest.warns(ConvergenceWarning, match=r"x has only 3 distinct samples: only \d of 4 clusters hold samples"):
        method(4).fit(x)


def test_k_distinct_samples_are_enough():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KMeans(3, random_state=0).fit(np.repeat(np.eye(3), 10, axis=0))
        KMeans(3, random_state=0).fit(IRIS)


def test_dead_clusters_are_told():
    """Annealing begins from random centers, most of which no code is near."""
    with pytest.warns(ConvergenceWarning, match=r"^only \d of 8 clusters hold samples") as caught:
        model = DKM_a(8, start=RECIPE, epochs=1, random_state=0, device="cpu").fit(IRIS)
    assert f"only {len(set(model.labels_))} of 8" in str(caught[0].message) and caught[0].filename == __file__


def test_deepcluster_tells_of_fewer_clusters_than_were_asked_for():
    images = np.repeat(np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32), 10, axis=0)
    settings = {"width": 0.1, "hidden": 8, "pca_dim": 2, "epochs": 1, "random_state": 0, "device": "cpu"}
    with pytest.warns(ConvergenceWarning, match="x has only 2 distinct samples: only 2 of 4 clusters hold samples"):
        DeepCluster(4, **settings).fit(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        DeepCluster(4, clustering="pic", **settings).fit(images)  # finds its own number
