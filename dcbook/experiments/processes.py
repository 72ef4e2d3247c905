"""What a process of a sweep needs: few threads, and to stop when it should."""

import functools
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def limited_threads(n: int | None) -> Iterator[None]:
    """At most `n` threads for torch, BLAS and OpenMP; None leaves them alone."""
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
    """Raise KeyboardInterrupt at the end if Ctrl-C came, even where a `fit` swallowed it."""
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
    """Make this process a good servant of the sweep: deaf to Ctrl-C, and gone soon after the sweep is."""

    def watch():
        while os.getppid() == sweeper:
            time.sleep(0.25)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
