"""Cluster ids of texts as labels for a classifier of words: scores of the clusters and of the classifier."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from dcbook.chapters.ssl.watches.unlabeled import Unlabeled
from dcbook.data import Dataset
from dcbook.data.sampling import draw
from dcbook.data.vectors import tfidf, unit
from dcbook.evaluation import accuracy, nmi
from dcbook.methods import IterativeClassification

SIGNAL, CONTROL = "cluster ids", "shuffled ids"
FEW = 0.01  # share of the texts whose labels a probe sees
DRAWS = 5  # of these labels
INVERSE_PENALTY = 10.0  # of the probe; not tuned


class Signal(Unlabeled):
    """Rounds of iterative classification from the clusters of the model, and from the same ids shuffled.

    The classifier sees TF-IDF, whatever vectors the clusters were found in. Beside what `Unlabeled` has, the portrait
    has "cluster ids" and the control, each with `acc` and `nmi` of round 0 (the ids it starts from) to the last; and
    `few`, the accuracy of a linear probe that learns from the labels of 1 % of the texts (mean of five draws): on the
    "vectors", on "words" (TF-IDF), on the scores of the last classifier ("learned") or of that of the control
    ("learned from shuffled ids"), and on "vectors and learned" side by side. No round is chosen.
    """

    def __init__(self, rounds: int = 10, few: float = FEW):
        self.rounds, self.few = rounds, few
        self.name = f"signal of {rounds} rounds, {100 * few:g} % of the labels"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        words, _ = tfidf(data.texts)
        shuffled = np.random.default_rng(model.random_state).permutation(model.labels_)
        curves, learned = {}, {}
        for name, ids in ((SIGNAL, model.labels_), (CONTROL, shuffled)):
            curve = [_scores(data, ids)]
            learner = IterativeClassification(
                data.n_classes, start=ids, rounds=self.rounds, random_state=model.random_state
            ).fit(words, monitor=lambda now, curve=curve: curve.append(_scores(data, now.labels_)))
            curves[name] = {metric: [each[metric] for each in curve] for metric in ("acc", "nmi")}
            learned[name] = unit(learner.transform(words))
        vectors = unit(data.images)
        spaces = {
            "vectors": vectors,
            "words": words,
            "learned": learned[SIGNAL],
            "learned from shuffled ids": learned[CONTROL],
            "vectors and learned": np.hstack([vectors, learned[SIGNAL]]),
        }
        few = {name: _probe(space, data, self.few) for name, space in spaces.items()}
        return {**super().portrait(model, data), **curves, "few": few}


def _scores(data: Dataset, labels: np.ndarray) -> dict[str, float]:
    return {"acc": float(accuracy(data.labels, labels)), "nmi": float(nmi(data.labels, labels))}


def _probe(space: np.ndarray, data: Dataset, share: float) -> float:
    """Accuracy on all other texts of a logistic regression that learns from that share of the labels."""
    n, found = max(round(share * len(data)), data.n_classes), []
    for seed in range(DRAWS):
        train = draw(data.labels, n, seed, stratified=True)
        test = np.setdiff1d(np.arange(len(data)), train)
        probe = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(space[train], data.labels[train])
        found.append(probe.score(space[test], data.labels[test]))
    return float(np.mean(found))
