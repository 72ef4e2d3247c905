"""What a checkpoint picked by true labels would have reported: a monitor to show the difference, never a result."""

from copy import deepcopy
from typing import Any

from numpy.typing import ArrayLike

from dcbook.evaluation.scores import scores


class LabelPicked:
    """Monitor that remembers, for each phase, the epoch with the best accuracy, as DCSS's released code does.

    That code keeps its best-ACC checkpoint in pretraining and in phase 1 (DCSS.py:70-74, :200-206) and goes on from
    it. Here it only watches: `fit(x, monitor=LabelPicked(labels))` trains exactly the model that `fit(x)` does. To see
    the released protocol through, start the next phase from `best["phase 1"]["start"]`, and call the outcome so.

    Attributes
    ----------
    best : dict
        Phase to a dict with `epoch`, `acc`, `nmi` and `start`, a copy of the model's `start_` at that epoch.
    """

    def __init__(self, labels: ArrayLike):
        self.labels = labels
        self.best: dict[str, dict[str, Any]] = {}

    def __call__(self, model: Any) -> dict[str, float]:
        last = model.history_[-1]
        now = {name: value for name, value in scores(self.labels, model.labels_).items() if name in ("acc", "nmi")}
        if now["acc"] > self.best.get(last["phase"], {"acc": -1})["acc"]:
            self.best[last["phase"]] = {"epoch": last["epoch"], **now, "start": deepcopy(model.start_)}
        return now
