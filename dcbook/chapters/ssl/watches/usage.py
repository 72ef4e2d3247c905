"""How many of its clusters a method uses, and how evenly: signs of a collapse."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from dcbook.data import Dataset
from dcbook.evaluation import majority_vote
from dcbook.experiments.watch import Watch
from dcbook.methods import SwAV


class Usage(Watch):
    """The portrait has `sizes`, the number of samples in each cluster that the training works with, largest first.

    For SwAV these are its prototypes: each image belongs to the nearest one. For all others they are `labels_`.
    """

    name = "usage"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        if isinstance(model, SwAV):
            ids, n = (model.project(data.images) @ model.prototypes_.T).argmax(1), model.prototypes
        else:
            ids, n = model.labels_, model.n_clusters
        return {"sizes": sorted(np.bincount(ids, minlength=n).tolist(), reverse=True)}


class UsageAndPurity(Usage):
    """The portrait also has `purity`: the share of samples in the most frequent class of their cluster, in [0, 1]."""

    name = "usage and purity"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        return super().portrait(model, data) | {"purity": majority_vote(data.labels, model.labels_)}


def usage(sizes: Iterable[int]) -> dict[str, float]:
    """From all cluster sizes, empty ones too: number used, largest share, entropy as a share of ln K, in [0, 1].

    Raises ValueError for fewer than two clusters or no sample at all.
    """
    sizes = np.asarray(list(sizes), dtype=float)
    if len(sizes) < 2 or not sizes.sum() > 0:
        raise ValueError(f"usage takes the sizes of two clusters or more that hold samples, not {sizes.tolist()}")
    shares = sizes[sizes > 0] / sizes.sum()
    return {
        "used": int((sizes > 0).sum()),
        "largest": float(shares.max()),
        "entropy": abs(float(-(shares * np.log(shares)).sum() / np.log(len(sizes)))),
    }
