"""How targets made of clusters change from epoch to epoch, and what making them costs."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from dcbook.data import Dataset
from dcbook.evaluation import accuracy, nmi
from dcbook.experiments.watch import Watch

_SEEN: WeakKeyDictionary = WeakKeyDictionary()  # a model in training → its targets in the last epoch


class Targets(Watch):
    """Numbers of each epoch about the targets (N,) of the images (`dcbook.training.passing_targets`).

    used : number of clusters that are the target of an image.
    class_nmi : NMI of targets and classes, in [0, 1].
    target_seconds, cpu_seconds : CPU seconds since the first epoch began, of making targets and of the training.
    stability : from the second epoch on, NMI (geometric mean) with the targets of the epoch before, in [0, 1]; in the
        history of DeepCluster the method's own number, which is the same.
    moved : from the second epoch on, the share of the images that changed their cluster, where clusters of the two
        epochs are matched one to one such that it is as small as possible.
    renumbered : from the second epoch on, the share of the images whose target has another number.

    A run that was resumed lacks the last three in its next epoch. The portrait is empty.
    """

    name = "targets"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """See the class."""
        now = model.targets.cpu().numpy().copy()  # a method may write into its targets
        before = _SEEN.get(model) if len(model.history_) > 1 else None  # not those of an earlier fit
        _SEEN[model] = now
        found = {
            "used": len(np.unique(now)),
            "class_nmi": float(nmi(data.labels, now)),
            "target_seconds": model.target_seconds_,
            "cpu_seconds": model.core_seconds_,
        }
        found |= {} if before is None else changes(before, now)
        return {name: value for name, value in found.items() if name not in model.history_[-1]}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        return {}


def changes(before: np.ndarray, now: np.ndarray) -> dict[str, float]:
    """`stability`, `moved` and `renumbered` of two assignments (N,) of the same samples."""
    return {
        "stability": float(normalized_mutual_info_score(before, now, average_method="geometric")),
        "moved": 1 - accuracy(before, now),
        "renumbered": float(np.mean(before != now)),
    }
