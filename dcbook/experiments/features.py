"""Features made once: a self-supervised method is fitted to a data set and its H and Z spaces are kept as files."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock
from sklearn.base import clone

from dcbook.data import Dataset, data_root, load, save_features
from dcbook.data.features import FOLDER, read_features
from dcbook.experiments.records import digest, path_of, plain, workroom
from dcbook.experiments.result import Result
from dcbook.experiments.run_checkpoint import RunCheckpoint
from dcbook.experiments.runs import SPACES, Run, Scale, features_name, settings_of
from dcbook.experiments.sweep import sweep


def make_features(
    data: Dataset,
    method: Any,
    *,
    root: str | os.PathLike | None = None,
    name: str | None = None,
    deadline: float = float("inf"),
) -> dict[str, Path]:
    """Fit `method` to the images of `data`, unless it was done before, and keep what it makes of them.

    A fit that was stopped, by whatever, goes on from its last epoch.

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
    deadline : float
        Time (``time.time()``) after which the fit stops at its next epoch.

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
    TimeoutError
        If the deadline came first, also while another process was making them.
    """
    if not hasattr(method, "project") or not isinstance(method.random_state, int):
        raise TypeError(f"features come from SimCLR or MoCo with an integer as random_state, not from {method!r}")
    name = name or f"{data.name}-{type(method).__name__.lower()}"
    folder = data_root(root) / FOLDER
    paths = {space: folder / f"{name}-{space}.safetensors" for space in SPACES}
    about = {"method": type(method).__name__, "parameters": settings_of(method), "seed": method.random_state}
    made_by = {space: plain({**about, "space": space}) for space in SPACES}
    with FileLock(workroom(folder) / f"{name}.lock", timeout=max(0.0, deadline - time.time())):
        if all([_kept(paths[space], data, made_by[space]) for space in SPACES]):
            return paths
        half = workroom(folder) / f"{name}-{digest([about, data.digest])[:16]}"
        spent = TimeoutError("the time budget is spent; the same call goes on from here")
        fitted = clone(method).fit(data.images, checkpoint=RunCheckpoint(half, deadline, spent))
        if fitted.interrupted_:
            raise KeyboardInterrupt(f"{method!r} was interrupted; the next call goes on from there")
        for space, give in SPACES.items():
            save_features(paths[space], getattr(fitted, give)(data.images), data, made_by[space])
        half.unlink(missing_ok=True)
    return paths


def make_missing(
    scale: Scale,
    runs: Iterable[Run],
    folder: str | os.PathLike,
    *,
    device: str = "auto",
    deadline: float = float("inf"),
) -> None:
    """Make the features that runs of a scale need, where one of them has no record in `folder` yet.

    One learner (random_state 0) for all methods and seeds.

    Raises
    ------
    ValueError, DataError, TimeoutError
        As `make_features`.
    """
    waiting = (run for run in runs if "features" in run.sampling and not path_of(run.identity, folder).exists())
    for dataset in dict.fromkeys(run.dataset for run in waiting):
        data = load(dataset, **scale.datasets[dataset])
        for learner, method in scale.features.items():
            model = method.cls(data.n_classes, random_state=0, device=device, **method.params)
            files = features_name(scale, dataset, learner)
            print(f"features {files}: from {type(model).__name__}, trained once", flush=True)
            make_features(data, model, name=files, deadline=deadline)


def sweep_scale(
    scale: Scale, runs: Iterable[Run], folder: str | os.PathLike, *, budget: float | None = None, **options: Any
) -> Result:
    """Runs of a scale and, before them, the features that they need; `options` as of `sweep`.

    The budget is that of both: a learner that is not done when it is spent leaves all runs unfinished. With 0 nothing
    is trained, and no data are needed.
    """
    runs = list(runs)
    if budget is not None and not budget > 0:  # `sweep` refuses what is below 0
        return sweep(runs, folder, budget=budget, **options)
    deadline = float("inf") if budget is None else time.time() + budget
    try:
        make_missing(scale, runs, folder, device=options.get("device", "auto"), deadline=deadline)
    except TimeoutError:
        made = [run for run in runs if path_of(run.identity, folder).exists()]
        return Result(skipped=made, unfinished=[run for run in runs if run not in made])
    left = None if budget is None else max(0.0, deadline - time.time())
    return sweep(runs, folder, budget=left, **options)


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
