"""The score of papers that match clusters to classes many to one."""

from typing import Any

from dcbook.data import Dataset
from dcbook.evaluation import majority_vote
from dcbook.experiments.watch import Watch


class Purity(Watch):
    """`purity` in the portrait: the share of samples in the commonest class of their cluster, at least the accuracy."""

    name = "purity"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """Of the training samples, by the clusters at the end."""
        return {"purity": majority_vote(data.labels, model.labels_)}
