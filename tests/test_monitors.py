"""What a monitor may return and read, at any epoch, without harm to the fit or to the saved model."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from dcbook.evaluation import Diagnose, accuracy
from dcbook.methods import (
    DEC,
    PAC,
    TEMI,
    AEKMeans,
    IterativeClassification,
    KMeans,
    Pretraining,
    RDCReconstruction,
    load_model,
)
from dcbook.models import IdentityEncoder
from tests.test_methods import METHODS, brief

IMAGES = np.random.default_rng(0).random((66, 1, 4, 4), dtype=np.float32)
X = np.random.default_rng(0).random((40, 6), dtype=np.float32)
RECIPE = Pretraining(widths=(4,), latent_dim=2, epochs=2, batch_size=8, restarts=1)
MODELS = [
    KMeans(2, random_state=0),
    DEC(2, start=RECIPE, max_updates=5, batch_size=8, random_state=0, progress=False),
]
GIVEN = {"a": np.float32(0.5), "b": np.int64(2), "c": torch.tensor(0.25), "d": np.array([3.0]), "e": True, "f": None}


@pytest.mark.parametrize("model", MODELS, ids=["k-means", "DEC"])
def test_numbers_of_any_library_become_plain_and_are_saved(model, tmp_path):
    model.fit(X, monitor=lambda _: GIVEN)
    for entry in model.history_:
        assert {name: entry[name] for name in GIVEN} == {"a": 0.5, "b": 2, "c": 0.25, "d": 3.0, "e": True, "f": None}
    assert json.loads(json.dumps(model.history_)) == model.history_
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").history_ == model.history_


@pytest.mark.parametrize("model", MODELS, ids=["k-means", "DEC"])
@pytest.mark.parametrize("value", [np.zeros(2), "good", [1], torch.zeros(3)], ids=str)
def test_what_is_no_number_is_refused_at_the_first_look(model, value):
    with pytest.raises(TypeError, match="a monitor must return numbers by name, but 'x' is "):
        model.fit(X, monitor=lambda _: {"x": value})
    assert len(model.history_) == 1


@pytest.mark.parametrize("model", MODELS, ids=["k-means", "DEC"])
@pytest.mark.parametrize("found", [0.5, "acc", [1.0], {1.0}], ids=str)
def test_what_has_no_names_is_refused(model, found):
    with pytest.raises(TypeError, match="a monitor must return numbers by name, such as"):
        model.fit(X, monitor=lambda _: found)


@pytest.mark.parametrize("model", MODELS, ids=["k-means", "DEC"])
@pytest.mark.parametrize("name", [3, np.int64(3), ("a", "b"), "phase", "epoch"], ids=str)
def test_a_name_that_a_history_cannot_hold_is_refused(model, name):
    with pytest.raises(TypeError, match="a monitor must return numbers by name"):
        model.fit(X, monitor=lambda _: {name: 1.0})


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (KMeans(2), "inertia"),
        (IterativeClassification(2), "moved"),
        (DEC(2, start=RECIPE, max_updates=5), "loss"),
        (PAC(2, start=IdentityEncoder(), epochs=2), "change"),
        (RDCReconstruction(2, start=RECIPE, epochs=2), "distance"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)
def test_numbers_of_the_method_are_not_overwritten(model, name):
    """By which some decide when to stop."""
    with pytest.raises(TypeError, match=f"'{name}' is the name of a number of {type(model).__name__}; give .* another"):
        model.fit(X, monitor=lambda model: {name: -1.0} if name in model.history_[-1] else None)
    assert model.history_[-1][name] >= 0


@pytest.mark.parametrize("model", [*MODELS, IterativeClassification(2)], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("monitor", [Diagnose, {"acc": 0.5}, "acc", 0], ids=str)
def test_what_is_no_monitor_is_refused_before_training(model, monitor):
    model = clone(model)
    with pytest.raises(TypeError, match=r"monitor must be a function of the model, such as Diagnose\(\), or"):
        model.fit(X, monitor=monitor)
    assert not hasattr(model, "history_")


def test_a_monitor_may_predict_where_the_encoder_has_no_weights():
    settings = {"start": IdentityEncoder(), "n_neighbors": 3, "width": 4, "dim": 2, "epochs": 2, "random_state": 0}
    seen = []
    model = TEMI(2, **settings).fit(X, monitor=lambda model: seen.append(model.predict(X)))
    np.testing.assert_array_equal(seen[-1], model.labels_)


@pytest.mark.parametrize("name", METHODS)
def test_a_monitor_may_predict_at_any_epoch(name):
    """And the fit is what it is without."""

    def look(model):
        if hasattr(model, "predict_proba"):
            np.testing.assert_allclose(model.predict_proba(IMAGES[:5]).sum(1), 1, atol=1e-4)
        return {"seen": len(set(model.predict(IMAGES)))}

    seen, alone = brief(name).fit(IMAGES, monitor=look), brief(name).fit(IMAGES)
    np.testing.assert_array_equal(seen.labels_, alone.labels_)
    np.testing.assert_array_equal(seen.transform(IMAGES), alone.transform(IMAGES))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("error", [ValueError, StopIteration, AttributeError])
def test_what_a_monitor_raises_ends_the_fit(name, error):
    seen = []

    def fail(model):
        seen.append(model)
        raise error("of the monitor")

    with pytest.raises(error, match="of the monitor"):
        brief(name).fit(IMAGES, monitor=fail)
    assert len(seen) == 1


CLASSES = np.arange(40) % 3
NAMES = np.array(["oak", "fir", "elm"])[CLASSES]
LABELS = {
    "strings": NAMES,
    "objects": NAMES.astype(object),
    "list": NAMES.tolist(),
    "series": pd.Series(NAMES, index=range(100, 140)),
    "categories": pd.Series(NAMES).astype("category"),
    "categorical": pd.Categorical(NAMES),
    "pandas strings": pd.array(NAMES, dtype="string"),
    "pandas integers": pd.Series(CLASSES, dtype="Int64"),
    "tensor": torch.tensor(CLASSES),
}


DIAGNOSED = {"n_clusters": 3, "start": RECIPE, "max_updates": 5, "batch_size": 8, "random_state": 0}


def diagnosed(labels):
    (seen,) = [entry for entry in DEC(**DIAGNOSED).fit(X, monitor=Diagnose(labels)).history_ if "fr_dynae" in entry]
    return seen


@pytest.mark.parametrize("kind", LABELS)
def test_diagnose_takes_labels_of_any_kind(kind):
    assert diagnosed(LABELS[kind]) == diagnosed(CLASSES)


@pytest.mark.parametrize(
    "labels",
    [np.where(CLASSES == 0, None, NAMES), np.where(CLASSES == 0, np.nan, CLASSES), pd.Series(NAMES).where(CLASSES > 0)],
    ids=["None", "NaN", "pandas"],
)
def test_missing_labels_are_refused_before_training(labels):
    with pytest.raises(ValueError, match="none may be missing"):
        Diagnose(labels)
    with pytest.raises(ValueError, match="none may be missing"):
        accuracy(labels, CLASSES)


def test_diagnose_says_that_it_needs_a_network():
    with pytest.raises(TypeError, match="KMeans has none"):
        KMeans(3).fit(X, monitor=Diagnose(CLASSES))


def test_centers_can_be_read_while_the_network_is_pretrained():
    seen = []
    model = AEKMeans(3, start=RECIPE, random_state=0, progress=False)
    model.fit(X, monitor=lambda m: seen.append((m.cluster_centers_, m.labels_, m.transform(X))))
    assert len(seen) == 2
    for centers, labels, codes in seen:
        nearest = np.square(codes[:, None] - centers).sum(2).argmin(1)
        np.testing.assert_array_equal(labels, nearest)
    alone = AEKMeans(3, start=RECIPE, random_state=0, progress=False).fit(X)
    np.testing.assert_array_equal(alone.cluster_centers_, model.cluster_centers_)
