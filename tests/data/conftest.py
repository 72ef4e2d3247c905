"""Small files in the layouts that torchvision and medmnist read; no real data, no network."""

import bz2
import hashlib
import pickle
import urllib.request

import numpy as np
import pytest
from PIL import Image

from dcbook.data import files
from dcbook.data.dataset import content_digest
from dcbook.data.imagenet10 import SYNSETS

RNG = np.random.default_rng(0)
N = {"train": 30, "val": 8, "test": 12}
MEDMNIST = {"breastmnist": 2, "pneumoniamnist": 2, "bloodmnist": 8, "vesselmnist3d": 2}


def pictures(n, *shape):
    return RNG.integers(0, 256, (n, *shape), dtype=np.uint8)


def write_idx(root, name, parts):
    for part, file in (("train", "train"), ("test", "t10k")):
        images, labels = pictures(N[part], 28, 28), np.arange(N[part]) % 10
        folder = root / name / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        for array, kind in ((images, "images-idx3"), (labels.astype(np.uint8), "labels-idx1")):
            header = np.array([0x800 + array.ndim, *array.shape], dtype=">u4").tobytes()
            (folder / f"{file}-{kind}-ubyte").write_bytes(header + array.tobytes())
        parts[f"{name}/raw/{file}-images-idx3-ubyte"] = (images,)
        parts[f"{name}/raw/{file}-labels-idx1-ubyte"] = (labels,)


def write_usps(root, parts):
    for part, file in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        values, labels = RNG.uniform(-1, 1, (N[part], 256)).round(4), np.arange(N[part]) % 10
        rows = [[f"{i}:{value:.4f}" for i, value in enumerate(row, 1)] for row in values]
        lines = [f"{label + 1} {' '.join(row)} \n" for label, row in zip(labels, rows, strict=True)]
        (root / file).write_bytes(bz2.compress("".join(lines).encode()))
        images = ((values.astype(np.float32) + 1) / 2 * 255).astype(np.uint8)
        parts[file] = (images.reshape(-1, 16, 16), labels)


def write_cifar(root, folder, batches, key, names, parts):
    (root / folder).mkdir()
    for file, part, protocol in batches:
        pixels, labels = pictures(N[part], 3072), np.arange(N[part]) % len(names[1])
        content = {"data": pixels, key: labels.tolist(), "filenames": ["x.png"] * len(labels)}
        (root / folder / file).write_bytes(pickle.dumps(content, protocol))
        parts[f"{folder}/{file}"] = (pixels.reshape(-1, 3, 32, 32), labels)
    (root / folder / names[0]).write_bytes(pickle.dumps({names[2]: names[1]}, 4))
    parts[f"{folder}/{names[0]}"] = (np.array(names[1], dtype="S"),)


def write_stl10(root, parts):
    (root / "stl10_binary").mkdir()
    for part in ("train", "test"):
        images, labels = pictures(N[part], 3, 96, 96), np.arange(N[part]) % 10
        # the file has columns before rows, and labels from 1
        images.transpose(0, 1, 3, 2).tofile(root / f"stl10_binary/{part}_X.bin")
        (labels + 1).astype(np.uint8).tofile(root / f"stl10_binary/{part}_y.bin")
        parts[f"stl10_binary/{part}_X.bin"] = (images, labels)


def write_medmnist(root, parts):
    (root / "medmnist").mkdir()
    for flag, n_classes in MEDMNIST.items():
        shape = (28, 28, 28) if flag.endswith("3d") else (28, 28, 3) if flag == "bloodmnist" else (28, 28)
        content, images, labels = {}, [], []
        for part, n in N.items():
            images.append(pictures(n, *shape))
            labels.append(np.arange(n) % n_classes)
            content |= {f"{part}_images": images[-1], f"{part}_labels": labels[-1].astype(np.uint8)[:, None]}
        np.savez(root / "medmnist" / f"{flag}.npz", **content)
        images = np.concatenate(images)
        images = images.transpose(0, 3, 1, 2) if flag == "bloodmnist" else images[:, None]
        parts[f"medmnist/{flag}.npz"] = (images, np.concatenate(labels))


def write_imagenet10(root):
    for part, n in (("train", 3), ("val", 1)):
        for k, synset in enumerate([*SYNSETS, "n99999999"]):
            folder = root / "imagenet10" / part / synset
            folder.mkdir(parents=True)
            for i in range(n):  # wide, tall and square; the color tells the class
                size = [(90, 60), (40, 100), (64, 64)][i]
                Image.new("RGB", size, (10 * k, 200, i)).save(folder / f"{i}.png")


@pytest.fixture(scope="session")
def fake(tmp_path_factory):
    """(folder with every set, what each file decodes to)"""
    root, parts = tmp_path_factory.mktemp("data"), {}
    write_idx(root, "MNIST", parts)
    write_idx(root, "FashionMNIST", parts)
    write_usps(root, parts)
    batches = [(f"data_batch_{i}", "train", 2 if i < 4 else 4) for i in range(1, 6)] + [("test_batch", "test", 4)]
    names = ("batches.meta", [f"thing {k}" for k in range(10)], "label_names")
    write_cifar(root, "cifar-10-batches-py", batches, "labels", names, parts)
    names = ("meta", [f"group {k}" for k in range(20)], "coarse_label_names")
    batches = [("train", "train", 4), ("test", "test", 4)]
    write_cifar(root, "cifar-100-python", batches, "coarse_labels", names, parts)
    write_stl10(root, parts)
    write_medmnist(root, parts)
    write_imagenet10(root)
    return root, parts


@pytest.fixture
def root(fake, tmp_path, monkeypatch):
    """A folder with every set: STL-10 passes for the published one, the others for known good copies."""
    from torchvision.datasets import STL10

    for path in fake[0].rglob("*"):
        if path.is_file() and ".decoded" not in path.parts:
            target = tmp_path / "data" / path.relative_to(fake[0])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    known = {path: [{"content": content_digest(*arrays), "original": False}] for path, arrays in fake[1].items()}
    monkeypatch.setattr(files, "KNOWN", known)
    for part in ("train", "test"):
        names = [f"{part}_X.bin", f"{part}_y.bin"]
        md5s = [hashlib.md5((fake[0] / "stl10_binary" / name).read_bytes()).hexdigest() for name in names]
        monkeypatch.setattr(STL10, f"{part}_list", list(zip(names, md5s, strict=True)))
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Any attempt to reach the network fails the test."""

    def refuse(*args, **kwargs):
        pytest.fail("a download was tried")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
