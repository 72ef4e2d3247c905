"""Small stand-ins that worker processes can import: a data set, a start, and estimators that leave a trail."""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

from dcbook.methods import SimCLR


@dataclass(frozen=True)
class Data:
    name: str
    images: np.ndarray
    labels: np.ndarray
    digest: str
    n_classes: int = 2
    original: bool = True
    provenance: dict = None


def load(name, n=40, missing=False):
    """A data set of `n` points around -1 and 1; "absent" is missing; FAKE_DATA, a number, changes its content."""
    if name == "absent":
        raise FileNotFoundError("absent: put it there")
    labels = np.arange(n) % 2
    images = np.random.default_rng(len(name)).normal(2.0 * labels - 1, 0.9)[:, None]
    images = images + float(os.environ.get("FAKE_DATA", 0))
    return Data(name, images, labels, hashlib.sha256(images.tobytes()).hexdigest(), provenance={"note": "made up"})


class Start:
    """A number, saved as a file."""

    def __init__(self, value):
        self.value = value

    @property
    def digest(self):
        return hashlib.sha256(repr(self.value).encode()).hexdigest()

    def save(self, folder):
        Path(folder).mkdir(exist_ok=True)
        (Path(folder) / "value").write_text(repr(self.value))

    @classmethod
    def load(cls, folder):
        return cls(float((Path(folder) / "value").read_text()))


class Threshold(BaseEstimator):
    """Splits the points at its start's value plus `shift` plus noise of the seed; `trail` notes begin and end.

    `mode`: "fit", "fail", "die" (kill the process), "nan" (a loss that isn't finite) or "swallow" (Ctrl-C).
    """

    def __init__(
        self, n_clusters=2, *, start=None, shift=0.0, epochs=2, pause=0.0, mode="fit", trail=None, random_state=None
    ):
        self.n_clusters = n_clusters
        self.start = start
        self.shift = shift
        self.epochs = epochs
        self.pause = pause
        self.mode = mode
        self.trail = trail
        self.random_state = random_state

    def note(self, what):
        if self.trail:
            line = json.dumps([what, type(self).__name__, self.shift, self.random_state, time.time(), os.getpid()])
            with open(self.trail, "a") as file:
                file.write(line + "\n")

    def fit(self, x, y=None, monitor=None):
        assert y is None
        self.note("begin")
        if self.mode == "fail":
            raise RuntimeError("the moon was wrong")
        if self.mode == "die":
            time.sleep(0.5)
            os.kill(os.getpid(), 9)
        start = Start.load(self.start) if isinstance(self.start, Path) else self.start
        begin = start.value if start else 0.0
        self.value_ = begin + self.shift + 0.1 * np.random.default_rng(self.random_state).normal()
        self.labels_ = (x[:, 0] > self.value_).astype(np.int64)
        self.history_ = []
        try:
            for epoch in range(self.epochs):
                time.sleep(self.pause + float(os.environ.get("FAKE_PAUSE", 0)))
                loss = float("nan") if self.mode == "nan" else self.value_ / 3
                self.history_.append({"phase": "fit", "epoch": epoch + 1, "loss": loss})
                self.history_[-1].update(monitor(self) or {})
        except KeyboardInterrupt:
            if self.mode != "swallow":
                raise
        self.start_ = Start(self.value_)
        self.note("end")
        return self


class SlowLearner(SimCLR):
    """Notes each epoch in the file that the environment's FAKE_TRAIL names, and takes its time over it."""

    def _epochs(self, phase, epochs, **loop):
        for epoch, log in super()._epochs(phase, epochs, **loop):
            with open(os.environ["FAKE_TRAIL"], "a") as file:
                file.write(json.dumps(epochs) + "\n")
            time.sleep(0.3)
            yield epoch, log


class Pretrained(Threshold):
    """What the others start from."""


def trail(path):
    """The notes of all runs so far."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if Path(path).exists() else []
