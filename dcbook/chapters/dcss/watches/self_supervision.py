"""DCSS's second phase from within."""

from typing import Any

import numpy as np
from sklearn.base import clone

from dcbook.data import Dataset
from dcbook.evaluation import pairs, residuals, tsne
from dcbook.experiments.watch import Watch

BINS = 40


class SelfSupervision(Watch):
    """DCSS's second phase from within: pairs that take part, samples without a neighbor, q vectors, the three spaces.

    The portrait has `residuals` (counts of ||q - onehot(q)||_2 in `BINS` bins of [0, 1]), `q` (10 samples of every
    cluster, (n, K)), and `maps`: t-SNE of u as phase 2 found it, u at the end, and q, in whole numbers from 0 to 999,
    for `shown` samples, drawn at random, with their `labels`.
    """

    def __init__(self, shown: int = 1000):
        self.shown = shown
        self.name = "self-supervision" if shown == 1000 else f"self-supervision, {shown} shown"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Shares of similar and dissimilar pairs and of lonely samples, once MNet is there."""
        if not hasattr(model, "mnet_"):
            return {}
        found = pairs(model.predict_proba(data.images), model.zeta, model.gamma)
        return {"similar": found.similar, "dissimilar": found.dissimilar, "lonely": found.lonely}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch; the space before phase 2 is that of its start."""
        q = model.predict_proba(data.images)
        counts, _ = np.histogram(residuals(q), bins=BINS, range=(0, 1))
        shown = np.random.default_rng(0).permutation(len(q))
        few = np.concatenate([shown[q[shown].argmax(1) == k][:10] for k in range(q.shape[1])])
        shown = np.sort(shown[: self.shown])
        before = clone(model).set_params(phase1_epochs=0, phase2_epochs=0).fit(data.images)
        spaces = {
            "u after phase 1": before.transform(data.images[shown]),
            "u after phase 2": model.transform(data.images[shown]),
            "q": q[shown],
        }
        return {
            "residuals": counts.tolist(),
            "q": np.round(q[few], 3).tolist(),
            "maps": {title: tsne(space).tolist() for title, space in spaces.items()},
            "labels": data.labels[shown].tolist(),
        }
