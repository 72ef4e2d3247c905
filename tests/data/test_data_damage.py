"""A damaged or altered file is refused by name, and a pickle that would run code runs none."""

import bz2
import pickle
from pathlib import Path

import numpy as np
import pytest

from dcbook.data import DataError, load
from dcbook.data.sources import SOURCES


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.fetch])
def test_files_that_nobody_knows_are_refused(fake, name):
    with pytest.raises(DataError, match=f"^{name}: .*cut off or altered.*make data NAME={name}$"):
        load(name, root=fake[0])


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def lengthened(path):
    path.write_bytes(path.read_bytes() + b"more")


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = [
    ("mnist", "MNIST/raw/train-images-idx3-ubyte", (truncated, lengthened, emptied, flipped)),
    ("mnist-test", "MNIST/raw/t10k-labels-idx1-ubyte", (emptied, flipped)),
    ("2mnist", "FashionMNIST/raw/t10k-images-idx3-ubyte", (truncated, flipped)),
    ("usps", "usps.t.bz2", (truncated, emptied, flipped)),
    ("cifar10", "cifar-10-batches-py/data_batch_3", (truncated, emptied, flipped)),
    ("cifar100-20", "cifar-100-python/train", (truncated, flipped)),
    ("stl10", "stl10_binary/test_X.bin", (truncated, emptied, flipped)),
    ("stl10", "stl10_binary/train_y.bin", (emptied, flipped)),
    ("bloodmnist", "medmnist/bloodmnist.npz", (truncated, emptied, flipped)),
    ("vesselmnist3d", "medmnist/vesselmnist3d.npz", (truncated, flipped)),
]


@pytest.mark.parametrize(("name", "path", "damage"), [(n, p, d) for n, p, damages in DAMAGE for d in damages])
def test_a_damaged_file_is_refused_by_name(root, name, path, damage):
    load(name, root=root)
    damage(root / path)
    with pytest.raises(DataError) as caught:
        load(name, root=root)
    message = str(caught.value)
    assert message.startswith(f"{name}: ") and "altered" in message and f"make data NAME={name}" in message
    assert str(root / path) in message


def change_usps(path):
    lines = bz2.decompress(path.read_bytes()).splitlines(keepends=True)
    lines[4] = b"9" + lines[4][1:]
    path.write_bytes(bz2.compress(b"".join(lines)))


def change_pickle(path):
    content = pickle.loads(path.read_bytes())
    key = next(key for key in content if "labels" in key)
    content[key][3] += 1
    path.write_bytes(pickle.dumps(content, 4))


def change_npz(path):
    content = dict(np.load(path))
    content["val_labels"][0] ^= 1
    np.savez(path, **content)


def change_idx(path):
    content = bytearray(path.read_bytes())
    content[8 + 5] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "path", "change"),
    [
        ("fashion-mnist", "FashionMNIST/raw/train-labels-idx1-ubyte", change_idx),
        ("usps", "usps.bz2", change_usps),
        ("cifar10", "cifar-10-batches-py/test_batch", change_pickle),
        ("cifar100-20-test", "cifar-100-python/test", change_pickle),
        ("breastmnist", "medmnist/breastmnist.npz", change_npz),
    ],
)
def test_one_changed_label_in_a_well_formed_file_is_refused(root, name, path, change):
    load(name, root=root)
    change(root / path)
    with pytest.raises(DataError, match="content is neither the published one nor a known copy's") as caught:
        load(name, root=root)
    assert str(root / path) in str(caught.value)


def test_a_pickle_that_would_run_code_is_refused(root):
    marker = root / "was here"

    class Evil:
        def __reduce__(self):
            return Path.touch, (marker,)

    path = root / "cifar-10-batches-py/data_batch_1"
    for protocol in (0, 2, 4):
        path.write_bytes(pickle.dumps({"data": Evil(), "labels": []}, protocol))
        with pytest.raises(DataError, match=r"data_batch_1.*has no place in a file of images"):
            load("cifar10", root=root)
    assert not marker.exists()
