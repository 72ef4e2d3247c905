"""Locks for state that all threads of a process share: torch's global random generator and warning filters."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def new_lock() -> threading.RLock:
    """A reentrant lock that is held across forks, so that no child process inherits it locked by another thread."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


BORROWED = new_lock()


@contextmanager
def ignored(category: type[Warning]) -> Iterator[None]:
    """Context in which warnings of `category` are not shown; the filters are restored at the end."""
    with BORROWED, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
