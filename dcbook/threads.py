"""What all threads of a process share, borrowed by one at a time: torch's global random stream, filters of warnings."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def new_lock() -> threading.RLock:
    """A lock that a forked process never inherits from a thread that it doesn't have."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


BORROWED = new_lock()


@contextmanager
def ignored(category: type[Warning]) -> Iterator[None]:
    """Show no warnings of `category`; then the filters are again as they were."""
    with BORROWED, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
