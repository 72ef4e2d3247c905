"""SimCLR and MoCo: slow twins of their training, and what goes on from them; what all learners from views promise."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import accuracy
from dcbook.methods import DCSS, DEC, AEKMeans, DeepClusterV2, KMeans, MoCo, SimCLR, Start, SwAV, load_model
from dcbook.models import ConvNet, ProjectedConvNet, ResNet
from dcbook.training import contrastive_learner
from dcbook.training.augment import Augmentation
from dcbook.training.inputs import batches, derived_seed, stream
from dcbook.training.optimizers import SGD

SMALL = {"width": 2, "projection_dim": 5, "epochs": 2, "lr": 0.02, "batch_size": 9, "random_state": 0, "device": "cpu"}
LEARNERS = {
    "SimCLR": lambda **changes: SimCLR(3, **SMALL | changes),
    "MoCo": lambda **changes: MoCo(3, **SMALL | {"queue": 12, "momentum": 0.8, "bn_groups": 2} | changes),
    "SwAV": lambda **changes: SwAV(
        3, **SMALL | {"prototypes": 4, "frozen_updates": 2, "queue": 12, "queue_from": 1} | changes
    ),
    "DeepClusterV2": lambda **changes: DeepClusterV2(3, **SMALL | {"prototypes": 6, "heads": 3, "passes": 4} | changes),
}
every_learner = pytest.mark.parametrize("name", LEARNERS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


# --- slow twins ----------------------------------------------------------------------------------------------------


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def fresh(model, images):
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        shape = ("resnet-18", model.width, model.projection_dim, model._head_batch_norm)
        return ResNet(images.shape[1:], *shape).train()


def twin(model, images, loss, after_update=lambda network, step: None, before_epoch=lambda network, draw: None):
    """Plain SGD of torch on `loss(network, view, other view, rows)`, the step on half a cosine."""
    network = fresh(model, images)
    optimizer = torch.optim.SGD(network.parameters(), lr=model.lr, momentum=0.9, weight_decay=model.weight_decay)
    updates = model.epochs * math.ceil(len(images) / model.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    order, noise = stream(0, "batches"), stream(0, "views")
    draw = Augmentation(model.crop, model.flip, model.jitter, model.grayscale)
    history = []
    for _ in range(model.epochs):
        before_epoch(network, draw)
        total = 0.0
        for batch in batches(len(images), model.batch_size, order, images.device):
            a, b = (draw(images[batch], noise) for _ in range(2))
            value = loss(network, a, b, batch)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            after_update(network, schedule.get_last_lr()[0])
            schedule.step()
            total += value.item() * len(batch)
        history.append(total / len(images))
    return network.eval(), history


def assert_same_training(model, images, network, history):
    assert [entry["loss"] for entry in model.history_] == pytest.approx(history, rel=1e-3)
    with torch.no_grad():
        h, z = network(images)
    np.testing.assert_allclose(model.transform(images), h, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(model.project(images), z, rtol=1e-2, atol=1e-3)
    with torch.no_grad():
        untrained = fresh(model, images).eval()(images)[0]
    assert np.abs(model.transform(images) - untrained.numpy()).max() > 0.05


@pytest.mark.parametrize("anchors", ["both", "first"])
def test_simclr_slow_twin(anchors, images):
    model = LEARNERS["SimCLR"](weight_decay=0.01, anchors=anchors).fit(images)

    def loss(network, a, b, rows):
        _, z = network(torch.cat([a, b]))
        n, value = len(z), 0.0
        of = range(n if anchors == "both" else n // 2)
        for i in of:
            terms = [(cosine(z[i], z[k]) / model.temperature).exp() for k in range(n) if k != i]
            value = value - ((cosine(z[i], z[(i + n // 2) % n]) / model.temperature).exp() / sum(terms)).log() / len(of)
        return value

    assert_same_training(model, images, *twin(model, images, loss))


@pytest.mark.parametrize("bn_groups", [1, 3])
def test_moco_slow_twin(bn_groups, images):
    model = LEARNERS["MoCo"](bn_groups=bn_groups, weight_decay=0.01).fit(images)
    slow, shuffling = fresh(model, images), stream(0, "shuffled batch normalization")
    queue = [row / row.norm() for row in torch.randn(12, 5, generator=stream(0, "queue"))]

    def in_groups(network, x):
        groups = min(bn_groups, len(x) // 2)
        sizes = [len(x) // groups + (g < len(x) % groups) for g in range(groups)]
        return torch.cat([network(part)[1] for part in x.split(sizes)])

    def loss(network, a, b, rows):
        q = in_groups(network, a)
        places = torch.randperm(len(b), generator=shuffling)
        with torch.no_grad():
            shuffled = in_groups(slow, b[places])
        k = [shuffled[places.tolist().index(i)] for i in range(len(b))]
        value = 0.0
        for i in range(len(q)):
            own = (cosine(q[i], k[i]) / model.temperature).exp()
            others = sum((cosine(q[i], key) / model.temperature).exp() for key in queue)
            value = value - (own / (own + others)).log() / len(q)
        queue[:] = [*k, *queue][:12]
        return value

    def follow(network, step):
        with torch.no_grad():
            for theta_k, theta_q in zip(slow.parameters(), network.parameters(), strict=True):
                theta_k.copy_(0.8 * theta_k + 0.2 * theta_q)

    assert_same_training(model, images, *twin(model, images, loss, follow))


# --- what they learn -----------------------------------------------------------------------------------------------


def textures(n, side=12):
    """Stripes across, stripes down and checks, in colors, contrasts and places that tell nothing of the class."""
    random = np.random.default_rng(0)
    y = np.arange(n) % 3
    down, across = np.mgrid[:side, :side]
    x = np.empty((n, 3, side, side), np.float32)
    for i, kind in enumerate(y):
        rows, columns = (down + random.integers(4)) // 2 % 2, (across + random.integers(4)) // 2 % 2
        pattern = (rows, columns, rows ^ columns)[kind]
        x[i] = random.random((3, 1, 1)) * np.where(pattern, 1, 0.3 * random.random())
    return (x + 0.03 * random.standard_normal(x.shape)).clip(0, 1).astype(np.float32), y


@pytest.fixture(scope="module")
def learned():
    x, y = textures(200)
    schedule = {"width": 8, "projection_dim": 16, "epochs": 30, "lr": 0.05, "batch_size": 50}
    views = {"crop": 0.3, "jitter": 1, "grayscale": 0.5}
    return x, y, SimCLR(3, **schedule, **views, random_state=1, device="cpu").fit(x)


def test_simclr_sees_textures_where_k_means_sees_colors(learned):
    x, y, model = learned
    assert accuracy(y, KMeans(3, random_state=0).fit_predict(x)) < 0.6
    assert accuracy(y, SimCLR(**model.get_params() | {"epochs": 0}).fit_predict(x)) < 0.6
    assert accuracy(y, model.labels_) > 0.75
    new, classes = textures(400)
    assert accuracy(classes[200:], model.predict(new[200:])) > 0.75
    assert model.history_[-1]["loss"] < model.history_[0]["loss"] - 0.5


def test_mnet_on_top_of_simclr_trains_the_encoder_along(learned, tmp_path):
    x, y, model = learned
    h = model.transform(x)
    settings = {"phase1_epochs": 0, "phase2_epochs": 6, "T2": 3, "batch_size": 50, "schedule_size": None}
    on_top = DCSS(3, start=model.start_, **settings, random_state=0, device="cpu").fit(x)
    assert accuracy(y, on_top.labels_) > 0.75
    weights = on_top.autoencoder_.parameters(), model.autoencoder_.parameters()
    change = [(a - b).abs().max().item() for a, b in zip(*weights, strict=True)]
    assert 0 < max(change) < 1e-2, "the encoder is trained along, at 1e-5 a step"
    assert not any(change[-4:]), "and the head is left alone"
    np.testing.assert_array_equal(model.transform(x), h)
    on_top.save(tmp_path / "on top")
    np.testing.assert_array_equal(load_model(tmp_path / "on top").predict_proba(x), on_top.predict_proba(x))
    model.start_.save(tmp_path / "start")
    again = DCSS(3, start=tmp_path / "start", **settings, random_state=0, device="cpu").fit(x)
    np.testing.assert_array_equal(again.predict_proba(x), on_top.predict_proba(x))
    features = AEKMeans(3, start=Start(model.autoencoder_), random_state=0, device="cpu").fit(x)
    np.testing.assert_array_equal(features.transform(x), h)
    with pytest.raises(ValueError, match="no decoder, which is needed for phase 1 of DCSS"):
        DCSS(3, start=model.start_, batch_size=50).fit(x)
    with pytest.raises(ValueError, match=r"takes samples of shape \(3, 12, 12\), not \(3, 10, 10\)"):
        DEC(3, start=model.start_, batch_size=50).fit(x[:, :, 1:-1, 1:-1])


# --- trainings that go on ------------------------------------------------------------------------------------------


def stop_after(epochs):
    def stop(model):
        if len(model.history_) == epochs:
            raise InterruptedError

    return stop


@every_learner
@pytest.mark.parametrize("stops", [[1], [2, 4]])
def test_an_interrupted_training_goes_on_with_the_same_curve(name, stops, images, tmp_path):
    """19 images in batches of 9 are two batches, the last of 10."""
    images = images[:19]
    whole = LEARNERS[name](epochs=4).fit(images)
    for stop in stops:
        parts = LEARNERS[name](epochs=4)
        with pytest.raises(InterruptedError):
            parts.fit(images, monitor=stop_after(stop), checkpoint=tmp_path / "state")
    parts = LEARNERS[name](epochs=4).fit(images, checkpoint=tmp_path / "state")
    assert parts.history_ == whole.history_
    for key, tensor in parts.autoencoder_.state_dict().items():
        assert torch.equal(tensor, whole.autoencoder_.state_dict()[key]), key
    np.testing.assert_array_equal(parts.labels_, whole.labels_)
    np.testing.assert_array_equal(getattr(parts, "prototypes_", 0), getattr(whole, "prototypes_", 0))
    again = LEARNERS[name](epochs=4).fit(images, checkpoint=tmp_path / "state")
    assert again.history_ == whole.history_, "a finished training stays as it is"


def test_without_momentum_there_are_no_velocities_to_keep(images, tmp_path):
    with pytest.raises(InterruptedError):
        LEARNERS["SwAV"](sgd_momentum=0).fit(images, monitor=stop_after(2), checkpoint=tmp_path / "state")
    parts = LEARNERS["SwAV"](sgd_momentum=0).fit(images, checkpoint=tmp_path / "state")
    assert parts.history_ == LEARNERS["SwAV"](sgd_momentum=0).fit(images).history_


def test_the_checkpoint_of_another_fit_is_refused(images, tmp_path):
    LEARNERS["SimCLR"]().fit(images, checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"another fit .*epochs was 2, is 3"):  # another cosine
        LEARNERS["SimCLR"](epochs=3).fit(images, checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"another fit .*samples was"):
        LEARNERS["SimCLR"]().fit(images.flip(0), checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"another fit .*method was 'SimCLR', is 'MoCo'"):
        LEARNERS["MoCo"]().fit(images, checkpoint=tmp_path / "state")


@pytest.mark.parametrize("n", [18, 19])
def test_the_step_falls_along_half_a_cosine(n, images, monkeypatch):
    """18 and 19 images in batches of 9 are two batches."""
    steps = []

    class Noted(SGD):
        def step(self):
            steps.append(self.lr)
            super().step()

    monkeypatch.setattr(contrastive_learner, "SGD", Noted)
    LEARNERS["SimCLR"](lr=1.0, epochs=3).fit(images[:n])
    assert steps == pytest.approx([(1 + math.cos(math.pi * i / 6)) / 2 for i in range(6)])


# --- as estimators -------------------------------------------------------------------------------------------------


@every_learner
def test_spaces(name, images):
    model = LEARNERS[name](epochs=1).fit(images)
    h, z = model.transform(images), model.project(images)
    assert h.shape == (20, 16) and z.shape == (20, 5) and h.dtype == z.dtype == np.float32
    with torch.no_grad():
        np.testing.assert_allclose(z, model.autoencoder_.head(torch.as_tensor(h)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        model.project((images * 255).byte()), model.project((images * 255).byte().float() / 255)
    )
    assert model.cluster_centers_.shape == (3, 16)
    np.testing.assert_allclose(model.cluster_centers_[0], h[model.labels_ == 0].mean(0), rtol=1e-4, atol=1e-5)


@every_learner
def test_saved_with_its_projection(name, images, tmp_path):
    model = LEARNERS[name](architecture="resnet-34").fit(images)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.get_params() == model.get_params() and isinstance(again.autoencoder_, ResNet)
    np.testing.assert_array_equal(again.project(images), model.project(images))


@every_learner
def test_on_a_network_of_deepclusters(name, images, tmp_path):
    """Its encoder begins as DeepCluster's, learns, and is saved."""
    how = {"architecture": "alexnet-small", "width": 0.2, "batch_size": 10}
    untrained = LEARNERS[name](**how, epochs=0).fit(images)
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(0, "network"))
        twin = ConvNet(images.shape[1:], n_clusters=7, sobel=False, width=0.2, dropout=0.0).eval()
    with torch.no_grad():
        np.testing.assert_allclose(untrained.transform(images), twin.encoder(images), rtol=1e-4, atol=1e-6)
    model = LEARNERS[name](**how).fit(images)
    assert not np.allclose(model.transform(images), untrained.transform(images))
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert isinstance(again.autoencoder_, ProjectedConvNet) and again.project(images).shape == (20, 5)
    np.testing.assert_array_equal(again.project(images), model.project(images))
    assert any(isinstance(m, torch.nn.BatchNorm1d) for m in model.autoencoder_.head) == model._head_batch_norm


@every_learner
def test_only_images_with_values_from_0_to_1(name, images):
    def no_monitor(model):
        raise AssertionError("training began")

    learner = LEARNERS[name]()
    for bad in (images.flatten(1), images[:, None], images[:, 0]):
        with pytest.raises(ValueError, match=rf"{name} needs images \(N, C, H, W\), not samples of shape"):
            learner.fit(bad, monitor=no_monitor)
    for bad in (images - 0.5, images * 3):
        with pytest.raises(ValueError, match=rf"{name} needs images in \[0, 1\], not in \["):
            learner.fit(bad, monitor=no_monitor)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("SimCLR", {"crop": 0}, "crop must lie"),
        ("SimCLR", {"architecture": "resnet-50"}, "architecture must be one of"),
        ("SimCLR", {"temperature": 0}, "lr and temperature above 0"),
        ("SimCLR", {"anchors": "second"}, "anchors must be one of both, first, not 'second'"),
        ("SimCLR", {"epochs": -1}, "epochs at least 0"),
        ("SimCLR", {"width": 0}, "width and projection_dim must be at least 1"),
        ("SimCLR", {"width": 0, "architecture": "alexnet-small"}, "width must be above 0"),
        ("SimCLR", {"sgd_momentum": 1}, r"sgd_momentum must lie in \[0, 1\)"),
        ("SimCLR", {"weight_decay": -1}, "weight_decay be at least 0"),
        ("SimCLR", {"batch_size": 1}, "an image alone has no negatives"),
        ("SwAV", {"prototypes": 0}, "prototypes must be at least 1"),
        ("SwAV", {"eps": 0}, "eps above 0"),
        ("SwAV", {"sinkhorn_iterations": -1}, "sinkhorn_iterations and frozen_updates at least 0"),
        ("SwAV", {"queue_from": -1}, "queue and queue_from must be at least 0"),
        ("SwAV", {"queue": 21}, "queue must be a whole number from 1 to 20, the number of samples, not 21"),
        ("DeepClusterV2", {"heads": 0}, "heads and passes must be at least 1"),
        ("DeepClusterV2", {"passes": 0}, "heads and passes must be at least 1"),
        (
            "DeepClusterV2",
            {"prototypes": 21},
            "prototypes must be a whole number from 1 to 20, the number of samples, not 21",
        ),
        ("MoCo", {"momentum": 1.1}, r"momentum must lie in \[0, 1\]"),
        ("MoCo", {"bn_groups": 0}, "bn_groups be at least 1"),
        ("MoCo", {"queue": 21}, "queue must be a whole number from 1 to 20, the number of samples, not 21"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images):
    model = LEARNERS[name](epochs=0).fit(images)
    labels = model.labels_
    with pytest.raises(ValueError, match=message):
        model.set_params(**change).fit(images)
    assert model.labels_ is labels, "a refused fit leaves the model as it was"


def test_a_queue_shorter_than_a_batch_and_a_small_last_batch(images):
    model = LEARNERS["MoCo"](queue=3, bn_groups=8).fit(images)  # 9 + 9 + 2
    assert np.isfinite(model.history_[-1]["loss"])
    assert all(torch.isfinite(t).all() for t in model.autoencoder_.state_dict().values())


def test_momentum_decides_and_only_the_query_encoder_is_kept(images):
    frozen, following = (LEARNERS["MoCo"](momentum=m).fit(images) for m in (1.0, 0.5))
    assert frozen.history_[-1]["loss"] != following.history_[-1]["loss"]
    assert [name for name, value in vars(frozen).items() if isinstance(value, nn.Module)] == ["autoencoder_"]
