"""Cluster ids of texts as labels for a classifier of words: what the clusters gain, what the classifier is worth."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from dcbook.data import Dataset
from dcbook.data.sampling import draw
from dcbook.data.vectors import tfidf, unit
from dcbook.evaluation import accuracy, nmi
from dcbook.experiments.watch import Watch
from dcbook.methods import IterativeClassification

CONTROL = "shuffled ids"
FEW = 0.01  # share of the texts whose labels a probe sees
DRAWS = 5  # of these labels


class Signal(Watch):
    """Ten rounds of iterative classification from the clusters of the model, and from the same ids shuffled.

    The classifier sees TF-IDF, whatever vectors the clusters were found in. The portrait has "cluster ids" and the
    control, each with `acc` and `nmi` of round 0 (the ids it starts from) to the last; and `few`, the accuracy of a
    linear probe that learns from the labels of 1 % of the texts (mean of five draws) on the "vectors", on the scores of
    the classifier of the last round ("learned"), and on both side by side. No round is chosen.
    """

    name = "signal"

    def __init__(self, rounds: int = 10, few: float = FEW):
        self.rounds, self.few = rounds, few
        self.name = "signal" if (rounds, few) == (10, FEW) else f"signal, {rounds} rounds, {few:g} of the labels"

    def portrait(self, model: Any, data: Dataset) -> dict:
        words, _ = tfidf(data.texts)
        seed = model.random_state
        shuffled = np.random.default_rng(seed).permutation(model.labels_)
        found, learner = {}, None
        for name, ids in (("cluster ids", model.labels_), (CONTROL, shuffled)):
            curve = [_scores(data, ids)]
            fitted = IterativeClassification(data.n_classes, start=ids, rounds=self.rounds, random_state=seed).fit(
                words, monitor=lambda now, curve=curve: curve.append(_scores(data, now.labels_))
            )
            learner = learner or fitted
            found[name] = {metric: [each[metric] for each in curve] for metric in ("acc", "nmi")}
        learned = unit(learner.transform(words))
        spaces = {"vectors": data.images, "learned": learned, "both": np.hstack([unit(data.images), learned])}
        return {**found, "few": {name: _probe(space, data, self.few) for name, space in spaces.items()}}


def _scores(data: Dataset, labels: np.ndarray) -> dict[str, float]:
    return {"acc": float(accuracy(data.labels, labels)), "nmi": float(nmi(data.labels, labels))}


def _probe(space: np.ndarray, data: Dataset, share: float) -> float:
    """Accuracy on all other texts of a logistic regression that learns from that share of the labels."""
    n, found = max(round(share * len(data)), data.n_classes), []
    for seed in range(DRAWS):
        train = draw(data.labels, n, seed, stratified=True)
        test = np.setdiff1d(np.arange(len(data)), train)
        probe = LogisticRegression(C=10, max_iter=1000).fit(space[train], data.labels[train])
        found.append(probe.score(space[test], data.labels[test]))
    return float(np.mean(found))
