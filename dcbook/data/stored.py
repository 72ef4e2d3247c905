"""Images of any number that stay on disk: what is needed is read, never all at once. `DeepCluster` takes them as x."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from dcbook.data.files import DataError, MissingDataError
from dcbook.data.layout import check_channels_first
from dcbook.data.pictures import pictures_by_class, read_rgb


class StoredImages(ABC):
    """`shape` (N, C, H, W), as of an array; the images themselves come in `batches`."""

    shape: tuple[int, int, int, int]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256 that tells these images from others."""

    @abstractmethod
    def batches(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """For each of `parts`, indices (B,), the images (B, C, H, W) float32 in [0, 1]."""


class ImageFile(StoredImages):
    """Images in one .npy file, uint8 (N, C, H, W), mapped into memory; ValueError for another shape or dtype.

    Channels that come last are another shape.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingDataError(f"{path}: there is no such file; numpy.save(path, images) writes one")
        try:
            images = np.lib.format.open_memmap(self.path, mode="r")
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"{path} is no whole .npy file ({error}); numpy.save(path, images) writes one") from error
        self.shape = images.shape
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError(f"{path} must hold uint8 (N, C, H, W), not {images.dtype} {self.shape}")
        check_channels_first(f"{path}: an array", self.shape)

    @property
    def digest(self) -> str:
        sha = hashlib.sha256(f"{self.shape}".encode())
        with open(self.path, "rb") as file:
            while block := file.read(1 << 24):
                sha.update(block)
        return sha.hexdigest()

    def batches(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        for part in parts:  # mapped anew each time: pages of a map that stays would pile up
            yield torch.from_numpy(np.load(self.path, mmap_mode="r")[part.numpy()]).float().div_(255)


class ImageFolder(StoredImages):
    """Images below `folder` as square RGB images, decoded when they are asked for.

    Parameters
    ----------
    folder : with one folder a class, as torchvision's `ImageFolder` wants it (classes may be meaningless). Hidden files
        and folders, whose names begin with a dot, and folders without images are left out.
    size : pixels a side; the shorter side is brought to it and the middle cut out, 8 to 1,024.
    workers : processes that decode; None: one per core, 0: none.

    Attributes
    ----------
    labels, class_names : int64 (N,) and the folders' names, for monitors
    digest : of `size` and the names and sizes of the files

    Raises MissingDataError if there are no images, ValueError for a size out of range, and DataError with the name of a
    file that can't be decoded, when its turn comes.
    """

    def __init__(self, folder: str | os.PathLike, size: int = 256, workers: int | None = None):
        from torchvision.transforms import CenterCrop, Compose, Resize

        if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 1024:
            raise ValueError(f"size must be an integer in 8..1024 pixels, not {size!r}")
        self.folder, self.size = Path(folder), size
        self.workers = (os.cpu_count() or 1) if workers is None else workers
        try:
            found = pictures_by_class(self.folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingDataError(f"{folder}: no folder of images, one folder a class, is there ({error})") from error
        self._fit = Compose([Resize(size), CenterCrop(size)])
        # one array of bytes: a list of a million strings would be copied into every worker, page by page
        paths = (path for paths in found.values() for path in paths)
        self._names = np.array([os.fsencode(os.path.relpath(path, self.folder)) for path in paths])
        self.labels = np.repeat(np.arange(len(found)), [len(paths) for paths in found.values()])
        self.class_names = tuple(found)
        self.shape = (len(self.labels), 3, size, size)

    @property
    def digest(self) -> str:
        sha = hashlib.sha256(f"{self.size}".encode())
        for name in self._names:
            sha.update(name + f" {os.path.getsize(self._path(name))}\n".encode())
        return sha.hexdigest()

    def __getitem__(self, i: int) -> Tensor:
        """Image i, uint8 (3, size, size)."""
        path = self._path(self._names[i])
        try:
            image = self._fit(read_rgb(path))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path}: it can't be read ({error}), so it is cut off or altered") from error
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).contiguous()

    def batches(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """As `StoredImages.batches`; images are decoded ahead."""
        rows = [part.tolist() for part in parts]
        how = {"num_workers": min(self.workers, len(rows)), "collate_fn": self._collated}
        how["generator"] = torch.Generator()  # without one a loader draws from torch's global stream
        return (images.float().div_(255) for images in DataLoader(self, batch_sampler=rows, **how))

    def _collated(self, images: list[Tensor]) -> Tensor:
        return default_collate(images) if images else torch.empty(0, *self.shape[1:], dtype=torch.uint8)

    def _path(self, name: bytes) -> str:
        return os.path.join(self.folder, os.fsdecode(name))
