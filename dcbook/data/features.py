"""Feature files: what a network made of the images of a data set, to be clustered in their place (DCSS Tables 3 and 5).

A file is safetensors with one float32 array ``features`` (N, d) and, in its header, the digest of the data set whose
rows it has, what made it, and a digest of all of that.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dcbook.data.dataset import Dataset
from dcbook.data.digest import content_digest
from dcbook.data.files import DataError, MissingDataError
from dcbook.files import write_whole

FOLDER = "features"


@dataclass(frozen=True, eq=False)
class Features:
    """The content of a feature file.

    Attributes
    ----------
    values
        Nxd float32.
    made_from
        ``name`` and ``digest`` of the data set whose samples they are, row by row.
    made_by
        What made them.
    digest
        SHA-256 over all of that.
    """

    values: np.ndarray
    made_from: Mapping[str, str]
    made_by: Any

    @property
    def digest(self) -> str:
        said = json.dumps({"made_from": self.made_from, "made_by": self.made_by}, sort_keys=True, allow_nan=False)
        return hashlib.sha256(f"{content_digest(self.values)} {said}".encode()).hexdigest()


def save_features(path: str | os.PathLike, features: np.ndarray, dataset: Dataset, made_by: Any) -> Path:
    """Write a feature file, whole or not at all.

    Parameters
    ----------
    path
        By custom ``<data folder>/features/<name>.safetensors``, where `load` finds it by its name.
    features
        Nxd real numbers, finite, kept as float32; row i for the i-th sample of the data set.
    dataset
        What `load` gave: a whole set, or a sample of it, which is then the one that the file is for.
    made_by
        What made them, in JSON's types: a sentence, or a method with its parameters.

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        The features have another form than that, or `made_by` has no place in JSON.
    """
    values = np.ascontiguousarray(features, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(f"features must have the shape Nxd, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("features must be finite, and there are NaN or infinity among them")
    if len(values) != len(dataset):
        raise ValueError(f"{dataset.name} has {len(dataset):,} samples, and there are features of {len(values):,}")
    made = Features(values, {"name": dataset.name, "digest": dataset.digest}, made_by)
    about = {"made_from": made.made_from, "made_by": made.made_by, "digest": made.digest}
    header = {name: json.dumps(value) for name, value in about.items()}
    write_whole(path, save({"features": values}, header))
    return Path(path)


def read_features(path: str | os.PathLike) -> Features:
    """Read and check a feature file; a DataError names it if it is cut off, altered or something else."""
    remedy = "put a good copy in its place, or make it again"
    try:
        with safe_open(path, framework="numpy") as file:
            values = file.get_tensor("features")
            about = {name: json.loads(text) for name, text in file.metadata().items()}
        found = Features(values, about["made_from"], about["made_by"])
        stated = about["digest"]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: no whole feature file ({type(error).__name__}: {error}); {remedy}") from error
    if found.digest != stated:
        raise DataError(f"{path}: altered after it was written (its digest does not match); {remedy}")
    return found


def find_features(features: str | os.PathLike, root: Path) -> Path:
    """The path of a feature file: as it is given, else below the data folder's ``features``."""
    for path in (given := Path(features).expanduser(), root / FOLDER / given):
        if path.is_file():
            return path
    raise MissingDataError(
        f"no feature file at {given}, nor at {root / FOLDER / given}. Make it with dcbook.experiments.make_features or "
        "dcbook.data.save_features; the notebooks of the book make theirs themselves (make figures NOTEBOOK=…)"
    )


def with_features(data: Dataset, path: Path, found: Features) -> Dataset:
    """The data set with its samples' features in place of its images; a DataError where they are of other samples."""
    if found.made_from["digest"] != data.digest:
        raise DataError(
            f"{data.name}: {path} holds features of other samples: {len(found.values):,} of {found.made_from['name']} "
            f"(digest {found.made_from['digest'][:12]}), and here are {len(data):,} (digest {data.digest[:12]})"
        )
    about = {
        "file": path.name,
        "digest": found.digest,
        "made_by": found.made_by,
        "made_from": found.made_from["digest"],
    }
    return replace(data, images=found.values, provenance={**data.provenance, "features": about})
