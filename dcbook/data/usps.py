"""USPS, 9,298 handwritten digits of 16x16 pixels, through torchvision.datasets.USPS."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files

MD5 = {  # as torchvision.datasets.USPS.split_list has them; importing that takes longer than reading kept arrays
    "usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197",
    "usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118",
}
PATHS = tuple(MD5)


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (9298, 1, 16, 16) uint8, train before test; labels; class names."""
    parts = [files.read(_decode, (path, md5), keep=True) for path, md5 in MD5.items()]
    images, labels = map(np.concatenate, zip(*parts, strict=True))
    return (images[:, None], labels), [str(digit) for digit in range(10)]


def _decode(path: Path) -> Arrays:
    from torchvision.datasets import USPS

    usps = USPS(path.parent, train=path.name == PATHS[0])
    return usps.data, np.array(usps.targets)


def fetch(folder: Path) -> None:
    """Have torchvision download both parts."""
    from torchvision.datasets import USPS

    for train in (True, False):
        USPS(folder, train=train, download=True)
