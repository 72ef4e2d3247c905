"""Which of its outputs MNet uses, and what can be seen of this without labels."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from dcbook.data import Dataset
from dcbook.evaluation import loss_of_pairs
from dcbook.experiments.watch import Watch


class Outputs(Watch):
    """MNet's use of its outputs. No number here needs labels.

    After each epoch of phase 2 and in the portrait: `used`, the number of outputs with at least a tenth of the mean
    cluster's samples; `by_p`, the loss of all pairs that the memberships p after phase 1 select, Eq. (4); and `by_q`,
    the loss of all pairs that q selects, Eq. (5) (`dcbook.evaluation.loss_of_pairs`). The portrait also has `sizes` of
    the clusters, largest first, and `ari`, the adjusted Rand index between MNet's labels and those after phase 1.
    """

    name = "outputs"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        return _of(model, _after_phase1(model, data), data) if hasattr(model, "mnet_") else {}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch."""
        before = _after_phase1(model, data)
        return _of(model, before, data) | {
            "sizes": np.sort(_sizes(model))[::-1].tolist(),
            "ari": float(adjusted_rand_score(before.labels_, model.labels_)),
        }


def _after_phase1(model: Any, data: Dataset) -> Any:
    """What phase 2 starts from, as a fitted estimator."""
    return clone(model).set_params(phase1_epochs=0, phase2_epochs=0).fit(data.images)


def _sizes(model: Any) -> np.ndarray:
    return np.bincount(model.labels_, minlength=model.n_clusters)


def _of(model: Any, before: Any, data: Dataset) -> dict[str, float]:
    q, p = (fitted.predict_proba(data.images) for fitted in (model, before))
    return {
        "used": int((_sizes(model) >= 0.1 * len(q) / model.n_clusters).sum()),
        "by_p": loss_of_pairs(q, p, model.zeta, model.gamma),
        "by_q": loss_of_pairs(q, q, model.zeta, model.gamma),
    }
