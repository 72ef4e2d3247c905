"""One task of a sweep in a worker: load the data, get the start, fit, score, and write the record."""

import functools
import json
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from sklearn.exceptions import ConvergenceWarning

from dcbook.evaluation import scores
from dcbook.experiments import records
from dcbook.experiments.processes import interrupts_noticed, keep_freed_memory, limited_threads, serve
from dcbook.experiments.provenance import device_name, peak_memory, reset_peak_memory
from dcbook.experiments.run_checkpoint import RunCheckpoint
from dcbook.experiments.runs import Run, settings_of
from dcbook.experiments.starts import Starts
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import resolve_device

BUSY_AFTER = 0.1  # seconds; then a task that another sweep is executing is postponed

_ONE_AT_A_TIME = threading.Lock()  # per process, even if a cluster's workers have several threads


@dataclass(frozen=True)
class Setup:
    """The settings that all tasks of a sweep share."""

    folder: Path
    starts: Starts
    load: Callable
    digests: dict
    device: str
    threads: int | None
    deadline: float
    environment: dict
    sweeper: int | None


@dataclass(frozen=True)
class Task:
    """Fit `run`, and write its record, store its end state as a start for other runs, or both."""

    run: Run
    record: bool
    keep: bool


@dataclass(frozen=True)
class Outcome:
    """`status` is "done", "skipped" (had a record), "busy" (in another sweep), "stopped", "failed" or "idle"."""

    task: int | None
    status: str
    seconds: float = 0.0
    error: str = ""
    trace: str = ""


class _OutOfTime(Exception):
    """The time budget is spent; raised from `fit` by the monitor or the checkpoint."""


def idle(seconds: float) -> Outcome:
    """Wait for `seconds`, because no task can begin."""
    time.sleep(seconds)
    return Outcome(None, "idle")


def carry_out(number: int, task: Task, setup: Setup) -> Outcome:
    """Execute one task; an error is returned as an outcome."""
    if setup.sweeper not in (None, os.getpid()):
        serve(setup.sweeper)
    keep_freed_memory()
    began = time.perf_counter()
    try:
        with _ONE_AT_A_TIME, limited_threads(setup.threads), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # keeps warnings out of stored outputs
            status = _record(task, setup) if task.record else _train(task.run, setup)
        return Outcome(number, status, time.perf_counter() - began)
    except _OutOfTime:
        return Outcome(number, "stopped")
    except Exception as error:
        return Outcome(number, "failed", error=f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def dataset_key(run: Run) -> tuple[str, str]:
    """The data set and sampling of this run, as a key."""
    return run.dataset, json.dumps(records.plain(run.sampling), sort_keys=True)


def estimator(run: Run, device: str, n_clusters: int, start: Any = None) -> Any:
    """The estimator of a run, not yet fitted; TypeError if it lacks a parameter that the run gives."""
    model = run.cls(**run.params)
    takes = model.get_params(deep=False)
    given = {"random_state": run.seed, "n_clusters": n_clusters, "device": device, "progress": False}
    given = {name: value for name, value in given.items() if name in takes and name not in run.params}
    return model.set_params(**given, **({} if start is None else {"start": start}))


def _record(task: Task, setup: Setup) -> str:
    path = records.path_of(task.run.identity, setup.folder)
    try:
        with FileLock(records.workroom(setup.folder) / f"{path.stem}.lock", timeout=BUSY_AFTER):
            if path.exists():
                records.read(path)
                return "skipped"
            return _fit_and_write(task, setup)
    except Timeout:
        return "busy"


def _fit_and_write(task: Task, setup: Setup) -> str:
    run, data = task.run, _data(task.run, setup)
    recipe = run.recipe(data.digest)
    with _waited_for(setup.starts.lock(recipe, _left(setup))) if task.keep else nullcontext():
        fitted, about, before = _fit(run, data, setup)
        if task.keep:
            setup.starts.save(recipe, fitted, about["seconds"])
    result = scores(data.labels, fitted.labels_)
    portrait = run.watch.portrait(fitted, data) if run.watch else {}
    history = getattr(fitted, "history_", []) or before  # a run without epochs of its own is its start
    record = records.Record(run.identity, result, history, about, portrait)
    records.write(record, setup.folder)
    _half(run, data, setup).unlink(missing_ok=True)
    return "done"


def _train(run: Run, setup: Setup) -> str:
    data = _data(run, setup)
    try:
        _stored(run, data, setup, BUSY_AFTER)
    except TimeoutError:
        return "busy"
    return "done"


def _shared(run: Run, data: Any, setup: Setup) -> tuple[Path, dict]:
    """The folder of `run`'s end state and data about it; the run is executed if it is not stored yet."""
    try:
        return _stored(run, data, setup, _left(setup))
    except TimeoutError:
        raise _OutOfTime from None


def _stored(run: Run, data: Any, setup: Setup, timeout: float) -> tuple[Path, dict]:
    """What `Starts.get` gives for `run`; the checkpoint of a training is removed after its end state is stored."""
    recipe = run.recipe(data.digest)
    trained = not setup.starts.has(recipe)
    stored = setup.starts.get(recipe, lambda: _fit(run, data, setup)[0], timeout=timeout)
    if trained:
        _half(run, data, setup).unlink(missing_ok=True)
    return stored


def _half(run: Run, data: Any, setup: Setup) -> Path:
    """The checkpoint of `run`'s training."""
    return records.workroom(setup.folder) / records.digest([run.identity, run.recipe(data.digest)])


def _settings(start: Run) -> dict:
    """All parameters of a start, defaults included, and of what it starts from."""
    return {"parameters": settings_of(start.cls(**start.params)), "start": start.start and _settings(start.start)}


def _fit(run: Run, data: Any, setup: Setup) -> tuple[Any, dict, list[dict]]:
    """The fitted estimator of a run, its provenance, and the history of its start."""
    start, about_start = _shared(run.start, data, setup) if run.start else (None, None)
    before = about_start.pop("history") if run.start else []
    about_start = run.start and about_start | _settings(run.start)
    device = resolve_device(setup.device)
    model = estimator(run, setup.device, data.n_classes, start)
    resumes = isinstance(model, DeepClusterer)
    monitor = _Monitor(data, run, float("inf") if resumes else setup.deadline)
    if time.time() > setup.deadline:
        raise _OutOfTime
    reset_peak_memory(device)
    checkpoint = RunCheckpoint(_half(run, data, setup), setup.deadline, _OutOfTime())
    goes_on = {"checkpoint": checkpoint} if resumes else {}
    began = time.perf_counter()
    with interrupts_noticed():
        model.fit(data.images, monitor=monitor, **goes_on)
    seconds = time.perf_counter() - began + getattr(model, "seconds_before_", 0)
    if monitor.stopped:
        raise _OutOfTime
    provenance = {
        **setup.environment,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "seconds": round(seconds, 3),
        "peak_memory_mib": round(peak_memory(device), 1),
        "parameters": settings_of(model),
        "data": {"digest": data.digest, "original": data.original, **data.provenance},
        "start": about_start,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return model, provenance, before


class _Monitor:
    """Called after every epoch: scores every few epochs, and ends the fit when the budget is spent."""

    def __init__(self, data: Any, run: Run, deadline: float):
        self.data, self.watch, self.every, self.deadline = data, run.watch, run.monitor_every, deadline
        self.stopped = False

    def __call__(self, model: Any) -> dict[str, float]:
        if time.time() > self.deadline:
            self.stopped = True
            raise _OutOfTime
        epochs = getattr(model, "history_", None) or [{}]
        if not self.every or len(epochs) % self.every or epochs[-1].get("phase") == "pretraining":  # no clusters yet
            return {}
        result = scores(self.data.labels, model.labels_)
        seen = self.watch.epoch(model, self.data) if self.watch else {}
        return {"acc": result["acc"], "nmi": result["nmi"], **seen}


def _data(run: Run, setup: Setup) -> Any:
    key = dataset_key(run)
    data = _loaded(setup.load, *key, setup.digests[key])
    if data.digest != setup.digests[key]:
        raise ValueError(
            f"{run.dataset}: this machine's copy (digest {data.digest[:12]}) differs from that of the sweep's machine "
            f"({setup.digests[key][:12]}); give all machines the same files"
        )
    return data


@functools.lru_cache(maxsize=2)
def _loaded(load: Callable, name: str, sampling: str, digest: str) -> Any:
    return load(name, **json.loads(sampling))


def _left(setup: Setup) -> float:
    return -1 if setup.deadline == float("inf") else max(0.0, setup.deadline - time.time())


@contextmanager
def _waited_for(lock: FileLock) -> Iterator[None]:
    try:
        lock.acquire()
    except Timeout:
        raise _OutOfTime from None
    try:
        yield
    finally:
        lock.release()
