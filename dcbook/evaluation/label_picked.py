"""What checkpoints picked by true labels would have reported: shown beside the result, never as one."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from numpy.typing import ArrayLike

from dcbook.evaluation.scores import scores

REPORTED = ("acc", "nmi")


class LabelPicked:
    """Monitor that remembers, for each phase, the epoch with the best accuracy, as DCSS's released code does.

    That code keeps its best-ACC checkpoint in pretraining and in phase 1 (DCSS.py:70-74, :200-206) and goes on from
    it. Here it only watches: `fit(x, monitor=LabelPicked(labels))` trains exactly the model that `fit(x)` does. To see
    the released protocol through, use `label_picked`.

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
    """The released protocol: fit each estimator from the checkpoint that the labels picked in the one before.

    Parameters
    ----------
    steps : iterable of estimators
        One for each phase, in order; each trains that phase alone, and all but the first have a parameter `start`,
        which is set.
    images, labels
        What they are fitted to, and what picks.

    Returns
    -------
    dict
        Phase to `last` and `best`: `epoch`, `acc` and `nmi` of its last epoch and of the one that was picked.
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
