"""What all threads of a process share, borrowed by one at a time: torch's global random stream, filters of warnings."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

BORROWED = threading.RLock()
if hasattr(os, "register_at_fork"):  # a forked process must not inherit a lock from a thread that it doesn't have
    os.register_at_fork(before=BORROWED.acquire, after_in_parent=BORROWED.release, after_in_child=BORROWED.release)


@contextmanager
def ignored(category: type[Warning]) -> Iterator[None]:
    """Show no warnings of `category`; then the filters are again as they were."""
    with BORROWED, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
