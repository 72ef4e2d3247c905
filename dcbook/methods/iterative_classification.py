"""Iterative classification: Rakib, Zeh, Jankowska & Milios, *Enhancement of short text clustering by iterative
classification*, NLDB 2020.

From clusters of any origin: train a linear classifier on the surest samples of each cluster, take its predictions as
the new clusters, and repeat. The classifier may see another space than the one in which the first clusters were found.

| symbol | in code | shape | meaning |
|---|---|---|---|
| x_i | x | (N, d) | samples, dense or sparse |
| y | labels | (N,) | clusters of the last round |
| p | share | | drawn anew in each round, between `low` and `high` |
| | kept | | of each cluster the surest p min(n_k, N / K) samples |
| W, b | components_ | (K, d + 1) | the classifier: scores W x + b |

The paper removes outliers with an isolation forest before it trains; here the surest are kept, those with the widest
margin between their own cluster and the next best one: in the first round by the distances to the means, later by the
scores. By its description it stops by a measure of its clusters; the authors' main.py (rashadulrakib/
short-text-clustering-enhancement) has 50 rounds and, for StackOverflow, shares from 0.7 to 0.85. Here there are ten
rounds, with shares from 0.5 to 0.95. The rest of that code was not read.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.linear_model import SGDClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from dcbook.clustering import kmeans
from dcbook.training.inputs import (
    as_samples,
    check_n_clusters,
    check_numbers,
    derived_seed,
    new_fit,
    resolve_seed,
    warn_of_dead_clusters,
)
from dcbook.training.monitors import check_monitor, told_by
from dcbook.training.shallow_clusterer import ShallowClusterer


@dataclass(kw_only=True, repr=False, eq=False)
class IterativeClassification(ShallowClusterer):
    """Clusters as labels for a linear classifier, whose predictions are the next clusters.

    Parameters
    ----------
    Beside those of `ShallowClusterer`:

    start : the first clusters, (N,) integers in 0..K-1, such as the `labels_` of another method; None: k-means on x.
    rounds : how often a classifier is trained (10).
    low, high : between which shares of a cluster the classifier is trained on, in (0, 1] (0.5 and 0.95).
    alpha, epochs : weight decay of the logistic regression and passes of its stochastic gradient descent (1e-5, 15).

    `fit` and `predict` take sparse matrices, too.

    Attributes
    ----------
    Beside `labels_`, and `cluster_centers_`, the means of the last clusters:

    components_ : (K, d + 1) weights and intercepts of the last classifier; a cluster that ran empty has the score -1e9.
    history_ : a round each: "moved", the share of samples that changed their cluster, and what the monitor returned.
    """

    start: Any = None
    rounds: int = 10
    low: float = 0.5
    high: float = 0.95
    alpha: float = 1e-5
    epochs: int = 15
    n_init: int = 5

    EMPTY = -1e9

    def fit(self, x, y=None, monitor=None):
        """Cluster x (N, d), dense or sparse, or images. `y` is ignored; `monitor(self)` is called after each round.

        Raises ValueError for bad data or hyperparameters.
        """
        with new_fit(self):
            check_monitor(monitor)
            x = self._samples(x, fitting=True)
            check_n_clusters(self.n_clusters, x.shape[0])
            check_numbers(self)
            if not 0 < self.low <= self.high <= 1 or self.alpha <= 0 or min(self.rounds, self.epochs) < 1:
                raise ValueError(
                    "IterativeClassification needs 0 < low <= high <= 1, alpha > 0, rounds and epochs >= 1"
                )
            self.seed_ = resolve_seed(self.random_state)
            self.history_ = []
            self.labels_ = self._first_clusters(x)
        self._cluster(x, monitor)
        if not issparse(x):
            warn_of_dead_clusters(self.labels_, self.n_clusters, x)
        return self

    def _cluster(self, x, monitor=None) -> None:
        sure = self._margins(self._nearness(x))
        for round_ in range(1, self.rounds + 1):
            scores = self._round(x, sure, round_)
            before, self.labels_ = self.labels_, scores.argmax(1)
            sure = self._margins(scores)
            moved = float((self.labels_ != before).mean())
            self.history_.append({"phase": "iterations", "epoch": round_, "moved": moved})
            self.cluster_centers_ = self._means(x)
            self.history_[-1] |= told_by(monitor, self)
        self.n_iter_ = self.rounds

    def predict(self, x) -> np.ndarray:
        """Cluster with the highest score, shape (N,) int64."""
        return self.transform(x).argmax(1)

    def transform(self, x) -> np.ndarray:
        """Scores of the K clusters, shape (N, K)."""
        check_is_fitted(self)
        return self._scores(self._samples(x, fitting=False))

    def _first_clusters(self, x) -> np.ndarray:
        n, k = x.shape[0], self.n_clusters
        if self.start is None:
            dense = x.toarray() if issparse(x) else x
            settings = {"n_init": self.n_init, "random_state": self._stream("k-means"), "device": self._device}
            found = kmeans(self._matrix(dense), k, **settings)
            return found.labels.cpu().numpy()
        start = np.asarray(self.start)
        if start.shape != (n,) or start.dtype.kind not in "iu" or start.min() < 0 or start.max() >= k:
            raise ValueError(f"start must be None or {n} integers in 0..{k - 1}, the clusters to begin from")
        return start.astype(np.int64)

    def _round(self, x, sure: np.ndarray, round_: int) -> np.ndarray:
        """Scores (N, K) of a classifier trained on the surest samples; of a single cluster there is none to train."""
        seed = derived_seed(self.seed_, f"round {round_}")
        share = np.random.default_rng(seed).uniform(self.low, self.high)
        kept = np.concatenate([self._surest(k, sure, share) for k in range(self.n_clusters)])
        there = np.unique(self.labels_)
        weights = np.zeros((self.n_clusters, x.shape[1] + 1))
        weights[:, -1] = self.EMPTY
        weights[there, -1] = 0
        if len(there) > 1:
            learner = SGDClassifier(
                loss="log_loss", alpha=self.alpha, max_iter=self.epochs, tol=None, random_state=seed % 2**31
            )
            learner.fit(x[kept], self.labels_[kept])
            found = np.column_stack([learner.coef_, learner.intercept_])
            weights[there] = np.concatenate([-found, found]) if len(there) == 2 else found
        self.components_ = weights.astype(np.float32)
        return self._scores(x)

    def _surest(self, k: int, sure: np.ndarray, share: float) -> np.ndarray:
        members = np.flatnonzero(self.labels_ == k)
        most = math.ceil(share * min(len(members), len(sure) / self.n_clusters))
        return members[np.argsort(-sure[members], kind="stable")[:most]]

    def _nearness(self, x) -> np.ndarray:
        """Scores (N, K) of the means m_k: 2 x m_k - |m_k|², the larger the nearer."""
        means = self._means(x)
        return 2 * np.asarray(x @ means.T) - (means * means).sum(1)

    def _margins(self, scores: np.ndarray) -> np.ndarray:
        """By how much the score of its own cluster exceeds the next best one of each sample, (N,)."""
        rows, others = np.arange(len(scores)), scores.copy()
        others[rows, self.labels_] = -np.inf
        return scores[rows, self.labels_] - others.max(1)

    def _means(self, x) -> np.ndarray:
        """Means (K, d) of the clusters; of an empty one that of all samples."""
        every = np.asarray(x.mean(0)).ravel()
        rows = [np.flatnonzero(self.labels_ == k) for k in range(self.n_clusters)]
        return np.stack([np.asarray(x[r].mean(0)).ravel() if len(r) else every for r in rows]).astype(np.float32)

    def _scores(self, x) -> np.ndarray:
        return np.asarray(x @ self.components_[:, :-1].T) + self.components_[:, -1]

    def _samples(self, x, fitting: bool):
        if issparse(x):
            scale = np.float32(1 / 255 if x.dtype == np.uint8 else 1)  # as for dense samples
            x = validate_data(self, x, accept_sparse="csr", dtype=np.float32, reset=fitting)
            self.input_shape_ = x.shape[1:]
            return x * scale
        x = as_samples(self, x, fitting=fitting)
        self.input_shape_ = x.shape[1:] if fitting else self.input_shape_
        return x.reshape(len(x), -1)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
