"""Features made once: a self-supervised method is fitted to a data set and its H and Z spaces are kept as files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock
from sklearn.base import clone

from dcbook.data import Dataset, data_root, load, save_features
from dcbook.data.features import FOLDER, read_features
from dcbook.experiments.records import path_of, plain, workroom
from dcbook.experiments.runs import SPACES, Run, Scale, features_name, settings_of


def make_features(
    data: Dataset, method: Any, *, root: str | os.PathLike | None = None, name: str | None = None
) -> dict[str, Path]:
    """Fit `method` to the images of `data`, unless it was done before, and keep what it makes of them.

    Parameters
    ----------
    data : Dataset
        What `dcbook.data.load` gave; its labels are not looked at.
    method : SimCLR or MoCo
        Not fitted; with an integer as `random_state`, so that the features can be made again. It is cloned.
    root : path, optional
        The data folder, as in `load`.
    name : str, optional
        Beginning of the files' names; by default data set and method, such as "cifar10-simclr".

    Returns
    -------
    dict
        "h" and "z" to the paths of ``<root>/features/<name>-h.safetensors`` and ``…-z.safetensors``, for
        ``load(data.name, features=…)``: H space, before the projection head, and Z space, after it.

    Raises
    ------
    TypeError
        If `method` has no `project`, or no integer as `random_state`.
    ValueError
        If files of these names hold other features.
    DataError
        If such a file is cut off or altered.
    """
    if not hasattr(method, "project") or not isinstance(method.random_state, int):
        raise TypeError(f"features come from SimCLR or MoCo with an integer as random_state, not from {method!r}")
    name = name or f"{data.name}-{type(method).__name__.lower()}"
    folder = data_root(root) / FOLDER
    paths = {space: folder / f"{name}-{space}.safetensors" for space in SPACES}
    about = {"method": type(method).__name__, "parameters": settings_of(method), "seed": method.random_state}
    made_by = {space: plain({**about, "space": space}) for space in SPACES}
    with FileLock(workroom(folder) / f"{name}.lock"):
        if all([_kept(paths[space], data, made_by[space]) for space in SPACES]):
            return paths
        fitted = clone(method).fit(data.images)
        if fitted.interrupted_:
            raise KeyboardInterrupt(f"{method!r} was interrupted; no features are kept")
        for space, give in SPACES.items():
            save_features(paths[space], getattr(fitted, give)(data.images), data, made_by[space])
    return paths


def make_missing(scale: Scale, runs: Iterable[Run], folder: str | os.PathLike, *, device: str = "auto") -> None:
    """Make the features that runs of a scale need, where one of them has no record in `folder` yet.

    One learner (random_state 0) for all methods and seeds. It takes as long as the learner, whatever the budget of the
    sweep after it, and begins anew if it was interrupted.

    Raises
    ------
    ValueError, DataError
        As `make_features`.
    """
    waiting = (run for run in runs if "features" in run.sampling and not path_of(run.identity, folder).exists())
    for dataset, name in dict.fromkeys((run.dataset, run.scale) for run in waiting):
        data = load(dataset, **scale.datasets[dataset])
        for learner, method in scale.features.items():
            model = method.cls(data.n_classes, random_state=0, device=device, **method.params)
            files = features_name(scale, name, dataset, learner)
            print(f"features {files}: from {type(model).__name__}, trained once", flush=True)
            make_features(data, model, name=files)


def _kept(path: Path, data: Dataset, made_by: dict) -> bool:
    """Whether the file is there; ValueError if it holds something else."""
    if not path.exists():
        return False
    found = read_features(path)
    if found.made_from["digest"] != data.digest:
        raise ValueError(f"{path} holds features of other samples; delete it, or give another name")
    if found.made_by != made_by:
        raise ValueError(f"{path} was made by {found.made_by}, not by {made_by}; delete it, or give another name")
    return True
