"""The checkpoint of a run: written as often as it is worth it, and the place where a spent budget ends a fit."""

import time
from pathlib import Path

from dcbook.training.checkpoint import Checkpoint

WORTH = 20  # seconds of training between two writes for each second that a write takes
FIRST_GUESS = 0.25  # seconds that a write takes, before one was made


class RunCheckpoint(Checkpoint):
    """A checkpoint that takes at most a twentieth of the time, and raises `spent` once an epoch ends past `deadline`.

    The epoch that was finished then is in the file.
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
