"""Properties of clusters that need no labels: their silhouette and their agreement between seeds."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.metrics import silhouette_score

from dcbook.data import Dataset
from dcbook.evaluation import ari
from dcbook.experiments.watch import Watch
from dcbook.methods import KMeans

SAMPLES = 2000  # number for silhouette and agreement
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Unlabeled(Watch):
    """The portrait has `silhouette`, in the space that the model clusters, and `ids`, the clusters of 2,000 samples.

    The samples are the same for all runs on a data set; `ids` has a character each, so up to 36 clusters can be told.
    For k-means there is `loss`, too: its inertia as a share of the sum of squares about the mean.
    """

    name = "unlabeled"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        if data.n_classes > len(DIGITS):
            raise ValueError(f"ids are told for up to {len(DIGITS)} clusters, not for {data.n_classes}")
        rows = np.random.RandomState(0).permutation(len(data))[:SAMPLES]
        ids = model.labels_[rows]
        x = data.images[rows].reshape(len(rows), -1)
        space = x if isinstance(model, KMeans) else model.transform(data.images[rows])
        several = 1 < len(np.unique(ids)) < len(ids)
        found = {
            "silhouette": float(silhouette_score(space, ids)) if several else None,
            "ids": "".join(DIGITS[k] for k in ids),
        }
        if isinstance(model, KMeans):
            found["loss"] = model.inertia_ / float(len(data) * data.images.astype(np.float64).var(0).sum())
        return found


def agreement(ids: Sequence[str]) -> float:
    """Mean ARI of all pairs of runs, in [-1, 1], from their `ids`; ValueError for fewer than two runs."""
    if len(ids) < 2:
        raise ValueError(f"agreement is between two runs or more, not {len(ids)}")
    found = [[DIGITS.index(k) for k in each] for each in ids]
    return float(np.mean([ari(a, b) for a, b in combinations(found, 2)]))
