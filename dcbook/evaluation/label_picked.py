"""Scores of checkpoints selected by true labels, shown for comparison and never reported as a result."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from numpy.typing import ArrayLike

from dcbook.evaluation.scores import scores

REPORTED = ("acc", "nmi")


class LabelPicked:
    """Monitor that records, for each phase, the epoch with the best accuracy, as DCSS's released code does.

    The released code keeps the checkpoint with the best ACC in pretraining and in phase 1 (DCSS.py:70-74, :200-206) and
    continues from it. This monitor does not change training: `fit(x, monitor=LabelPicked(labels))` gives exactly the
    model of `fit(x)`. `label_picked` runs the complete released protocol.

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
        now = {name: value for name, value in scores(self.labels, model.labels_).items() if name in REPORTED}
        if now["acc"] > self.best.get(last["phase"], {"acc": -1})["acc"]:
            self.best[last["phase"]] = {"epoch": last["epoch"], **now, "start": deepcopy(model.start_)}
        return now


def label_picked(steps: Iterable[Any], images: Any, labels: ArrayLike) -> dict[str, dict[str, dict[str, float]]]:
    """The released protocol: fit each estimator from the checkpoint with the best accuracy of the previous estimator.

    Parameters
    ----------
    steps : iterable of estimators
        One for each phase, in order; each trains that phase alone. The parameter `start` of all but the first is set.
    images : samples to fit
    labels : (N,) true labels, which select the checkpoints

    Returns
    -------
    dict
        Phase to `last` and `best`: `epoch`, `acc` and `nmi` of its last and of its selected epoch.
    """
    found, start = {}, None
    for model in steps:
        monitor = LabelPicked(labels)
        if start is not None:
            model.set_params(start=start)
        last = model.fit(images, monitor=monitor).history_[-1]
        best = monitor.best[last["phase"]]
        start = best["start"]
        found[last["phase"]] = {
            name: {value: entry[value] for value in ("epoch", *REPORTED)}
            for name, entry in (("last", last), ("best", best))
        }
    return found
