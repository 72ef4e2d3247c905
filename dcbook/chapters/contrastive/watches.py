"""What a record keeps in addition to scores: purity of neighborhoods, sizes of clusters, scores of heads."""

from typing import Any

import numpy as np
import torch

from dcbook.clustering import kmeans
from dcbook.data import Dataset
from dcbook.evaluation import purity, scores
from dcbook.experiments.watch import Watch

NEIGHBORS = 20
RESTARTS = 20  # of k-means, as in SimCLR


class NeighborPurity(Watch):
    """SCAN's premise: the share of an image's 20 nearest neighbors that have its class, in [0, 1].

    The portrait holds it for the pretext's Z space, its codes, and the pixels, each scaled to length 1.
    """

    name = "purity of neighborhoods"

    def portrait(self, model: Any, data: Dataset) -> dict[str, float]:
        spaces = {"z": model.project(data.images), "h": model.transform(data.images), "pixels": data.images}
        return {name: _purity(torch.tensor(space), data.labels) for name, space in spaces.items()}


def _purity(x: torch.Tensor, labels: Any) -> float:
    unit = torch.nn.functional.normalize(x.flatten(1).float(), dim=1)
    return purity(unit.numpy(), labels, NEIGHBORS)


class ClusterSizes(Watch):
    """Sizes of clusters: `largest`, the share of the largest cluster, in [0, 1], and `clusters`.

    `clusters` is the effective number of clusters, the exponential of the entropy of their sizes: K for equal sizes, 1
    if all samples are in one cluster.
    """

    name = "sizes of clusters"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        return self.portrait(model, data)

    def portrait(self, model: Any, data: Dataset) -> dict[str, float]:
        shares = np.unique(model.labels_, return_counts=True)[1] / len(model.labels_)
        return {"largest": float(shares.max()), "clusters": float(np.exp(-(shares * np.log(shares)).sum()))}


class HeadScores(ClusterSizes):
    """In addition to `ClusterSizes`, ACC and NMI of the head of SPICE that labels would choose (best ACC)."""

    name = "scores of heads"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        found = super().epoch(model, data)
        if model.history_[-1]["phase"] != "prototypes":
            return found
        best = max((scores(data.labels, labels) for labels in model.labels_of_heads()), key=lambda found: found["acc"])
        return found | {f"best_head_{metric}": best[metric] for metric in ("acc", "nmi")}


class KMeansOnCodes(Watch):
    """Scores of k-means on the codes of a network whose own clusters mean nothing, in [0, 1]."""

    name = "k-means on codes"

    def portrait(self, model: Any, data: Dataset) -> dict[str, float]:
        codes = model.transform(data.images)
        found = kmeans(codes, model.n_clusters, n_init=RESTARTS, random_state=model.seed_, device="cpu")
        return scores(data.labels, found.labels.numpy())
