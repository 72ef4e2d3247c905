"""Parts that others bring: networks of their own, centers from elsewhere, models from machines with a GPU."""

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.methods import (
    DCN,
    DCSS,
    DEC,
    DKM,
    IDEC,
    LPMF,
    LSSC,
    AEKMeans,
    DeepCluster,
    DeepClusterV2,
    DynAE,
    IterativeClassification,
    KMeans,
    RDCReconstruction,
    Start,
    load_model,
)
from dcbook.models import IdentityEncoder
from dcbook.training.start import resolve_start
from dcbook.training.tensor_files import read_tensors, write_tensors

X = np.random.default_rng(0).random((30, 1, 4, 4), dtype=np.float32)
PLAIN = {"batch_size": 10, "random_state": 0, "device": "cpu"}
UPDATES = {"max_updates": 4, "update_interval": 2, "tol": 0}
METHODS = {
    "AE+k-means": lambda start: AEKMeans(3, start=start, random_state=0, device="cpu"),
    "DEC": lambda start: DEC(3, start=start, **UPDATES, **PLAIN),
    "IDEC": lambda start: IDEC(3, start=start, **UPDATES, **PLAIN),
    "DCN": lambda start: DCN(3, start=start, epochs=2, **PLAIN),
    "DKM": lambda start: DKM(3, start=start, epochs=2, **PLAIN),
    "DCSS": lambda start: DCSS(3, start=start, phase1_epochs=1, phase2_epochs=1, schedule_size=None, **PLAIN),
    "DCSS_agg": lambda start: DCSS(3, start=start, aggregated=True, phase1_epochs=1, schedule_size=None, **PLAIN),
    "DynAE": lambda start: DynAE(3, start=start, **UPDATES, **PLAIN),
    "RDCReconstruction": lambda start: RDCReconstruction(3, start=start, epochs=1, **PLAIN),
    "RDC neighbor": lambda start: RDCReconstruction(3, start=start, epochs=1, loss="neighbor", **PLAIN),
}


class Plain(nn.Module):
    """An autoencoder as people write it: images come out, and codes stay inside."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
        self.decoder = nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)))

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Pair(Plain):
    """The same, with the book's `forward`."""

    def forward(self, x):
        u = self.encoder(x)
        return u, self.decoder(u)


def network(cls=Plain):
    torch.manual_seed(0)
    return cls()


@pytest.mark.parametrize("name", METHODS)
def test_forward_of_an_autoencoder_may_return_what_it_likes(name):
    def ask(model):
        parts = model.objectives(torch.arange(10))
        assert all(part.isfinite() for part in parts.values())

    alone, pair = (METHODS[name](network(cls)).fit(X, monitor=ask) for cls in (Plain, Pair))
    assert alone.history_ == pair.history_ and type(alone.autoencoder_) is Plain
    np.testing.assert_array_equal(alone.cluster_centers_, pair.cluster_centers_)


def test_a_foreign_network_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match=r"only networks of dcbook\.models can be saved, not Plain"):
        METHODS["IDEC"](network()).fit(X).save(tmp_path / "model")


@pytest.mark.parametrize("form", [np.float32, np.float64, list, torch.tensor, lambda c: torch.tensor(c).double()])
def test_centers_of_any_form_are_the_same(form):
    centers = np.random.default_rng(1).random((3, 2), dtype=np.float32)
    given = form(centers)
    if isinstance(given, np.ndarray):
        given.flags.writeable = False
    start, plain = Start(network(), given), Start(network(), torch.tensor(centers))
    assert start.centers.dtype == torch.float32 and start.digest == plain.digest
    found = [METHODS["DEC"](each).fit(X).cluster_centers_ for each in (start, plain)]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("centers", "message"),
    [
        ([[0, 0], [1, 1], [np.nan, 2]], "finite numbers, but have NaN or infinity"),
        ([0, 1, 2], r"matrix \(K, d\).*shape \(3,\)"),
        ([[0, 0, 0], [1, 1, 1], [2, 2, 2]], r"centers have 3 dimensions but its encoder's codes have 2"),
        ([[0, 0], [1, 1]], "the start has 2 centers but n_clusters is 3"),
    ],
)
def test_centers_that_do_not_fit_are_refused(centers, message):
    with pytest.raises(ValueError, match=message):
        METHODS["DEC"](Start(network(), np.array(centers, dtype=float))).fit(X)


@pytest.mark.parametrize("training", [True, False])
def test_a_look_at_the_codes_leaves_the_mode_of_a_network(training):
    start = Start(network().train(training), np.zeros((3, 2)))
    assert resolve_start(start, (1, 4, 4), 3)[1].autoencoder.training == training


def test_centers_for_an_encoder_without_weights():
    x = X.reshape(30, 16)
    model = METHODS["AE+k-means"](Start(IdentityEncoder(), x[:3])).fit(x)
    np.testing.assert_array_equal(model.cluster_centers_, x[:3])


@pytest.mark.parametrize("method", [KMeans(3, random_state=0), METHODS["DEC"](IdentityEncoder())])
def test_a_model_from_a_gpu_goes_on_on_the_cpu(method, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    labels = method.set_params(device="cpu").fit(X).labels_
    method.save(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors, described = read_tensors(path, "model", "")
    for device in ("cuda", "cuda:1", "mps"):
        if device == "mps" and torch.backends.mps.is_available():
            continue
        described["parameters"]["device"] = device
        write_tensors(path, tensors, described)
        with pytest.warns(UserWarning, match=f'trained on "{device}", which torch does not find here'):
            model = load_model(tmp_path)
        assert model.device == "cpu"
        np.testing.assert_array_equal(model.predict(X), labels)


def test_a_gpu_of_another_number_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match='device="cuda:3" was asked for, but torch does not find it'):
        KMeans(3, device="cuda:3").fit(X)


@pytest.mark.parametrize("device", ["nope", None, "meta"])
def test_what_is_no_device_is_named(device):
    for method in (KMeans(3), METHODS["DEC"](network())):
        with pytest.raises(ValueError, match=f'device="{device}" was asked for, but torch does not find it here'):
            method.set_params(device=device).fit(X)


IMAGES = np.random.default_rng(0).random((30, 1, 8, 8), dtype=np.float32)
TRUNK = {"width": 0.2, "hidden": 24, "epochs": 1, "batch_size": 10}
CLUSTERINGS = {
    "k-means": KMeans(3),
    "LSSC": LSSC(3, n_landmarks=9),
    "LPMF": LPMF(3, max_iter=5),
    "iterative classification": IterativeClassification(3, rounds=1),
    "DeepCluster": DeepCluster(3, pca_dim=6, **TRUNK),
    "DeepCluster by PIC": DeepCluster(3, pca_dim=6, clustering="pic", **TRUNK),
    "DeepCluster-v2": DeepClusterV2(3, prototypes=5, heads=2, **{"width": 2, "epochs": 1, "batch_size": 10}),
}


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a machine with a GPU, computing there is no error")
@pytest.mark.parametrize("name", CLUSTERINGS)
def test_a_fit_on_the_cpu_asks_for_no_gpu(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    x = IMAGES.reshape(30, 64) if name == "iterative classification" else IMAGES
    model = CLUSTERINGS[name].set_params(device="cpu", random_state=0).fit(x)
    assert len(model.predict(x)) == 30
