"""What every method promises: the scikit-learn contract, blindness to labels, repeatability, survival, saving."""

import warnings
from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from dcbook.evaluation import accuracy, scores
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
    ADECReconstruction,
    AEKMeans,
    ContrastivePretraining,
    DAC_star,
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
    Pretraining,
    RDCReconstruction,
    SimCLR,
    SimCLRPretext,
    SpectralNet,
    Start,
    SwAV,
    VaDE,
    load_model,
)
from dcbook.models import FullyConnectedAutoencoder
from dcbook.training.augment import Augmentation

RECIPE = Pretraining(widths=(32,), latent_dim=3, epochs=20, batch_size=32, lr=1e-2)
SHORT = {"start": RECIPE, "batch_size": 32, "random_state": 0, "device": "cpu"}
VIEWS = {"width": 4, "projection_dim": 8, "lr": 3e-3, "epochs": 3, "crop": 0.8, "jitter": 0.2, "flip": False}
LEARNER = VIEWS | {"batch_size": 32, "random_state": 0, "device": "cpu"}
MILD = Augmentation(crop=0.8, flip=False, jitter=0.2)
HEAD = {"architecture": "resnet-9", "width": 4, "view": MILD, "lr": 1e-2, "epochs": 12}
HEAD |= {"batch_size": 32, "random_state": 0, "device": "cpu"}
MIXTURE = {"embedding_dim": 8, "lr": 0.3, "queue": 64, "teacher_momentum": 0.9}
PRETEXT = {"start": ContrastivePretraining(widths=(32,), latent_dim=8, epochs=10, batch_size=32, crop=0.8, lr=1e-2)}
PRETEXT |= {"view": MILD, "batch_size": 32, "random_state": 0, "device": "cpu"}
TEACHERS = {"heads": 3, "n_neighbors": 10, "width": 32, "dim": 16, "epochs": 20, "lr": 1e-2, "teacher_momentum": 0.8}
TEACHERS |= {"standardized": True}
WHOLE = Augmentation(crop=1, flip=False, jitter=0, grayscale=0)
BLOCKS = HEAD | {"passes": 6, "epochs": 6}
SCANS = {"start": RECIPE} | {
    "view": MILD,
    "epochs": 12,
    "selflabel_epochs": 2,
    "heads": 2,
    "lr": 1e-2,
    "n_neighbors": 10,
}
SCANS |= {"batch_size": 32, "random_state": 0, "device": "cpu"}
CONVNET = {"width": 0.3, "hidden": 32, "pca_dim": 3, "sobel": False, "dropout": 0, "flip": False, "crop": 0.8}
CONVNET |= {"epochs": 3, "batch_size": 32, "random_state": 0, "device": "cpu"}
STILL = {"shift": 0, "rotation": 0}
DYNAMIC = STILL | {"max_updates": 12, "update_interval": 4, "tol": 0}
PHASES = {"phase1_epochs": 2, "schedule_size": None}
METHODS = {
    "k-means": lambda **changes: KMeans(3, **({"random_state": 0} | changes)),
    "mini-batch k-means": lambda **changes: MiniBatchKMeans(
        3, **({"batch_size": 50, "n_init": 5, "random_state": 0} | changes)
    ),
    "LSSC": lambda **changes: LSSC(3, **({"n_landmarks": 30, "random_state": 0} | changes)),
    "LPMF": lambda **changes: LPMF(3, **({"max_iter": 20, "random_state": 0} | changes)),
    "iterative classification": lambda **changes: IterativeClassification(
        3, **({"rounds": 3, "random_state": 0} | changes)
    ),
    "AE+k-means": lambda **changes: AEKMeans(3, **({"start": RECIPE, "random_state": 0} | changes)),
    "DEC": lambda **changes: DEC(3, **(SHORT | {"max_updates": 12, "update_interval": 4} | changes)),
    "IDEC": lambda **changes: IDEC(3, **(SHORT | {"max_updates": 12, "update_interval": 4} | changes)),
    "DCN": lambda **changes: DCN(3, **(SHORT | {"epochs": 3} | changes)),
    "DKM": lambda **changes: DKM(3, **(SHORT | {"epochs": 3} | changes)),
    "DKM_a": lambda **changes: DKM_a(3, **(SHORT | {"epochs": 40, "lam": 0.01, "lr": 1e-2} | changes)),
    "VaDE": lambda **changes: VaDE(3, **(SHORT | {"epochs": 3} | changes)),
    "DCSS_u": lambda **changes: DCSS_u(3, **(SHORT | PHASES | changes)),
    "DCSS_agg": lambda **changes: DCSS_agg(3, **(SHORT | PHASES | changes)),
    "DCSS": lambda **changes: DCSS(3, **(SHORT | PHASES | {"phase2_epochs": 3, "T2": 1} | changes)),
    "DCSS released": lambda **changes: DCSS(
        3, variant="released", **(SHORT | PHASES | {"phase2_epochs": 3, "T2": 1} | changes)
    ),
    "DynAE": lambda **changes: DynAE(
        3, **(SHORT | STILL | {"max_updates": 12, "update_interval": 4, "tol": 0} | changes)
    ),
    "RDCReconstruction": lambda **changes: RDCReconstruction(3, **(SHORT | STILL | {"epochs": 3} | changes)),
    "EDESC": lambda **changes: EDESC(3, **(SHORT | {"epochs": 3} | changes)),
    "N2D": lambda **changes: N2D(3, **({"start": RECIPE, "manifold": "isomap", "random_state": 0} | changes)),
    "BRB_DEC": lambda **changes: BRB_DEC(3, **(SHORT | {"max_updates": 12, "every": 1} | changes)),
    "BRB_IDEC": lambda **changes: BRB_IDEC(3, **(SHORT | {"max_updates": 12, "every": 1} | changes)),
    "BRB_DCN": lambda **changes: BRB_DCN(3, **(SHORT | {"epochs": 3, "every": 1} | changes)),
    "IDECF": lambda **changes: IDECF(3, **(SHORT | {"epochs": 3, "teacher_lr": 1e-2} | changes)),
    "GANMM": lambda **changes: GANMM(
        3, **(SHORT | {"pretraining_rounds": 4, "rounds": 12, "epoch_rounds": 4, "lr": 1e-3} | changes)
    ),
    "SpectralNet": lambda **changes: SpectralNet(
        3, **(SHORT | {"siamese_epochs": 2, "epochs": 20, "n_neighbors": 10, "width": 32, "lr": 1e-2} | changes)
    ),
    "neighbor consistency": lambda **changes: NeighborConsistency(
        3, **(SHORT | {"start": None, "epochs": 20, "width": 32, "lr": 1e-2} | changes)
    ),
    "ADECReconstruction": lambda **changes: ADECReconstruction(
        3, **(SHORT | STILL | {"warmup_epochs": 1, "epochs": 2} | changes)
    ),
    "SimCLR": lambda **changes: SimCLR(3, **(LEARNER | changes)),
    "SimCLRPretext": lambda **changes: SimCLRPretext(3, **(LEARNER | {"fixed_views": 1} | changes)),
    "CC": lambda **changes: CC(3, **(HEAD | {"projection_dim": 8} | changes)),
    "IDFD": lambda **changes: IDFD(3, **(HEAD | {"embedding_dim": 8, "lr": 0.05} | changes)),
    "MiCE": lambda **changes: MiCE(3, **(HEAD | MIXTURE | changes)),
    "SPICE": lambda **changes: SPICE(3, **(PRETEXT | {"heads": 3, "epochs": 5} | changes)),
    "TEMI": lambda **changes: TEMI(3, **(SHORT | TEACHERS | changes)),
    "IMSAT": lambda **changes: IMSAT(3, **(SHORT | {"start": None, "width": 32, "epochs": 20} | changes)),
    "PAC": lambda **changes: PAC(3, **({"start": RECIPE, "random_state": 0} | changes)),
    "PICA": lambda **changes: PICA(3, **(HEAD | {"overclusters": 6, "copies": 1, "original": WHOLE} | changes)),
    "DAC": lambda **changes: DAC(3, **(BLOCKS | {"upper": 0.95, "lower": 0.7, "meet": 0.8} | changes)),
    "DAC_star": lambda **changes: DAC_star(3, **(BLOCKS | changes)),
    "DCCM": lambda **changes: DCCM(3, **(BLOCKS | {"link": 0.9, "sure": 0.8, "discriminator": 8} | changes)),
    "SCAN": lambda **changes: SCAN(3, **(SCANS | changes)),
    "MoCo": lambda **changes: MoCo(
        3, **(LEARNER | {"queue": 64, "momentum": 0.9, "bn_groups": 2, "epochs": 8} | changes)
    ),
    "SwAV": lambda **changes: SwAV(3, **(LEARNER | {"prototypes": 8, "frozen_updates": 3} | changes)),
    "DeepClusterV2": lambda **changes: DeepClusterV2(3, **(LEARNER | {"prototypes": 8, "heads": 2} | changes)),
    "DeepCluster": lambda **changes: DeepCluster(3, **(CONVNET | changes)),
}
SHALLOW = ("k-means", "mini-batch k-means", "LSSC", "LPMF", "iterative classification")
IMAGES_ONLY = ("SimCLR", "SimCLRPretext", "MoCo", "SwAV", "DeepClusterV2", "DeepCluster")
IMAGES_ONLY += ("CC", "PICA", "DAC", "DAC_star", "DCCM", "SCAN", "IDFD", "MiCE", "SPICE")
DEEP = [name for name in METHODS if name not in SHALLOW]
BATCHED = [name for name in DEEP if name not in ("AE+k-means", "N2D", "PAC")]
LONG = ("DKM_a", "SpectralNet", "neighbor consistency", "TEMI")  # trainings of 20 epochs and more
LEAST = {"GANMM": 0.3}  # which takes hundreds of rounds to find what its own test asks for
every_method = pytest.mark.parametrize("name", METHODS)
every_deep_method = pytest.mark.parametrize("name", DEEP)
every_method_for_vectors = pytest.mark.parametrize("name", [name for name in METHODS if name not in IMAGES_ONLY])
STARTED = [name for name in DEEP if name not in IMAGES_ONLY]
every_method_with_a_start = pytest.mark.parametrize("name", STARTED)


def brief(name, **changes):
    """The method trained for fewer epochs, where the clusters that it finds don't matter."""
    shorter = {"start": replace(RECIPE, epochs=3)} if name in STARTED else {"epochs": 2} if name in IMAGES_ONLY else {}
    shorter |= {"epochs": 8} if name in LONG else {}
    return METHODS[name](**shorter | changes)


@pytest.fixture(scope="module")
def blobs():
    """97 images of 1×4×4 in three groups; 97 = 3·32 + 1 leaves a batch of one sample over."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 97)
    x = random.random((3, 1, 4, 4))[y] + 0.05 * random.standard_normal((97, 1, 4, 4))
    return x.clip(0, 1).astype(np.float32), y


@pytest.fixture(scope="module")
def fitted(blobs):
    """Name → its brief training on the blobs, made once and left as it is."""

    @cache
    def fit(name):
        torch.manual_seed(1)
        return brief(name).fit(blobs[0])

    return fit


def trained_tensors(model):
    networks = [getattr(model, name) for name in ("autoencoder_", "mnet_", "prior_", "head_") if hasattr(model, name)]
    weights = [tensor.numpy() for network in networks for tensor in network.state_dict().values()]
    return [*weights, model.cluster_centers_, model.labels_]


def assert_same(model, other):
    for a, b in zip(trained_tensors(model), trained_tensors(other), strict=True):
        np.testing.assert_array_equal(a, b)


@every_method
def test_estimator_contract(name, blobs):
    x, y = blobs
    model = METHODS[name]()
    assert model.fit(x) is model
    assert model.labels_.shape == (97,) and model.labels_.dtype == np.int64
    assert accuracy(y, model.labels_) > LEAST.get(name, 0.9)
    assert model.cluster_centers_.shape[0] == 3
    assert len(model.transform(x)) == 97
    assert model.history_ and {"phase", "epoch"} <= set(model.history_[0])
    if name not in ("DCSS released", "LPMF"):  # labels from batch statistics; with the graph of the training samples
        np.testing.assert_array_equal(model.predict(x), model.labels_)
    np.testing.assert_array_equal(model.predict(x[:5]), model.predict(x)[:5])
    again = clone(model)
    assert not hasattr(again, "labels_") and again.get_params().keys() == model.get_params().keys()
    np.testing.assert_array_equal(again.fit_predict(x), model.labels_)


@every_method
def test_a_fitted_model_keeps_its_number_of_clusters(name, blobs, fitted):
    """Another `n_clusters` counts from the next fit on."""
    x, model = blobs[0][:9], deepcopy(fitted(name))
    asked = [word for word in ("predict", "transform", "predict_proba") if hasattr(model, word)]
    before = [getattr(model, word)(x) for word in asked]
    for k in (2, 5):
        model.set_params(n_clusters=k)
        for word, expected in zip(asked, before, strict=True):
            np.testing.assert_array_equal(getattr(model, word)(x), expected)
        assert len(model.get_feature_names_out()) == model.transform(x).shape[1]


@every_method
def test_labels_never_enter_fit(name, blobs, fitted):
    x, y = blobs
    permuted = np.random.default_rng(1).permutation(y)
    models = [brief(name).fit(x, labels, monitor=lambda m, t=labels: scores(t, m.labels_)) for labels in (y, permuted)]
    assert_same(*models)
    assert models[0].history_[-1]["acc"] != models[1].history_[-1]["acc"], "the monitor saw two different labelings"
    assert_same(models[0], fitted(name))


@every_method
def test_seed_decides(name, blobs, fitted):
    x, _ = blobs
    torch.manual_seed(2)
    assert_same(fitted(name), brief(name).fit(x))
    if name != "k-means":
        other = brief(name, random_state=1).fit(x)
        assert any((a != b).any() for a, b in zip(trained_tensors(fitted(name)), trained_tensors(other), strict=True))


@every_method_for_vectors
def test_arrays_tensors_bytes_and_flat_images_are_one(name, blobs):
    x, _ = blobs
    x = (x * 255).astype(np.uint8)
    model = brief(name).fit(x)
    as_float = x.astype(np.float32) / np.float32(255)
    for same in (torch.as_tensor(x), as_float, torch.as_tensor(as_float), as_float.reshape(97, 16).astype(np.float64)):
        np.testing.assert_allclose(brief(name).fit(same).cluster_centers_, model.cluster_centers_, rtol=1e-5)


@every_method_for_vectors
def test_pipeline(name, blobs):
    x, y = blobs
    labels = make_pipeline(MinMaxScaler(), METHODS[name]()).fit_predict(x.reshape(97, 16))
    assert accuracy(y, labels) > LEAST.get(name, 0.9)


@every_method
def test_saved_model_is_the_same_model(name, blobs, fitted, tmp_path):
    x, _ = blobs
    model = fitted(name)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert type(again) is type(model) and again.get_params() == model.get_params()
    assert_same(model, again)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.history_ == model.history_
    for name in ("core_seconds_", "seconds_before_", *(f"{size}_" for size in getattr(model, "SIZES", ()))):
        assert getattr(again, name, None) == getattr(model, name, None), name
    named, named_again = ({name for name in vars(each) if name.endswith("_")} for each in (model, again))
    assert named - {"codes_"} == named_again, "all results but the codes of a pretext, which its start_ holds"
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.safetensors"]
    assert_same(model, load_model(tmp_path / "model" / "model.safetensors"))


def test_saving_names_what_a_file_cannot_hold(blobs, fitted, tmp_path):
    x, y = blobs
    for name, changes in {"iterative classification": {"start": y}, "CC": {"view": lambda x, noise: x * 1}}.items():
        model, (lost,) = brief(name, **changes).fit(x), changes
        with pytest.warns(UserWarning, match=f"a file cannot hold the {lost} of {type(model).__name__}, of type"):
            model.save(tmp_path / name)
        assert getattr(load_model(tmp_path / name), lost) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for start in (fitted("DEC").start_, fitted("DEC").autoencoder_, RECIPE):
            METHODS["AE+k-means"](start=start, random_state=np.random.RandomState(0)).fit(x).save(tmp_path / "model")


@every_method
def test_a_refused_fit_leaves_the_model_as_it_was(name, blobs, fitted):
    x, _ = blobs
    model = deepcopy(fitted(name))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(x > 0.5, np.nan, x))
    with pytest.raises(ValueError, match="n_clusters"):
        model.set_params(n_clusters=98).fit(x[:, :, :2])
    assert_same(model.set_params(n_clusters=3), fitted(name))
    assert model.history_ == fitted(name).history_ and model.n_features_in_ == 16
    np.testing.assert_array_equal(model.predict(x), fitted(name).predict(x))


def test_a_fit_leaves_nothing_of_the_one_before(blobs):
    model = MiniBatchKMeans(3, pca_dim=2, random_state=0).fit(blobs[0])
    assert hasattr(model, "whitening_mean_")
    model.set_params(pca_dim=None).fit(blobs[0])
    assert not hasattr(model, "whitening_mean_")


@every_method
def test_bad_data_is_refused_before_training(name, blobs, fitted):
    x, _ = blobs
    with pytest.raises(ValueError, match="NaN"):
        METHODS[name]().fit(np.where(x > 0.5, np.nan, x))
    with pytest.raises(
        ValueError, match="n_clusters must be a whole number from 1 to 97, the number of samples, not 98"
    ):
        METHODS[name]().set_params(n_clusters=98).fit(x)
    with pytest.raises(ValueError, match="16"):
        fitted(name).predict(x[:, :, :3, :])


@pytest.mark.parametrize("name", BATCHED)
def test_batch_larger_than_the_data_is_refused(name, blobs):
    with pytest.raises(
        ValueError, match="batch_size must be a whole number from 1 to 97, the number of samples, not 98"
    ):
        METHODS[name](batch_size=98).fit(blobs[0])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("DCSS", {"zeta": 0.1}, "gamma <= zeta"),
        ("DCSS", {"m": 1}, "m > 1"),
        ("DCSS", {"variant": "ours"}, '"paper", "released" or rows'),
        ("DCSS", {"phase2_epochs": -1}, "at least 0"),
        ("DEC", {"optimizer": "lbfgs"}, '"sgd" or "adam"'),
        ("DEC", {"tol": 2}, "tol must lie"),
        ("DCN", {"lam": -1}, "lam, epochs and initial_count must be at least 0"),
        ("DCN", {"initial_count": -1}, "initial_count"),
        ("DKM", {"alpha": 0}, "lr and alpha above 0"),
        ("VaDE", {"likelihood": "poisson"}, '"bernoulli" or "gaussian"'),
        ("VaDE", {"min_lr": 1}, "0 < min_lr <= lr"),
        ("VaDE", {"decay_every": 0}, "decay_every >= 1"),
        ("DynAE", {"kappa": 0}, "kappa and lr must be above 0"),
        ("DynAE", {"update_interval": 0}, "update_interval >= 1"),
        ("DynAE", {"rotation": -1}, "rotation in"),
        ("RDCReconstruction", {"loss": "pixels"}, "loss must be one of image, latent, neighbor, not 'pixels'"),
        ("RDCReconstruction", {"distance_filter": None}, "distance_filter must be one of mean, median, none"),
        ("RDCReconstruction", {"agreement_filter": "confidence"}, "needs n_clusters above 3, not 3"),
        ("RDCReconstruction", {"stop": "never"}, 'stop must be None, "distance" or a function'),
        ("RDCReconstruction", {"hand_over": 2}, "hand_over in"),
        ("RDCReconstruction", {"n_neighbors": 0}, "n_neighbors and refresh must be at least 1"),
        ("RDCReconstruction", {"gamma": -1}, "gamma must be at least 0"),
        ("IDEC", {"gamma": -1}, "gamma"),
        ("N2D", {"manifold": "tsne"}, "manifold must be one of umap, isomap, none, not 'tsne'"),
        ("N2D", {"clusterer": "gmm"}, "clusterer must be one of mixture, k-means"),
        ("N2D", {"n_components": 0}, "must be at least 1"),
        ("BRB_DEC", {"every": 0}, "every must be at least 1"),
        ("BRB_DCN", {"kept": 1.5}, r"kept in \[0, 1\]"),
        ("BRB_IDEC", {"gamma": -1}, "gamma"),
        ("IDECF", {"variant": "paper"}, '"repaired", "released" or rows of dimensions, elements, attached'),
        ("IDECF", {"m": 1}, "m must be above 1"),
        ("IDECF", {"teacher_lr": 0}, "teacher_lr must be above 0"),
        ("GANMM", {"networks": "mnist"}, "networks must be one of codes, uci, pixels, images, not 'mnist'"),
        ("GANMM", {"softmaxes": 3}, "softmaxes must be 1 or 2, not 3"),
        ("GANMM", {"epoch_rounds": 0}, "epoch_rounds at least 1"),
        ("GANMM", {"clip": 0}, "clip and lr must be above 0"),
        ("SpectralNet", {"n_neighbors": 0}, "n_neighbors at least 1"),
        ("ADECReconstruction", {"adversarial": "port"}, "adversarial must be one of non-saturating, minimax"),
        ("ADECReconstruction", {"warmup_epochs": -1}, "warmup_epochs and epochs must be at least 0"),
        ("EDESC", {"d": 4}, "d must be None or from 1 to 3, the dimension of the codes, not 4"),
        ("EDESC", {"eta": 0}, "eta and lr must be above 0"),
        ("EDESC", {"kl_mean": "batch"}, "kl_mean must be one of elements, samples, not 'batch'"),
        ("IDEC", {"update_interval": 0}, "update_interval"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, blobs):
    with pytest.raises(ValueError, match=message):
        METHODS[name](**change).fit(blobs[0])


def test_bad_recipes_and_starts_are_refused(blobs, fitted):
    x, _ = blobs
    with pytest.raises(ValueError, match="architecture must be one of"):
        Pretraining(architecture="transformer")
    with pytest.raises(TypeError, match="start must be None"):
        DEC(3, start=3, batch_size=32).fit(x)
    with pytest.raises(ValueError, match=r"autoencoder.start.safetensors: there is no such file"):
        DEC(3, start="autoencoder", batch_size=32).fit(x)
    with pytest.raises(ValueError, match=r"takes samples of shape \(9,\), not \(1, 4, 4\)"):
        DEC(3, start=FullyConnectedAutoencoder((9,)), batch_size=32).fit(x)
    start = fitted("AE+k-means").start_
    with pytest.raises(ValueError, match="3 centers but n_clusters is 4"):
        DEC(4, start=start, batch_size=32).fit(x)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_gpu_is_named(blobs):
    with pytest.raises(ValueError, match='device="cuda:0" was asked for'):
        METHODS["DEC"](device="cuda:0").fit(blobs[0])


@every_method_with_a_start
def test_start_is_shared_and_left_alone(name, blobs, fitted, tmp_path):
    x, _ = blobs
    start = fitted("AE+k-means").start_
    before = start.digest
    model = brief(name, start=start).fit(x)
    assert start.digest == before
    assert not any(entry["phase"] == "pretraining" for entry in model.history_)
    start.save(tmp_path / "start")
    assert_same(model, brief(name, start=Start.load(tmp_path / "start")).fit(x))
    assert_same(model, brief(name, start=str(tmp_path / "start")).fit(x))
    assert Start.load(tmp_path / "start").digest == before
    assert_same(model, fitted(name))
    assert_same(model, clone(brief(name, start=start)).fit(x))


def test_altered_start_is_refused_by_name(blobs, fitted, tmp_path):
    fitted("AE+k-means").start_.save(tmp_path / "start")
    weights = tmp_path / "start" / "start.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(ValueError, match=r"start.safetensors is damaged"):
        METHODS["DEC"](start=tmp_path / "start").fit(blobs[0])


def test_dcss_goes_on_from_dcss_u(blobs, fitted):
    x, _ = blobs
    phase1 = fitted("DCSS_u")
    assert_same(fitted("DCSS"), brief("DCSS", start=phase1.start_, phase1_epochs=0).fit(x))


@every_deep_method
@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_interrupted_fit_leaves_a_usable_model(name, epoch, blobs, tmp_path):
    x, _ = blobs

    def ctrl_c(model):
        if len(model.history_) == epoch:
            raise KeyboardInterrupt

    model = METHODS[name]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, monitor=ctrl_c)
    if len(model.history_) < epoch:
        pytest.skip("this method is done before")
    assert model.interrupted_ and any("interrupted" in str(warning.message) for warning in caught)
    assert len(model.history_) == epoch
    assert model.predict(x).shape == (97,) and set(model.labels_) <= {0, 1, 2}
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").interrupted_


@every_method_for_vectors
def test_constant_and_repeated_samples(name):
    x = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    changes = {} if name in SHALLOW else {"start": Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=8)}
    model = METHODS[name](**(changes | ({"batch_size": 8} if name in BATCHED else {}))).fit(x)
    assert np.isfinite(model.cluster_centers_).all()
    if name != "DCSS released":  # its labels depend on the batch a sample falls in
        assert all(len(set(model.labels_[i : i + 10])) == 1 for i in range(0, 40, 10)), "equal samples, equal labels"


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_convolutional_start_on_images_and_flat_start_on_volumes(variant, tmp_path):
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 20)
    short = {
        "batch_size": 10,
        "phase1_epochs": 1,
        "phase2_epochs": 2,
        "T2": 1,
        "schedule_size": None,
        "random_state": 0,
    }
    for shape, architecture in (((3, 16, 16), "convolutional"), ((1, 6, 6, 6), "fully-connected")):
        x = (random.random((2, *shape))[y] + 0.1 * random.random((40, *shape))).astype(np.float32)
        recipe = Pretraining(
            architecture, widths=(16,), latent_dim=4, epochs=5, batch_size=10, released=variant == "released"
        )
        model = DCSS(2, start=recipe, variant=variant, **short).fit(x)
        assert model.transform(x).shape == (40, 4)
        model.save(tmp_path / architecture)
        np.testing.assert_array_equal(load_model(tmp_path / architecture).predict(x), model.predict(x))
    with pytest.raises(ValueError, match="multiple of 4"):
        DCSS(2, start=Pretraining("convolutional", batch_size=10), **short).fit(x)
