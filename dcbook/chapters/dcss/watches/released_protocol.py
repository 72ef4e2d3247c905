"""What the released protocol, which picks checkpoints by labels, would have reported."""

from typing import Any

from sklearn.base import clone

from dcbook.data import Dataset
from dcbook.evaluation import label_picked
from dcbook.experiments.watch import Watch


class LabelPickedProtocol(Watch):
    """Beside the result, what the released code's protocol would have reported, see `dcbook.evaluation.label_picked`.

    For a DCSS that pretrains itself: its `start` is a `Pretraining`. The portrait has, for "pretraining", "phase 1"
    and "phase 2", the scores of the `last` epoch and of the `best` one, where each phase goes on from the best epoch of
    the phase before; all else is as in the run itself.
    """

    name = "label-picked protocol"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The same three phases again, one estimator each."""
        skipped = (
            {"phase1_epochs": 0, "phase2_epochs": 0},
            {"phase2_epochs": 0},
            {"phase1_epochs": 0},
        )
        steps = [clone(model).set_params(**phases) for phases in skipped]
        return label_picked(steps, data.images, data.labels)
