"""Every set loads from the layouts that torchvision and medmnist read, and nothing is downloaded unasked."""

import gzip
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from dcbook.data import NAMES, DataError, MissingDataError, data_root, files, load, usps
from dcbook.data.imagenet10 import SYNSETS

MEDMNIST = {"breastmnist": 2, "pneumoniamnist": 2, "bloodmnist": 8, "vesselmnist3d": 2}


def idx_files(*folders, parts=("train", "t10k")):
    return [f"{folder}/raw/{part}" for folder in folders for part in parts]


CIFAR10 = [f"cifar-10-batches-py/{file}" for file in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]
# name: (files in their order, K)
SETS = {
    "mnist": (idx_files("MNIST"), 10),
    "mnist-test": (idx_files("MNIST", parts=("t10k",)), 10),
    "fashion-mnist": (idx_files("FashionMNIST"), 10),
    "fashion-mnist-test": (idx_files("FashionMNIST", parts=("t10k",)), 10),
    "2mnist": (idx_files("MNIST", "FashionMNIST"), 20),
    "usps": (["usps.bz2", "usps.t.bz2"], 10),
    "cifar10": (CIFAR10, 10),
    "cifar100-20": (["cifar-100-python/train", "cifar-100-python/test"], 20),
    "cifar100-20-test": (["cifar-100-python/test"], 20),
    "stl10": (["stl10_binary/train_X.bin", "stl10_binary/test_X.bin"], 10),
    **{flag: ([f"medmnist/{flag}.npz"], n_classes) for flag, n_classes in MEDMNIST.items()},
}


def test_every_name_is_tested_here():
    texts = {"questions", "stackoverflow", "searchsnippets", "biomedical"}  # tests/test_texts.py
    others = {"digits", "digits-eights", "digits-rgb", "patches", "arcs", "imagenet10"}
    others |= {f"japanese-vowels{form}" for form in ("", "-means", "-moments")}  # tests/data/test_japanese_vowels.py
    assert {*SETS, *texts, *others} == set(NAMES)


@pytest.mark.parametrize("name", SETS)
def test_a_set_holds_what_was_written(fake, root, name):
    paths, n_classes = SETS[name]
    got = load(name, root=root)
    if "mnist" in name and name not in MEDMNIST:
        images = [fake[1][f"{path}-images-idx3-ubyte"][0] for path in paths]
        labels = [fake[1][f"{path}-labels-idx1-ubyte"][0] + 10 * (i >= 2) for i, path in enumerate(paths)]
    else:
        images, labels = zip(*(fake[1][path] for path in paths), strict=True)
    images = np.concatenate(images)
    np.testing.assert_array_equal(got.images, images[:, None] if images.ndim == 3 else images)
    np.testing.assert_array_equal(got.labels, np.concatenate(labels))
    assert got.name == name and got.images.dtype == np.uint8 and got.n_classes == n_classes
    assert len(set(got.class_names)) == n_classes
    checked = "md5 published by torchvision" if name == "stl10" else "content digest"
    assert got.original == (name == "stl10") and got.provenance["files"][0]["checked"] == checked
    assert json.loads(json.dumps(got.provenance)) == got.provenance
    assert load(name, root=root).digest == got.digest


def test_dcbook_data_names_the_folder(root, monkeypatch, tmp_path):
    monkeypatch.setenv("DCBOOK_DATA", str(root))
    assert len(load("usps")) == 42
    monkeypatch.setenv("DCBOOK_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root().name == "data" and "dcbook" in data_root().parts


def test_files_with_the_published_md5_are_the_original(root, monkeypatch):
    import medmnist
    from torchvision import datasets

    def md5(path):
        return hashlib.md5((root / path).read_bytes()).hexdigest()

    monkeypatch.setattr(files, "KNOWN", {})
    monkeypatch.setattr(usps, "MD5", {file: md5(file) for file in usps.PATHS})
    monkeypatch.setitem(medmnist.INFO["bloodmnist"], "MD5", md5("medmnist/bloodmnist.npz"))
    for part in ("train", "test"):
        cifar = [[part, md5(f"cifar-100-python/{part}")]]
        monkeypatch.setattr(datasets.CIFAR100, f"{part}_list", cifar)
    monkeypatch.setitem(datasets.CIFAR100.meta, "md5", md5("cifar-100-python/meta"))
    for name in ("usps", "bloodmnist", "cifar100-20"):
        got = load(name, root=root)
        assert got.original and "md5 published by" in got.provenance["files"][0]["checked"]


def test_a_known_copys_note_is_in_the_provenance(root, monkeypatch):
    for entry in files.KNOWN["usps.bz2"] + files.KNOWN["usps.t.bz2"]:
        monkeypatch.setitem(entry, "note", "not LIBSVM's own files")
    assert load("usps", root=root).provenance["notes"] == ["not LIBSVM's own files"]
    assert "not LIBSVM's own files" in load("usps", root=root).summary()


def test_imagenet10_is_resized_and_cropped(root):
    got = load("imagenet10", root=root, image_size=16)
    assert got.images.shape == (40, 3, 16, 16) and got.n_classes == 10
    assert np.bincount(got.labels).tolist() == [4] * 10
    # one color an image, which tells class and position in the folder
    np.testing.assert_array_equal(got.images[:, 0], np.broadcast_to(10 * got.labels[:, None, None], (40, 16, 16)))
    assert got.images[:3, 2, 0, 0].tolist() == [0, 1, 2]
    train, val = got.provenance["files"]
    assert train["file"] == "imagenet10/train" and train["images"] == dict.fromkeys(SYNSETS, 3)
    assert not got.original and val["images"] == dict.fromkeys(SYNSETS, 1) and "no digest" in val["checked"]
    assert load("imagenet10", root=root).images.shape == (40, 3, 96, 96)


def test_imagenet10_takes_the_middle_and_the_plain_layout(root):
    folder = root / "imagenet10"
    (folder / "train").rename(root / "elsewhere")
    for synset in (root / "elsewhere").iterdir():
        synset.rename(folder / synset.name)
    for part in folder.glob("val/*/*"):
        part.unlink()
    for part in folder.glob("val/*"):
        part.rmdir()
    (folder / "val").rmdir()
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(folder / next(iter(SYNSETS)) / "0.png")
    got = load("imagenet10", root=root, image_size=20)
    assert len(got) == 30 and (got.images[0] == 255).all()


def test_imagenet10_refuses_a_cut_off_image_and_a_missing_class(root):
    load("imagenet10", root=root, image_size=16)
    image = root / "imagenet10/train" / list(SYNSETS)[4] / "1.png"
    image.write_bytes(image.read_bytes()[:60])
    with pytest.raises(DataError, match=f"imagenet10: {image}: it can't be read"):
        load("imagenet10", root=root, image_size=16)
    for path in image.parent.iterdir():
        path.unlink()
    with pytest.raises(MissingDataError, match=list(SYNSETS)[4]):
        load("imagenet10", root=root, image_size=16)
    image.parent.rmdir()
    with pytest.raises(MissingDataError, match=f"imagenet10/train/{list(SYNSETS)[4]}"):
        load("imagenet10", root=root, image_size=16)


def test_the_md5s_of_usps_are_those_torchvision_publishes():
    from torchvision.datasets import USPS

    assert {file: md5 for _, file, md5 in USPS.split_list.values()} == usps.MD5


def test_packed_idx_files_are_read_where_there_are_no_others(root):
    unpacked = load("mnist-test", root=root)
    for path in (root / "MNIST" / "raw").glob("t10k-*"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = load("mnist-test", root=root)
    assert packed.digest == unpacked.digest
    assert all(record["file"].endswith("-ubyte.gz") for record in packed.provenance["files"])
    images = root / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-9])
    with pytest.raises(DataError, match=f"{images.name}: it can't be read"):
        load("mnist-test", root=root)
