"""Diagnostics of feature randomness, drift and twist, R-DC's three failures (arXiv 2503.03733), in records."""

from collections.abc import Iterable
from typing import Any

from dcbook.data import Dataset
from dcbook.evaluation import Diagnose, shape
from dcbook.evaluation.diagnose import sample
from dcbook.experiments.watch import Watch


class Diagnostics(Watch):
    """Watch for any method: the diagnostics of `dcbook.evaluation.Diagnose` during training and of the fitted model.

    `every`, `variants`, `n_codes` and `n_gradients` are those of `Diagnose`; epochs are entries of the history, also
    those in which the run's monitor is not called. The portrait has `shape`, the diagnostics of the fitted model's
    space, None for undefined ones; the `shape` of "AE+k-means" describes the start of the methods that share it. It
    also has `majority`, the share of the largest class, which is the ACC of a single cluster.
    """

    def __init__(
        self,
        every: int | None = None,
        variants: Iterable[str] = ("dynae",),
        n_codes: int = 10_000,
        n_gradients: int = 1024,
    ):
        self.options = {
            "every": every,
            "variants": tuple(variants),
            "n_codes": n_codes,
            "n_gradients": n_gradients,
        }
        self.name = (
            f"diagnostics every {every or 'few'} epochs, {', '.join(self.options['variants'])}, of {n_codes} codes and "
            f"{n_gradients} gradients"
        )
        Diagnose(**self.options)

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """FR, FD and the shape of the space in epochs with a measurement."""
        return Diagnose(data.labels, **self.options)(model)

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the fitted model."""
        rows = sample(len(data), self.options["n_codes"])
        u = model.transform(data.images[rows])
        return {"shape": shape(u, model.labels_[rows], data.labels[rows], data.n_classes), "majority": data.majority}
