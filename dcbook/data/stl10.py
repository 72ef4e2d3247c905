"""STL-10, its 13,000 labeled images of 96x96 pixels, through torchvision.datasets.STL10."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files

PATHS = tuple(f"stl10_binary/{part}_{kind}.bin" for part in ("train", "test") for kind in "Xy")
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (13000, 3, 96, 96) uint8, train before test; labels; class names."""
    from torchvision.datasets import STL10

    class Labeled(STL10):
        def _check_integrity(self) -> bool:  # the original one also demands the 2.8 GB without labels
            return True

    md5s = {f"{STL10.base_folder}/{file}": md5 for file, md5 in STL10.train_list + STL10.test_list}
    parts = []
    for part in ("train", "test"):

        def decode(path: Path, part: str = part) -> Arrays:
            stl = Labeled(path.parent.parent, split=part)
            return stl.data, stl.labels.astype(np.int64)

        parts.append(files.read(decode, *((path, md5s[path]) for path in PATHS if f"/{part}_" in path)))
    images, labels = map(np.concatenate, zip(*parts, strict=True))
    return (images, labels), list(CLASSES)


def fetch(folder: Path) -> None:
    """Have torchvision download and unpack everything (the unlabeled images too; they aren't kept)."""
    from torchvision.datasets import STL10

    STL10(folder, split="test", download=True)
