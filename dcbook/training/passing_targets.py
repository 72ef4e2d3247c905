"""What methods share that make cluster ids their own targets: the ids of now, and the time that making them takes."""

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor


class PassingTargets:
    """Mixin of DeepCluster, DeepCluster-v2 and SwAV.

    Attributes
    ----------
    target_seconds_ : CPU seconds of the training so far in which targets were made, a part of `core_seconds_`.
    """

    target_seconds_ = 0.0

    @property
    @abstractmethod
    def targets(self) -> Tensor:
        """The cluster (N,) that each training sample has as its target; only during `fit`, such as in a monitor."""

    @contextmanager
    def _making_targets(self) -> Iterator[None]:
        """Context whose CPU seconds are added to `target_seconds_`."""
        began = time.process_time()
        try:
            yield
        finally:
            self.target_seconds_ += time.process_time() - began
