"""What methods share that make cluster ids their own targets: the ids of now, and the time that making them takes."""

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor


class PassingTargets:
    """Mixin of DeepCluster, DeepCluster-v2 and SwAV.

    Attributes
    ----------
    target_seconds_ : CPU seconds of the training so far in which targets were made, a part of `core_seconds_`.
    cluster_seconds_ : the part of them in which samples were clustered; the rest made their features.
    """

    _seconds = ("target_seconds_", "cluster_seconds_")  # what a checkpoint holds

    @property
    @abstractmethod
    def targets(self) -> Tensor:
        """The cluster (N,) that each training sample has as its target; only during `fit`, such as in a monitor."""

    def _begin(self, recipe, start) -> None:
        self.target_seconds_ = self.cluster_seconds_ = 0.0
        super()._begin(recipe, start)

    def _making_targets(self) -> AbstractContextManager[None]:
        """Context whose CPU seconds are added to `target_seconds_`."""
        return self._timed("target_seconds_")

    def _clustering(self) -> AbstractContextManager[None]:
        """Context, within that of making targets, whose CPU seconds are added to `cluster_seconds_`."""
        return self._timed("cluster_seconds_")

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.process_time()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.process_time() - began)


def stability(before: Tensor, now: Tensor) -> float:
    """NMI (geometric mean) between the clusters (N,) of two epochs, from 0 to 1, as in DeepCluster's Fig. 2(b)."""
    return float(normalized_mutual_info_score(before.cpu(), now.cpu(), average_method="geometric"))
