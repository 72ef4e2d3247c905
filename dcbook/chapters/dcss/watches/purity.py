"""The score of papers that match clusters to classes many to one."""

from typing import Any

from dcbook.data import Dataset
from dcbook.evaluation import majority_vote
from dcbook.experiments.watch import Watch


class Purity(Watch):
    """`cluster_purity` in the portrait: the share of samples in the commonest class of their cluster.

    It is at least the accuracy, which gives each class to one cluster only.
    """

    name = "purity"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """Of the training samples, by the clusters at the end."""
        return {"cluster_purity": majority_vote(data.labels, model.labels_)}
