"""CIFAR-10, and CIFAR-100 with its 20 coarse labels, from the batch files that torchvision.datasets names.

torchvision unpickles these files, and a pickle can run code. Here they are read by an unpickler that makes
arrays only, so that a file which isn't byte for byte the published one can be judged by its content.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files


def _latin1(text: str, encoding: str) -> bytes:
    """Stands in for codecs.encode, by which pickles of protocol 2 write bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} has no place in a file of images")
    return text.encode("latin1")


ADMITTED = {
    ("_codecs", "encode"): _latin1,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
}
# torchvision's class, its folder, the keys of the labels and of their names
CIFAR10 = ("CIFAR10", "cifar-10-batches-py", "labels", "label_names")
CIFAR100_20 = ("CIFAR100", "cifar-100-python", "coarse_labels", "coarse_label_names")


def read(files: Files, kind: Sequence[str], parts: Sequence[str] = ("train", "test")) -> tuple[Arrays, list[str]]:
    """Images (N, 3, 32, 32) uint8; labels; class names."""
    from torchvision import datasets

    name, folder, labels_key, names_key = kind
    cifar = getattr(datasets, name)

    def batch(path: Path) -> Arrays:
        content = _unpickle(path)
        return content["data"].reshape(-1, 3, 32, 32), np.array(content[labels_key], dtype=np.int64)

    def names(path: Path) -> Arrays:
        return (np.array(_unpickle(path)[names_key], dtype="S"),)

    (classes,) = files.read(names, (f"{folder}/{cifar.meta['filename']}", cifar.meta["md5"]))
    batches = [
        files.read(batch, (f"{folder}/{file}", md5)) for part in parts for file, md5 in getattr(cifar, f"{part}_list")
    ]
    images, labels = map(np.concatenate, zip(*batches, strict=True))
    return (images, labels), [str(name, "ascii") for name in classes]


class _Unpickler(pickle.Unpickler):
    """Makes arrays, and lists, dicts, texts and numbers; refuses everything else."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of images")
        return ADMITTED[module, name]


def _unpickle(path: Path) -> dict:
    with path.open("rb") as file:
        return _Unpickler(file, encoding="latin1").load()


def fetch(folder: Path, kind: Sequence[str]) -> None:
    """Have torchvision download and unpack all parts."""
    from torchvision import datasets

    getattr(datasets, kind[0])(folder, download=True)
