"""Clusters beside what labels would find: balanced scores, the majority baseline, and linear probes on the features."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dcbook.data import Dataset
from dcbook.evaluation import balanced_accuracy
from dcbook.experiments.watch import Watch

FOLDS, DRAWS = 5, 5


class Probed(Watch):
    """Scores that do not reward large classes, of the clusters, of a majority vote and of linear probes.

    The portrait has, as fractions: `balanced`, the balanced accuracy of the clusters; `majority`, the `acc` and
    `f1_macro` of calling all samples by the largest class, whose balanced accuracy is `chance` = 1/K; `probe`, the
    `balanced` and `f1_macro` of a logistic regression on the features of the model, by five-fold cross-validation; and
    `few`, the same from the labels of ten samples a class, on all other samples, mean of five draws. `mean value` tells
    which share of the variance of the mean value of a sample (the brightness of an image) lies between the `clusters`,
    and between the `classes`.

    Features are what `model.transform` returns, each brought to mean 0 and variance 1. The probes weigh classes
    equally; their settings are scikit-learn's defaults.
    """

    def __init__(self, few: int = 10):
        self.few = few
        self.name = f"probes, {few} labels a class"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        y, sizes = data.labels, np.bincount(data.labels)
        x = model.transform(data.images)
        largest = np.full(len(y), sizes.argmax())
        brightness = data.images.reshape(len(y), -1).mean(1, dtype=np.float64)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        return {
            "balanced": balanced_accuracy(y, model.labels_),
            "chance": 1 / len(sizes),
            "majority": {"acc": float(sizes.max() / len(y)), "f1_macro": _told(y, largest)["f1_macro"]},
            "probe": _told(y, cross_val_predict(_probe(), x, y, cv=folds)),
            "few": self._from_few(x, y),
            "mean value": {
                "clusters": explained(brightness, model.labels_),
                "classes": explained(brightness, y),
            },
        }

    def _from_few(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        found = []
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            train = np.concatenate([rng.choice(np.flatnonzero(y == k), self.few, replace=False) for k in np.unique(y)])
            rest = np.setdiff1d(np.arange(len(y)), train)
            found.append(_told(y[rest], _probe().fit(x[train], y[train]).predict(x[rest])))
        return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def explained(values: np.ndarray, groups: np.ndarray) -> float:
    """Share of the variance of values (N,) that lies between groups (N,), in [0, 1]; 0 for values without variance."""
    total = ((values - values.mean()) ** 2).sum()
    means = np.array([values[groups == k].mean() for k in np.unique(groups)])
    sizes = np.unique(groups, return_counts=True)[1]
    return float((sizes * (means - values.mean()) ** 2).sum() / total) if total else 0.0


def _probe():
    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))


def _told(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return {
        "balanced": float(balanced_accuracy_score(y, predicted)),
        "f1_macro": float(f1_score(y, predicted, average="macro", zero_division=0)),
    }
