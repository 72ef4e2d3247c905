"""MedMNIST v2's sets of 28 pixels, images or volumes, through the medmnist package."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files


def read(files: Files, flag: str) -> tuple[Arrays, list[str]]:
    """Images (N, C, 28, 28) or volumes (N, 1, 28, 28, 28) uint8, train, val, test joined; labels; names."""
    import medmnist

    info = medmnist.INFO[flag]

    def decode(path: Path) -> Arrays:
        parts = [getattr(medmnist, info["python_class"])(part, root=path.parent) for part in ("train", "val", "test")]
        images = np.concatenate([part.imgs for part in parts])
        color = info["n_channels"] == 3
        return (
            np.moveaxis(images, -1, 1) if color else images[:, None],
            np.concatenate([part.labels for part in parts])[:, 0].astype(np.int64),
        )

    arrays = files.read(decode, (f"medmnist/{flag}.npz", info["MD5"]), library="medmnist")
    return arrays, [info["label"][str(k)] for k in range(len(info["label"]))]


def fetch(folder: Path, flag: str) -> None:
    """Have medmnist download the set."""
    import medmnist

    (folder / "medmnist").mkdir(exist_ok=True)
    getattr(medmnist, medmnist.INFO[flag]["python_class"])("test", root=folder / "medmnist", download=True)
