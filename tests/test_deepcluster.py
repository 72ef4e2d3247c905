"""DeepCluster: an epoch against a slow twin, trainings that go on, images on disk, several processes, errors."""

import os
import runpy
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import normalize
from torch import nn
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from dcbook import train
from dcbook.clustering.refine import random_points
from dcbook.data import DataError, ImageFile, ImageFolder, MissingDataError, load
from dcbook.distributed import Group, joint_batch_norm
from dcbook.evaluation import nmi
from dcbook.methods import DEC, DeepCluster, load_model
from dcbook.models import ConvNet
from dcbook.training.head_clusterer import statistics_kept
from dcbook.training.inputs import derived_seed, in_batches, stream
from dcbook.training.samplers import uniform_over_clusters

PLAIN = {"width": 0.2, "hidden": 24, "pca_dim": 6, "dropout": 0, "crop": 1.0, "flip": False, "batch_size": 40}
SMALL = {"n_clusters": 9, "random_state": 3, "device": "cpu", "epochs": 2} | PLAIN
FIT = "clustering and training"


@pytest.fixture(scope="module")
def digits():
    return load("digits", subset=201).images


@pytest.mark.parametrize("reassign", [1, 2])
def test_an_epoch_is_the_papers(digits, reassign):
    """Against scikit-learn's PCA, Lloyd's algorithm in loops and torch's SGD, a step at a time."""
    x = torch.tensor(digits).float() / (255 if digits.dtype == np.uint8 else 1)
    ours = DeepCluster(**SMALL | {"epochs": 1, "lr": 0.02, "passes": 4, "tol": 0, "reassign": reassign}).fit(digits)

    torch.manual_seed(derived_seed(3, "network"))
    network = ConvNet(x.shape[1:], "alexnet-small", 9, True, 24, 0.2, 0)
    u = network.eval().encoder(x).detach().numpy()
    codes = normalize(PCA(6, whiten=True).fit_transform(u)).astype(np.float32)
    starts = random_points(torch.from_numpy(codes), 9, 201, stream(3, "k-means of epoch 0"))
    y = torch.from_numpy(((codes[:, None] - starts_after(codes, starts.numpy(), 3)) ** 2).sum(2).argmin(1))

    torch.manual_seed(derived_seed(3, "epoch 0"))
    network.renew_head()
    body = torch.optim.SGD(network.encoder.parameters(), 0.02, momentum=0.9, weight_decay=1e-5)
    head = torch.optim.SGD(network.head.parameters(), 0.02, weight_decay=1e-5)
    rows, _ = uniform_over_clusters(y, stream(3, "images of epoch 0"), reassign)
    losses = []
    for batch in in_batches(rows, 40):
        loss = nn.functional.cross_entropy(network.train()(x[batch])[1], y[batch])
        for optimizer in (body, head):
            optimizer.zero_grad()
        loss.backward()
        body.step()
        head.step()
        losses.append(loss.item() * len(batch))
    assert ours.history_[0]["loss"] == pytest.approx(sum(losses) / (201 * reassign), rel=1e-4)
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(ours.autoencoder_.state_dict()[name], weight, atol=1e-4, rtol=1e-3, msg=name)


def starts_after(codes, starts, steps):
    """Centers after some steps of Lloyd's algorithm, in loops."""
    for _ in range(steps):
        nearest = ((codes[:, None] - starts) ** 2).sum(2).argmin(1)
        starts = np.stack([codes[nearest == k].mean(0) for k in range(len(starts))])
    return starts


def test_it_learns_what_the_classes_are(digits):
    """An accuracy floor: with random filters NMI is 0.48 to 0.56, after it 0.63 to 0.66, in 30 clusters."""
    data = load("digits", subset=600)
    seen = []
    model = DeepCluster(30, epochs=10, lr=0.05, **{**PLAIN, "width": 0.5, "hidden": 64, "pca_dim": 24, "crop": 0.5})
    model.set_params(random_state=0, sobel=False)
    model.fit(data.images, monitor=lambda m: seen.append(nmi(data.labels, m.labels_)))
    assert nmi(data.labels, model.labels_) > max(0.58, seen[0] + 0.03)
    assert model.history_[-1]["stability"] > model.history_[1]["stability"]


@pytest.mark.parametrize("size", [1, 64])
def test_mini_batches_learn_what_the_classes_are(size):
    """The same floor as for Lloyd's algorithm, and clusters that are not Lloyd's."""
    data = load("digits", subset=600)
    seen = []
    settings = {**PLAIN, "width": 0.5, "hidden": 64, "pca_dim": 24, "crop": 0.5, "sobel": False, "random_state": 0}
    model = DeepCluster(30, epochs=10 if size > 1 else 1, lr=0.05, kmeans_batch=size, **settings)
    model.fit(data.images, monitor=lambda m: seen.append((nmi(data.labels, m.labels_), m.labels_.copy())))
    lloyd = DeepCluster(30, epochs=1, **settings).fit(data.images, monitor=lambda m: seen.append((0, m.labels_.copy())))
    assert not np.array_equal(seen[0][1], seen[-1][1])
    assert 2 <= model.history_[0]["passes"] <= 20 and model.history_[0]["clusters"] == 30 == lloyd.n_clusters
    if size > 1:
        assert nmi(data.labels, model.labels_) > max(0.58, seen[0][0] + 0.03)


def test_history_tells_of_the_clusters(digits):
    history = DeepCluster(**SMALL).fit(digits).history_
    assert [set(entry) for entry in history] == [
        {"phase", "epoch", "loss", "clusters", "largest", "passes"},
        {"phase", "epoch", "loss", "clusters", "largest", "passes", "stability"},
    ]
    assert all(entry["clusters"] == 9 and 1 / 9 <= entry["largest"] < 1 for entry in history)


def test_without_repair_dead_clusters_stay_dead(digits):
    model = DeepCluster(**SMALL | {"n_clusters": 60, "pca_dim": 2, "repair": False, "epochs": 3}).fit(digits)
    live = [entry["clusters"] for entry in model.history_]
    assert live == sorted(live, reverse=True) and len(model.cluster_centers_) <= live[-1]


def test_pic_finds_its_own_number_of_clusters(digits):
    model = DeepCluster(**SMALL | {"clustering": "pic"}).fit(digits)
    assert model.history_[0]["clusters"] != 9
    assert model.predict_proba(digits).shape == (201, len(model.cluster_centers_))


def test_a_cold_start_forgets_the_clusters(digits):
    warm, cold = (
        DeepCluster(**SMALL | {"warm_start": w, "epochs": 8, "lr": 1e-3}).fit(digits).history_ for w in (True, False)
    )
    assert warm[0] == cold[0]
    assert sum(e["passes"] for e in warm[-3:]) < sum(e["passes"] for e in cold[-3:])
    assert warm[-1]["stability"] > cold[-1]["stability"]


def test_a_monitor_that_asks_for_the_loss_changes_nothing(digits):
    """Neither running statistics nor torch's global stream, from which dropout draws; the answer is always the same."""
    told = []

    def ask(model):
        before = torch.random.get_rng_state(), model.transform(digits)
        told.append([float(model.objectives(torch.arange(20))["pseudo"].detach()) for _ in range(2)])
        assert torch.equal(torch.random.get_rng_state(), before[0])
        np.testing.assert_array_equal(model.transform(digits), before[1])

    alone, asked = (DeepCluster(**SMALL | {"dropout": 0.3}).fit(digits, monitor=each) for each in (None, ask))
    assert len(told) == 2 and all(first == second for first, second in told)
    for name, value in alone.autoencoder_.state_dict().items():
        assert torch.equal(asked.autoencoder_.state_dict()[name], value), name
    assert alone.history_ == asked.history_


def test_new_images_are_checked_as_in_fit(digits):
    model = DeepCluster(**SMALL).fit(digits)
    x = np.asarray(digits, dtype=np.float32) / np.max(digits)
    for answer in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(ValueError, match=r"DeepCluster needs images in \[0, 1\], not in \[0, 255\]"):
            answer(255 * x)


def test_it_is_a_start_for_others(digits):
    start = DeepCluster(**SMALL).fit(digits).start_
    assert DEC(9, start=start, max_updates=2, batch_size=50, random_state=0).fit(digits).labels_.shape == (201,)


# --- trainings that go on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 50])
def test_an_interrupted_training_goes_on_with_the_same_curve(digits, tmp_path, batch):
    settings = {"epochs": 4, "crop": 0.6, "dropout": 0.2, "kmeans_batch": batch}
    whole = DeepCluster(**SMALL | settings).fit(digits)

    def stop(model):
        if len(model.history_) == 3:
            raise InterruptedError

    parts = DeepCluster(**whole.get_params())
    with pytest.raises(InterruptedError):
        parts.fit(digits, monitor=stop, checkpoint=tmp_path / "state")
    parts.fit(digits, checkpoint=tmp_path / "state")
    assert parts.history_ == whole.history_
    np.testing.assert_array_equal(parts.labels_, whole.labels_)
    for a, b in zip(parts.autoencoder_.parameters(), whole.autoencoder_.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_finished_training_may_go_on_for_longer(digits, tmp_path):
    DeepCluster(**SMALL).fit(digits, checkpoint=tmp_path / "state")
    longer = DeepCluster(**SMALL | {"epochs": 3}).fit(digits, checkpoint=tmp_path / "state")
    assert longer.history_ == DeepCluster(**SMALL | {"epochs": 3}).fit(digits).history_


def test_the_checkpoint_of_another_fit_is_refused(digits, tmp_path):
    DeepCluster(**SMALL).fit(digits, checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"another fit .*lr was 0\.05, is 0\.01"):
        DeepCluster(**SMALL | {"lr": 0.01}).fit(digits, checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=r"another fit .*samples was"):
        DeepCluster(**SMALL).fit(digits[::-1].copy(), checkpoint=tmp_path / "state")
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:99])
    with pytest.raises(ValueError, match="not a complete checkpoint"):
        DeepCluster(**SMALL).fit(digits, checkpoint=tmp_path / "state")


# --- images on disk ------------------------------------------------------------------------------------------------


def bytes_of(digits):
    return digits if digits.dtype == np.uint8 else np.rint(digits * 255).astype(np.uint8)


def test_a_file_of_images_is_as_good_as_the_array(digits, tmp_path):
    np.save(tmp_path / "x.npy", bytes_of(digits))
    stored, held = DeepCluster(**SMALL).fit(ImageFile(tmp_path / "x.npy")), DeepCluster(**SMALL).fit(bytes_of(digits))
    assert stored.history_ == held.history_
    np.testing.assert_array_equal(stored.labels_, held.labels_)
    np.testing.assert_array_equal(stored.predict(bytes_of(digits)), stored.labels_)


def write_folder(folder: Path, n: int, side: int, seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    for i in range(n):
        path = folder / f"class{i % 3}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (side, side + 4, 3), dtype=np.uint8)).save(path)
    return folder


def test_a_folder_of_images(tmp_path):
    images = ImageFolder(write_folder(tmp_path, 60, 20), size=16, workers=0)
    assert images.shape == (60, 3, 16, 16) and images.class_names == ("class0", "class1", "class2")
    everything = torch.cat(list(images.batches([torch.arange(60)])))
    assert everything.dtype == torch.float32 and everything.min() >= 0 and everything.max() <= 1
    (some,) = images.batches([torch.tensor([7, 3])])
    assert torch.equal(some, everything[[7, 3]])
    stored, held = (DeepCluster(**SMALL).fit(x) for x in (images, everything.numpy()))
    assert stored.history_ == held.history_
    np.testing.assert_array_equal(stored.predict(images), stored.labels_)
    np.testing.assert_array_equal(stored.transform(images), stored.transform(everything))
    with pytest.raises(ValueError, match=r"x holds samples of shape \(3, 12, 12\), but DeepCluster was fitted to"):
        stored.predict(ImageFolder(tmp_path, size=12, workers=0))
    with pytest.raises(NotFittedError):
        DeepCluster().predict(images)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_part_may_be_empty(tmp_path, workers):
    """That of a process when a batch has fewer images than there are processes."""
    images = ImageFolder(write_folder(tmp_path, 12, 20), size=16, workers=workers)
    none, some = images.batches([torch.arange(0), torch.arange(3)])
    assert none.shape == (0, 3, 16, 16) and none.dtype == torch.float32 and len(some) == 3


def test_workers_decode_the_same(tmp_path):
    folder, parts = write_folder(tmp_path, 12, 20), [torch.arange(8), torch.arange(8, 12)]
    alone, helped = (list(ImageFolder(folder, 16, workers=n).batches(parts)) for n in (0, 2))
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_damaged_and_missing_images_are_named(tmp_path):
    with pytest.raises(MissingDataError, match="nowhere"):
        ImageFolder(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"x\.npy"):
        ImageFile(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", np.zeros((4, 5)))
    with pytest.raises(ValueError, match="must hold uint8"):
        ImageFile(tmp_path / "x.npy")
    folder = write_folder(tmp_path / "images", 6, 20)
    (folder / "class1" / "4.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"4\.png"):
        DeepCluster(**SMALL | {"n_clusters": 2, "pca_dim": 2, "batch_size": 3}).fit(ImageFolder(folder, 16, workers=0))


MEMORY = """
import resource, sys
from dcbook.data import ImageFolder
from dcbook.methods import DeepCluster
for folder in sys.argv[1:]:
    images = ImageFolder(folder, size=64, workers=0)
    DeepCluster(5, epochs=0, width=0.1, hidden=16, pca_dim=8, device="cpu", random_state=0).fit(images)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    """900 images more, fitted by the same process, would raise its peak by 42 MiB as floats, by 10.5 MiB as bytes."""
    drawn = write_folder(tmp_path / "drawn", 60, 64)
    for name, n in (("few", 600), ("many", 1500)):  # both more than a batch of the embedding, which has 512
        for i in range(n):
            folder = tmp_path / name / f"class{i % 3}"
            folder.mkdir(parents=True, exist_ok=True)
            os.link(drawn / f"class{i % 3}" / f"{i % 60}.png", folder / f"{i}.png")
    mapped = {"MALLOC_MMAP_THRESHOLD_": "1000000"}  # glibc gives freed arrays back at once: no peaks by fragmentation
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | mapped
    command = [sys.executable, "-c", MEMORY, tmp_path / "few", tmp_path / "many"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    few, many = map(int, done.stdout.split())
    assert many - few < 5 * 2**20, f"{(many - few) / 2**20:.0f} MiB more"


# --- several processes ---------------------------------------------------------------------------------------------


def train_in_two_processes(arguments):
    """What `torchrun --nproc-per-node=2 -m dcbook.train` does; its workers are forks, which need no imports."""
    start = "spawn" if torch.cuda.is_available() else "fork"  # what has used a GPU can't be forked
    config = LaunchConfig(1, 1, 2, start_method=start, rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elastic_launch(config, command_of_train)(*arguments)


def command_of_train(*arguments):
    sys.argv[1:] = arguments
    runpy.run_module("dcbook.train", run_name="__main__")


@pytest.mark.parametrize("batch", [None, 50])
def test_two_processes_find_what_one_finds(digits, tmp_path, monkeypatch, capfd, batch):
    np.save(tmp_path / "x.npy", bytes_of(digits))
    chosen = SMALL | {"crop": 0.6, "lr": 0.02, "kmeans_batch": batch}
    settings = [f"{name}={value}" for name, value in chosen.items() if name != "device"]
    arguments = [str(tmp_path / "x.npy"), "--set", *settings, "--out"]
    together = get_context("fork").Process(target=train_in_two_processes, args=([*arguments, str(tmp_path / "two")],))
    together.start()
    together.join(200)
    two = capfd.readouterr()
    assert together.exitcode == 0, two.err[-2000:]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    train.main([*arguments, str(tmp_path / "one")])
    assert "after 2 epochs" in capfd.readouterr().out and "after 2 epochs" in two.out
    one, two = (load_model(tmp_path / name / "model") for name in ("one", "two"))
    assert np.mean(one.labels_ == two.labels_) > 0.99
    for a, b in zip(one.history_, two.history_, strict=True):
        assert a.pop("phase") == b.pop("phase") and a == pytest.approx(b, rel=1e-3)
    for a, b in zip(one.autoencoder_.parameters(), two.autoencoder_.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


class Twice(Group):
    """As if a second process had the same part of each batch."""

    def __init__(self):
        self.rank, self.size = 0, 2

    def sum(self, value):
        return value.mul_(2)


@pytest.mark.parametrize(("mean", "deviation"), [(0, 1), (10, 0.1), (30, 0.01), (300, 0.1)])
def test_joint_batch_normalization_is_that_of_the_whole_batch(mean, deviation, monkeypatch):
    monkeypatch.setattr("dcbook.distributed.Group", Twice)
    generator = torch.Generator().manual_seed(0)
    x = (mean + deviation * torch.randn(6, 3, 4, 4, generator=generator)).requires_grad_()
    joint, whole = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    joint_batch_norm(joint, Twice())
    found, expected = joint(x), whole(torch.cat([x, x]))
    torch.testing.assert_close(found, expected[:6], atol=2e-3, rtol=0)
    torch.testing.assert_close(joint.running_mean, whole.running_mean)
    torch.testing.assert_close(joint.running_var, whole.running_var, atol=1e-6, rtol=1e-3)
    weights = torch.randn(found.shape, generator=generator)
    both = expected[:6] + expected[6:]  # of x in both places, so that its gradient is twice that in one
    ours, torchs = (torch.autograd.grad((y * weights).sum(), x)[0] for y in (found, both))
    torch.testing.assert_close(deviation * ours, deviation * torchs / 2, atol=1e-2, rtol=1e-2)
    kept = joint.running_mean.clone()
    with statistics_kept(joint):
        joint(x + 5)
    assert torch.equal(joint.running_mean, kept) and joint.num_batches_tracked == 1


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"n_clusters": 202}, "n_clusters must be a whole number from 1 to 201, the number of samples"),
        ({"batch_size": 202}, "batch_size must be a whole number from 1 to 201, the number of samples"),
        ({"pca_dim": 25}, "pca_dim must be at most 24"),
        ({"clustering": "dbscan"}, "clustering must be one of"),
        ({"sampling": "uniform"}, "sampling one of"),
        ({"architecture": "alexnet"}, "too small"),
        ({"lr": 0}, "lr above 0"),
        ({"passes": 0}, "passes must be at least 1"),
        ({"reassign": 0}, "reassign, pca_dim and passes must be at least 1"),
        ({"kmeans_batch": 0}, "kmeans_batch must be at least 1, or None, not 0"),
        ({"kmeans_batch": 2.5}, "kmeans_batch of DeepCluster must be a whole number"),
        ({"crop": 0}, "crop must lie in"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
    ],
)
def test_bad_settings_are_refused_before_training(digits, changes, what):
    with pytest.raises(ValueError, match=what):
        DeepCluster(**SMALL | changes).fit(digits)


def test_bad_settings_of_the_command_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"dcbook\.train: nowhere\.npy: there is no such file"):
        train.main(["nowhere.npy", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        train.main(["nowhere.npy", "--out", str(tmp_path), "--set", "clusters=9"])
    assert "'clusters=9' is not a setting" in capsys.readouterr().err


def test_settings_of_the_command_may_be_given_one_by_one(digits, tmp_path):
    np.save(tmp_path / "x.npy", bytes_of(digits))
    chosen = SMALL | {"epochs": 0}
    settings = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    train.main([str(tmp_path / "x.npy"), "--out", str(tmp_path), *settings])
    assert load_model(tmp_path / "model").get_params().items() >= chosen.items()


def test_defaults_are_the_released_values():
    """Those of main.py, main.sh and clustering.py at 2d1927e; start and end of k-means are ours (DEVIATIONS)."""
    released = {"sobel": True, "dropout": 0.5, "epochs": 200, "lr": 0.05, "sgd_momentum": 0.9, "weight_decay": 1e-5}
    released |= {"reassign": 1, "pca_dim": 256, "passes": 20}
    released |= {"crop": 0.08, "flip": True, "jitter": 0.0, "grayscale": 0.0}
    defaults = DeepCluster().get_params()
    assert {name: defaults[name] for name in released} == released
    assert DeepCluster.SIZES == {"batch_size": 256} and defaults["batch_size"] is None
