"""The course of a training: codes and clusters of all samples after each epoch, taken by a monitor while `fit` runs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from dcbook.clustering import kmeans
from dcbook.data import Dataset
from dcbook.experiments import Run, Scale
from dcbook.experiments.records import digest
from dcbook.experiments.starts import Starts
from dcbook.experiments.worker import estimator
from dcbook.training.inputs import stream
from dcbook.training.tensor_files import read_tensors, write_tensors

PIXELS, CODES = "pixels", "codes"
RESTARTS = 20  # of k-means on pixels, as many as after a pretraining
MILESTONES = tuple(4**power for power in range(8))  # epochs of a phase; its last one is a milestone as well
EARLY = 6  # epochs of a phase, in which most happens


@dataclass(frozen=True, eq=False)
class Frame:
    """All samples at one moment.

    Attributes
    ----------
    name : when it was taken, such as "phase 2, epoch 4".
    space : the space that `codes` lie in; frames of one space are comparable coordinate by coordinate.
    codes : (N, d) float32.
    clusters : (N,) int64, in 0..K-1.
    epoch : of its phase; 0 for a frame of no training.
    milestone : whether the frame gets the maps that take long, see `MILESTONES`.
    """

    name: str
    space: str
    codes: np.ndarray
    clusters: np.ndarray
    epoch: int = 0
    milestone: bool = True


@dataclass(frozen=True)
class Route:
    """One method as the explorer shows it: the run that it ends with, and where its frames lie.

    Attributes
    ----------
    run : name of the method in the settings. It goes on from a shared start, perhaps over other runs.
    about : what a reader should know of it, in a sentence or two.
    space : the space of its frames; another name than "codes" gives them a map of their own.
    place : a fitted model and the samples → their (N, d) coordinates in that space; by default `model.transform(x)`.
    """

    run: str
    about: str
    space: str = CODES
    place: Callable[[Any, np.ndarray], np.ndarray] | None = None

    def coordinates(self, model: Any, x: np.ndarray) -> np.ndarray:
        """(N, d) float32."""
        return np.asarray(self.place(model, x) if self.place else model.transform(x), dtype=np.float32)


@dataclass(frozen=True)
class Plan:
    """What a chapter has the explorer show, as `EXPLORER[scale]` of its module `explorer`.

    Attributes
    ----------
    settings : data sets, methods and starts, as for a grid.
    titles : the data sets by the name that a page prints.
    start : the start that all routes share, in a sentence.
    routes : by the name that a page prints.
    """

    settings: Scale
    titles: Mapping[str, str]
    start: str
    routes: Mapping[str, Route]


def of_pixels(data: Dataset, seed: int) -> Frame:
    """The samples as they are, clustered by k-means."""
    x = data.images.reshape(len(data), -1).astype(np.float32)
    x = x / 255 if data.images.dtype == np.uint8 else x
    found = kmeans(x, data.n_classes, n_init=RESTARTS, random_state=stream(seed, "explorer: k-means on pixels"))
    return Frame("pixels", PIXELS, x, found.labels.numpy())


def of_start(run: Run, data: Dataset, starts: Starts) -> Frame:
    """The codes of a shared start and the clusters of its centers; it is trained where it isn't kept yet."""
    folder, _ = starts.get(run.recipe(data.digest), lambda: _model(run, data).fit(data.images))
    start = _model(run, data).set_params(start=folder).fit(data.images)
    return Frame("after pretraining", CODES, start.transform(data.images), start.labels_)


def of_route(route: Route, run: Run, data: Dataset, starts: Starts, folder: Path) -> list[Frame]:
    """The frames of a route after its shared start, one an epoch: of each run that leads to `run`, and of `run` itself.

    They are kept in `folder`, so that maps can be drawn anew without training.
    """
    parts = chain(run)[1:]
    paths = [_path(route, part, data, folder) for part in parts]
    for part, path, after in zip(parts, paths, [*paths[1:], None], strict=True):
        leads = after is not None and not after.exists() and not starts.has(part.recipe(data.digest))
        if leads or not path.exists():
            _take(route, part, data, starts, path, leads)
    return [frame for path in paths for frame in _read(route, path)]


def thinned(frames: Sequence[Frame], every: int) -> list[Frame]:
    """Those of the early epochs, of every `every`-th one, and the milestones."""
    return [frame for frame in frames if frame.milestone or frame.epoch <= EARLY or frame.epoch % every == 0]


def chain(run: Run) -> list[Run]:
    """The runs that lead to `run`, from the first start on, and `run` itself."""
    return [*(chain(run.start) if run.start else ()), run]


def _path(route: Route, run: Run, data: Dataset, folder: Path) -> Path:
    """Where the frames of a run are kept."""
    key = [run.recipe(data.digest), route.space]
    return folder / f"{run.dataset}-{run.method}-{digest(key)[:12]}.safetensors"


def _read(route: Route, path: Path) -> list[Frame]:
    tensors, about = read_tensors(path, "frames", "delete it to have them taken anew")
    frames = []
    for number, (phase, epoch) in enumerate(about["moments"]):
        last = [phase, epoch] == about["moments"][-1]
        frames.append(
            Frame(
                f"{phase}, epoch {epoch}" + last * " (end)",
                route.space,
                tensors[f"codes {number}"].numpy(),
                tensors[f"clusters {number}"].numpy(),
                epoch,
                last or epoch in MILESTONES,
            )
        )
    return frames


def _take(route: Route, run: Run, data: Dataset, starts: Starts, path: Path, leads: bool) -> None:
    """Fit a run from its kept start and write its frames; where another run goes on from it, keep its end as well."""
    moments, tensors = [], {}

    def take(model: Any) -> None:
        moment = [model.history_[-1][name] for name in ("phase", "epoch")]
        moments[:] = [*(known for known in moments if known != moment), moment]
        tensors[f"codes {len(moments) - 1}"] = torch.as_tensor(route.coordinates(model, data.images))
        tensors[f"clusters {len(moments) - 1}"] = torch.as_tensor(model.labels_)

    began = time.perf_counter()
    model = _model(run, data).set_params(start=starts.check(run.start.recipe(data.digest))[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of clusters that hold no samples: the page shows them
        model.fit(data.images, monitor=take)
    seconds = time.perf_counter() - began
    take(model)  # the end again, as `fit` leaves it
    if leads:
        with starts.lock(run.recipe(data.digest)):
            starts.save(run.recipe(data.digest), model, seconds)
    write_tensors(path, tensors, {"moments": moments})


def _model(run: Run, data: Dataset) -> Any:
    return estimator(run, "cpu", data.n_classes)
