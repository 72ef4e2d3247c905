"""USPS, 9,298 handwritten digits of 16x16 pixels, through torchvision.datasets.USPS."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files

PATHS = ("usps.bz2", "usps.t.bz2")


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (9298, 1, 16, 16) uint8, train before test; labels; class names."""
    from torchvision.datasets import USPS

    parts = []
    for part in ("train", "test"):
        _, path, md5 = USPS.split_list[part]

        def decode(path: Path, train: bool = part == "train") -> Arrays:
            usps = USPS(path.parent, train=train)
            return usps.data, np.array(usps.targets)

        parts.append(files.read(decode, (path, md5), keep=True))
    images, labels = map(np.concatenate, zip(*parts, strict=True))
    return (images[:, None], labels), [str(digit) for digit in range(10)]


def fetch(folder: Path) -> None:
    """Have torchvision download both parts."""
    from torchvision.datasets import USPS

    for train in (True, False):
        USPS(folder, train=train, download=True)
