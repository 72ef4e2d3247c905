"""A sweep: many runs on all cores, a GPU or a cluster, each recorded exactly once even after interruptions."""

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import joblib
from joblib.parallel import get_active_backend

from dcbook.experiments import records
from dcbook.experiments.processes import local_workers
from dcbook.experiments.progress import Progress
from dcbook.experiments.provenance import environment
from dcbook.experiments.result import Result
from dcbook.experiments.runs import Run, settings_of
from dcbook.experiments.starts import Starts
from dcbook.experiments.task_queue import TaskQueue, plan
from dcbook.experiments.worker import Outcome, Setup, dataset_key, estimator
from dcbook.files import remove_abandoned
from dcbook.training.inputs import resolve_device


def sweep(
    runs: Iterable[Run],
    folder: str | Path,
    *,
    starts_folder: str | Path,
    n_jobs: int | None = None,
    budget: float | None = None,
    device: str = "auto",
    progress: bool = True,
    load: Callable[..., Any] | None = None,
    start_type: type | None = None,
) -> Result:
    """Execute all runs that have no record yet.

    By default there is one process per core with one thread each; on a CUDA device the runs are executed one after
    another in this process. A start that several runs share is trained once. A sweep may be killed at any time and
    called again; two sweeps may share the folders at the same time.

    Inside ``joblib.parallel_config(backend="dask")`` the runs are executed on a cluster. Then `folder` and
    `starts_folder` must be on a file system that all machines share, each machine must have the data sets, and workers
    should have one thread each.

    Parameters
    ----------
    runs : iterable of Run
    folder : path
        The folder that holds the records, ``<dataset>/<method>-seed<k>-<key>.json``.
    starts_folder : path
        The folder that holds the shared starts; a cache that can be deleted.
    n_jobs : int, optional
        Number of processes; by default the number of usable cores, or 1 on a CUDA device.
    budget : float, optional
        Seconds after which no run begins, and running ones stop at their next epoch without a record. With 0 nothing
        is run, and no data are needed.
    device : str
        "auto", "cpu", "cuda", …, the `device` of the estimators.
    progress : bool
        Whether to show a progress line, and a summary at the end.
    load : callable, optional
        ``load(name, **sampling)`` returns the data set; by default `dcbook.data.load`.
    start_type : type, optional
        Class of the starts; by default `dcbook.methods.Start`.

    Returns
    -------
    Result
        Lists of the runs done, skipped, unfinished and failed. After Ctrl-C it has `interrupted` set.

    Raises
    ------
    RecordError
        If a record of one of the runs is edited or truncated.
    FileNotFoundError
        If a required data set is missing.
    ValueError
        If a record was made with data other than the present ones, or an argument is out of range.
    TypeError
        If an estimator does not have a parameter that its run gives.
    """
    if n_jobs is not None and n_jobs < 1:
        raise ValueError(f"n_jobs must be at least 1 or None for one per core, not {n_jobs}")
    if budget is not None and not budget >= 0:
        raise ValueError(f"budget must be a number of seconds >= 0 or None, not {budget}")
    if load is None:
        from dcbook.data import load
    deadline = float("inf") if budget is None else time.time() + budget
    folder = Path(folder).absolute()
    for written in (folder, Path(starts_folder).absolute()):
        remove_abandoned(written)
    runs = list({records.key(run.identity): run for run in runs}.values())
    found = {run: records.read(path) for run in runs if (path := records.path_of(run.identity, folder)).exists()}
    todo = [run for run in runs if run not in found]
    if budget == 0:
        result = Result(skipped=list(found), unfinished=todo)
        Progress(len(runs), progress).finish(str(result))
        return result
    digests = _check_data(todo, found, load, device)
    if not todo:
        result = Result(skipped=list(found))
        Progress(len(runs), progress).finish(str(result))
        return result

    outside = not isinstance(get_active_backend()[0], joblib.parallel.BACKENDS["loky"])
    on_gpu = not outside and resolve_device(device).type == "cuda"
    jobs = n_jobs or (1 if on_gpu else joblib.cpu_count())
    starts = Starts(Path(starts_folder).absolute(), start_type)
    agenda = TaskQueue(*plan(todo, starts, digests), deadline)
    for record in found.values():
        agenda.learn(record.run["method"], record.run["dataset"], record.provenance.get("seconds") or 0)
    setup = Setup(
        folder,
        starts,
        load,
        digests,
        device,
        None if on_gpu else 1,
        deadline,
        environment(),
        None if outside else os.getpid(),
    )
    interrupted = False
    local = nullcontext() if outside else local_workers(jobs, resolve_device(device))
    with local, Progress(len(agenda.tasks), progress) as line:
        workers = joblib.effective_n_jobs(-1) if outside else jobs

        def show() -> None:
            line.update(agenda.done, agenda.now(workers), agenda.seconds_left(workers))

        show()
        try:
            while agenda.open():
                try:
                    for outcome in _work(agenda.stream(setup), -1 if outside else jobs):
                        agenda.settle(outcome)
                        show()
                except Exception as error:  # a worker died, which ends joblib's pool
                    agenda.crashed(error)
        except KeyboardInterrupt:
            interrupted = True
    result = agenda.result(list(found), interrupted)
    line.finish(str(result))
    return result


def _work(calls: Iterator[Any], jobs: int) -> Iterator[Outcome]:
    """Outcomes in the order of completion; workers inherit that they ignore Ctrl-C and that threads wait passively."""
    parallel = joblib.Parallel(jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    with warnings.catch_warnings(), _inherited():
        warnings.simplefilter("ignore", UserWarning)
        outcomes = parallel(calls)
    yield from outcomes


@contextmanager
def _inherited() -> Iterator[None]:
    policy = os.environ.get("OMP_WAIT_POLICY")
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    main = threading.current_thread() is threading.main_thread() and sys.platform != "win32"
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        if policy is None:
            del os.environ["OMP_WAIT_POLICY"]
        else:
            os.environ["OMP_WAIT_POLICY"] = policy


def _check_data(todo: list[Run], found: dict[Run, Any], load: Callable, device: str) -> dict:
    """Digests of all data sets that are available; also checks the estimators before any work begins."""
    digests, classes = {}, {}
    needed = {dataset_key(run) for run in todo}
    for run in (*todo, *found):
        key = dataset_key(run)
        if key in digests:
            continue
        try:
            data = load(run.dataset, **run.sampling)
        except FileNotFoundError:
            if key in needed:
                raise
            continue  # all of its records exist, so the data are not needed
        digests[key], classes[key] = data.digest, data.n_classes
    for run, record in found.items():
        _check_record(run, record, digests.get(dataset_key(run)))
    for run in todo:
        link: Run | None = run
        while link is not None:
            try:
                estimator(link, device, classes[dataset_key(run)])
            except TypeError as error:
                raise TypeError(f"{link.method}: {error}") from None
            link = link.start
    return digests


def _check_record(run: Run, record: records.Record, data: str | None) -> None:
    """Raise ValueError if a record was made with other data or parameters (defaults included) than those of today."""
    made_with = record.provenance["data"]["digest"]
    if data not in (None, made_with):
        raise ValueError(
            f"{run}: its record was made with other data (digest {made_with[:12]}) than the present data "
            f"({data[:12]}); delete that record, or use another folder"
        )
    made, about = run, record.provenance
    while made and about:
        _check_parameters(run, made, about.get("parameters", {}))  # early records hold none of their starts
        made, about = made.start, about.get("start")


def _check_parameters(run: Run, made: Run, then: dict) -> None:
    now = records.rounded(settings_of(made.cls(**made.params)))
    what = "its record" if made is run else f"the start of its record, {made.method},"
    for name in now.keys() & then.keys():
        if now[name] != then[name]:
            raise ValueError(
                f"{run}: {what} was made with {name}={then[name]!r}, which is now {now[name]!r}; delete that "
                "record, or set the parameter in the settings"
            )
