"""MNIST, Fashion-MNIST and the union of both, from the idx files of torchvision.datasets, packed (.gz) or not."""

import gzip
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dcbook.data.files import PACKED, Arrays, Files

PARTS = ("train", "t10k")


def paths(names: Sequence[str], parts: Sequence[str] = PARTS) -> tuple[str, ...]:
    """The files below the root for torchvision's class names."""
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    return tuple(f"{name}/raw/{part}-{kind}" for name in names for part in parts for kind in kinds)


def read(files: Files, names: Sequence[str], parts: Sequence[str] = PARTS) -> tuple[Arrays, list[str]]:
    """Images (N, 1, 28, 28) uint8; labels, those of the second name after those of the first; class names."""
    from torchvision import datasets
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images, labels, classes = [], [], []
    for name in names:
        for part in parts:
            image_file, label_file = paths([name], [part])
            # torchvision publishes the md5 of the packed files only: these pass by their content
            images += files.read(partial(_decode, read_image_file), (files.found(image_file), None))
            (part_labels,) = files.read(partial(_decode, read_label_file), (files.found(label_file), None))
            labels.append(part_labels + len(classes))
        classes += getattr(datasets, name).classes
    return (np.concatenate(images)[:, None], np.concatenate(labels)), classes


def _decode(reader, path: Path) -> Arrays:
    if path.suffix != PACKED:
        return (reader(str(path)).numpy(),)
    with tempfile.TemporaryDirectory() as folder, gzip.open(path) as packed:
        unpacked = Path(folder) / path.stem
        unpacked.write_bytes(packed.read())
        return _decode(reader, unpacked)


def fetch(folder: Path, names: Sequence[str]) -> None:
    """Have torchvision download and unpack both parts of each name."""
    from torchvision import datasets

    for name in names:
        getattr(datasets, name)(folder, download=True)
