"""Shared starts: an autoencoder (with centers) from which several runs start, trained once and stored on disk.

The keys are dicts of JSON values that hold everything the start depends on: data digest, seed, recipe. Any number of
processes and machines may share the folder. A lock of the operating system, which is released when its process ends,
lets one of them train while the others wait.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dcbook.experiments.records import digest, plain, workroom
from dcbook.files import write_whole

ABOUT = "about.json"


class StartError(ValueError):
    """A stored start that cannot be trusted; the message names the folder and the problem."""


class Starts:
    """A folder of starts.

    Parameters
    ----------
    folder : path
        The folder that holds the starts; it is created if it does not exist.
    kind : type, optional
        Class of the starts, with `save(path)`, `load(path)` and `digest`; by default `dcbook.methods.Start`.
    """

    def __init__(self, folder: str | Path, kind: type | None = None):
        if kind is None:
            from dcbook.methods import Start as kind
        self.folder, self.kind = Path(folder), kind

    def path(self, key: Mapping) -> Path:
        """The folder of one start."""
        return self.folder / digest(key)[:16]

    def lock(self, key: Mapping, timeout: float = -1) -> FileLock:
        """The lock under which this start is trained, read or replaced; a timeout of -1 waits forever."""
        return FileLock(workroom(self.folder) / f"{self.path(key).name}.lock", timeout=timeout)

    def has(self, key: Mapping) -> bool:
        """Whether the start exists; use `check` to verify its contents."""
        return (self.path(key) / ABOUT).is_file()

    def get(self, key: Mapping, build: Callable[[], Any], timeout: float = -1) -> tuple[Path, dict]:
        """The folder of this key's start and data about it (see `check`); ``build()`` fits an estimator to make it.

        Raises
        ------
        StartError
            If the stored start cannot be loaded or is not the one that was saved.
        TimeoutError
            If another process held the lock for longer than `timeout` seconds.
        """
        try:
            with self.lock(key, timeout):
                if not self.has(key):
                    began = time.perf_counter()
                    self.save(key, build(), seconds=time.perf_counter() - began)
                return self.check(key)
        except Timeout:
            raise TimeoutError(f"{self.path(key)}: another process is still training this start") from None

    def save(self, key: Mapping, fitted: Any, seconds: float) -> None:
        """Store the start of a fitted estimator atomically, replacing an earlier one; call it under `lock`."""
        path = self.path(key)
        (path / ABOUT).unlink(missing_ok=True)  # a start without this file does not count
        path.mkdir(parents=True, exist_ok=True)
        fitted.start_.save(path / "start")
        about = {"key": plain(key), "digest": fitted.start_.digest, "seconds": round(seconds, 2)}
        about["history"] = plain(getattr(fitted, "history_", []))
        write_whole(path / ABOUT, json.dumps(about, indent=1) + "\n")

    def check(self, key: Mapping) -> tuple[Path, dict]:
        """The folder of a stored start and its digest, its training time in seconds and the history of the training.

        Raises
        ------
        StartError
            If it cannot be loaded or is not the one that was saved.
        """
        path = self.path(key)
        remedy = "delete the folder to train it again"
        try:
            about = json.loads((path / ABOUT).read_text())
            found, stated, kept_for = self.kind.load(path / "start").digest, about["digest"], about["key"]
        except Exception as error:
            raise StartError(f"{path}: this start does not load ({type(error).__name__}: {error}); {remedy}") from error
        if found != stated or kept_for != plain(key):
            raise StartError(f"{path}: this start is not the one that was saved (its digest differs); {remedy}")
        return path / "start", {"digest": stated, "seconds": about["seconds"], "history": about.get("history", [])}
