"""The checkpoint of a run, written only as often as is efficient; it also ends a fit when the time budget is spent."""

import time
from pathlib import Path

from dcbook.training.checkpoint import Checkpoint

WORTH = 20  # seconds of training between two writes per second that a write takes
FIRST_GUESS = 0.25  # assumed duration of the first write, in seconds


class RunCheckpoint(Checkpoint):
    """A checkpoint that takes at most a twentieth of the time, and raises `spent` if an epoch ends after `deadline`.

    The finished epoch is then in the file.
    """

    def __init__(self, path: str | Path, deadline: float, spent: Exception):
        super().__init__(path)
        self.deadline, self.spent = deadline, spent
        self._written, self._takes = time.perf_counter(), FIRST_GUESS

    def write(self, history: list[dict]) -> None:
        late, began = time.time() > self.deadline, time.perf_counter()
        if late or began - self._written > WORTH * self._takes:
            super().write(history)
            self._written = time.perf_counter()
            self._takes = self._written - began
        if late:
            raise self.spent
