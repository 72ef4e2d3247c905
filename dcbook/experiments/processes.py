"""The processes of a sweep: how they start, their numbers of threads, and how they are stopped."""

import ctypes
import functools
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from joblib import parallel_config, wrap_non_picklable_objects
from joblib.parallel import ParallelBackendBase
from threadpoolctl import threadpool_limits

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's numbers of these options, malloc.h
LARGEST_KEPT, KEPT = 32 * 2**20, 512 * 2**20  # bytes: of one array, the most that glibc allows; and in all


class Forked(ParallelBackendBase):
    """A backend of joblib: workers are forked from this process, share its imports and data, and start immediately.

    It is as safe as torch's own data loading, which also forks: on Linux, with one thread per worker, without a GPU.
    """

    supports_retrieve_callback = True

    def effective_n_jobs(self, n_jobs: int) -> int:
        return n_jobs

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        self.parallel = parallel
        gc.freeze()  # garbage collection would copy shared memory page by page
        self._workers = ProcessPoolExecutor(n_jobs, multiprocessing.get_context("fork"))
        return n_jobs

    def submit(self, func: Callable[[], Any], callback: Callable[[Future], None] | None = None) -> Future:
        future = self._workers.submit(wrap_non_picklable_objects(func))
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, future: Future) -> Any:
        return future.result()

    def terminate(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)
        gc.unfreeze()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        for worker in list((self._workers._processes or {}).values()):
            worker.kill()
        self.terminate()
        if ensure_ready:
            self.configure(self.parallel.n_jobs)


def local_workers(jobs: int, device: torch.device) -> AbstractContextManager:
    """The configuration of joblib for `jobs` local processes: forked if that is safe, otherwise newly started."""
    if jobs > 1 and sys.platform == "linux" and device.type == "cpu":
        return parallel_config(Forked(), n_jobs=jobs)
    return parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1)


@functools.cache
def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of returning it to the system; only glibc can be told so.

    Otherwise glibc returns each activation of a few MB when it is freed, and the system clears its pages before it
    hands them out again. For small convolutional networks on one core that takes a fifth to a quarter of the time.
    """
    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
    option(M_MMAP_THRESHOLD, LARGEST_KEPT)
    option(M_TRIM_THRESHOLD, KEPT)


@contextmanager
def limited_threads(n: int | None) -> Iterator[None]:
    """Limit torch, BLAS and OpenMP to `n` threads; None does not change anything."""
    if n is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def interrupts_noticed() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end if Ctrl-C was pressed, even if `fit` caught it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came = threading.Event()

    def handler(number, frame):
        came.set()
        before(number, frame)

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came.is_set():
        raise KeyboardInterrupt


@functools.cache
def serve(sweeper: int) -> None:
    """Let this process ignore Ctrl-C, and end soon after the process of the sweep has ended."""

    def watch():
        while os.getppid() == sweeper:
            time.sleep(0.25)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
