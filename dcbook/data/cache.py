"""Decoded arrays kept beside the data, for decoders that take seconds.

A kept file is found by a digest of the source's bytes and of who decoded them, and holds the digest of its
arrays. So a source that changed is decoded again, and so is one whose kept file doesn't match its digest.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from dcbook.data.digest import content_digest
from dcbook.files import written_whole


def cached(
    decode: Callable[[Path], tuple[np.ndarray, ...]], root: Path, source: str, recipe: str = ""
) -> tuple[np.ndarray, ...]:
    """``decode(root / source)``, or what it gave the last time for the same bytes.

    Parameters
    ----------
    decode
        From a path to arrays.
    root
        The data folder; arrays are kept in its ``.decoded``, where that can be written.
    source
        A file or folder below the root.
    recipe
        What else the arrays depend on, e.g. the size that images are cut to.

    Returns
    -------
    tuple of ndarray
    """
    key = _bytes_digest(root / source, f"{recipe} torchvision {version('torchvision')}")
    kept = root / ".decoded" / f"{Path(source).name}-{key[:16]}.npz"
    with suppress(Exception):  # whatever is wrong with it, the source is there
        with np.load(kept) as file:
            digest, *arrays = (file[name] for name in file.files)
        if content_digest(*arrays) == str(digest):
            return tuple(arrays)
    arrays = tuple(decode(root / source))
    with suppress(OSError), written_whole(kept) as file:  # a data folder may be read-only, or full
        np.savez(file, np.array(content_digest(*arrays)), *arrays)
    return arrays


def _bytes_digest(source: Path, recipe: str) -> str:
    digest = hashlib.sha256(recipe.encode())
    for path in sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]:
        digest.update(f"{path.relative_to(source)} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
