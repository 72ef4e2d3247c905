"""What clustering costs a training, and what the features are worth in the end."""

from typing import Any

from dcbook.chapters.ssl.watches.probes import FewLabels
from dcbook.chapters.ssl.watches.targets import Targets
from dcbook.data import Dataset
from dcbook.experiments.watch import Watch


class TargetsAndProbes(Watch):
    """Numbers of `Targets` in each epoch, with cluster_seconds, CPU seconds of k-means; the portrait of `FewLabels`."""

    def __init__(self, per_class: tuple[int, ...]):
        self.targets, self.probes = Targets(), FewLabels(per_class)
        self.name = f"{self.targets.name}, k-means, {self.probes.name}"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """See the class."""
        return self.targets.epoch(model, data) | {"cluster_seconds": model.cluster_seconds_}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        return self.probes.portrait(model, data)
