"""DCSS's second phase from within."""

from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.metrics import silhouette_score

from dcbook import losses
from dcbook.data import Dataset
from dcbook.evaluation import pairs, purity, residuals, tsne
from dcbook.experiments.watch import Watch

BINS = 40
MEASURED = 2000


class SelfSupervision(Watch):
    """DCSS's second phase from within: pairs that take part, samples without a neighbor, q vectors, the three spaces.

    After each epoch: `similar`, `dissimilar` and `lonely`, of q (`dcbook.evaluation.pairs`); and `chosen_similar` and
    `chosen_dissimilar`, the shares of the pairs that the epoch's loss takes, by p before T2 and by q from then on.

    The portrait has `residuals` (counts of ||q - onehot(q)||_2 in `BINS` bins of [0, 1]), `q` (10 samples of every
    cluster, (n, K)), and `maps`: t-SNE of u as phase 2 found it, u at the end, and q, in whole numbers from 0 to 999,
    for `shown` samples, drawn at random, with their `labels`. `purity` (share of the 10 nearest others that are of a
    sample's class) and `silhouette` (of the classes, from -1 to 1) are measured in these spaces themselves, on
    `MEASURED` samples.
    """

    def __init__(self, shown: int = 1000):
        self.shown = shown
        self.name = "self-supervision" if shown == 1000 else f"self-supervision, {shown} shown"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Shares of pairs and of lonely samples, once MNet is there."""
        if not hasattr(model, "mnet_"):
            return {}
        q = model.predict_proba(data.images)
        by_q = pairs(q, model.zeta, model.gamma)
        chosen = by_q if model.history_[-1]["judged_by_q"] else pairs(_p(model, data), model.zeta, model.gamma)
        told = {"similar": by_q.similar, "dissimilar": by_q.dissimilar, "lonely": by_q.lonely}
        return told | {"chosen_similar": chosen.similar, "chosen_dissimilar": chosen.dissimilar}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch; the space before phase 2 is that of its start."""
        q = model.predict_proba(data.images)
        counts, _ = np.histogram(residuals(q), bins=BINS, range=(0, 1))
        shown = np.random.default_rng(0).permutation(len(q))
        measured = np.sort(shown[:MEASURED])
        few = np.concatenate([shown[q[shown].argmax(1) == k][:10] for k in range(q.shape[1])])
        shown = np.sort(shown[: self.shown])
        before = clone(model).set_params(phase1_epochs=0, phase2_epochs=0).fit(data.images)
        spaces = {
            "u after phase 1": before.transform(data.images),
            "u after phase 2": model.transform(data.images),
            "q": q,
        }
        labels = data.labels[measured]
        return {
            "residuals": counts.tolist(),
            "q": np.round(q[few], 3).tolist(),
            "maps": {title: tsne(space[shown]).tolist() for title, space in spaces.items()},
            "labels": data.labels[shown].tolist(),
            "purity": {title: purity(space[measured], labels) for title, space in spaces.items()},
            "silhouette": {title: float(silhouette_score(space[measured], labels)) for title, space in spaces.items()},
        }


def _p(model: Any, data: Dataset) -> np.ndarray:
    """The memberships of Eq. (2) in the space of the encoder, (N, K)."""
    u, centers = (torch.from_numpy(found) for found in (model.transform(data.images), model.cluster_centers_))
    return losses.memberships(u, centers, model.m).numpy()
