"""Scores of a clustering against class labels. All take labels of shape (N,) and lie in [0, 1] (ARI: from -0.5).

Labels are numbers or strings, in an array, a list, a pandas Series or Categorical, or a tensor on the CPU.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, f1_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

UNMATCHED = -1  # name for clusters matched to no class
LEFT_OVER = -1  # index for clusters matched to no class


def as_labels(labels: ArrayLike) -> np.ndarray:
    """Labels as an array; ValueError if some are missing (None, NaN) or numbers are mixed with strings."""
    given, labels = labels, np.asarray(labels)
    try:  # in a list that has a string, NumPy turns numbers and NaN into strings, too: each is looked at as it is
        kinds = np.unique(labels if labels.dtype.kind != "U" else np.asarray(given, dtype=object))
        refused = bool((kinds != kinds).any())  # only NaN differs from itself
    except TypeError:  # they cannot be sorted
        refused = True
    if refused:
        raise ValueError(
            "labels must be all numbers or all strings, and none may be missing; leave out samples without a label"
        )
    return labels


def match(labels_true: ArrayLike, labels_pred: ArrayLike) -> np.ndarray:
    """Rename clusters to classes by the best one-to-one map (Hungarian method), shape (N,).

    With more clusters than classes, the remaining clusters become `UNMATCHED` (-1), or None in an array of objects if
    the classes are not whole numbers or -1 is one of them. The name thus never equals a class.
    """
    _, position, classes = _matched(labels_true, labels_pred)
    left_over, names = position == LEFT_OVER, classes[position]
    if not left_over.any():
        return names
    if classes.dtype.kind in "iu" and UNMATCHED not in classes:
        return np.where(left_over, UNMATCHED, names.astype(np.int64))
    return np.where(left_over, None, names.astype(object))


def accuracy(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """ACC: share of samples whose cluster is matched to their class; numbers of clusters and classes may differ."""
    y, position, _ = _matched(labels_true, labels_pred)
    return float(np.mean(y == position))


def balanced_accuracy(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Mean over the classes of the share of a class that its cluster holds, under the one-to-one map with most of it.

    All samples in one cluster score 1/K, whatever the share of the largest of the K classes.
    """
    y, c = (np.unique(labels, return_inverse=True)[1] for labels in _check(labels_true, labels_pred))
    shares = contingency_matrix(y, c) / np.bincount(y)[:, None]
    return float(shares[linear_sum_assignment(shares, maximize=True)].sum() / len(shares))


def majority_vote(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Many-to-one accuracy (purity): the share of samples that belong to the most frequent class of their cluster.

    For more clusters than classes. It increases with the number of clusters, up to 1 if each sample is a cluster.
    """
    y, c = (np.unique(labels, return_inverse=True)[1] for labels in _check(labels_true, labels_pred))
    return float(contingency_matrix(y, c).max(axis=0).sum() / len(y))


def nmi(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """NMI: mutual information over the arithmetic mean of the two entropies (scikit-learn's default since 0.22)."""
    return float(normalized_mutual_info_score(*_check(labels_true, labels_pred), average_method="arithmetic"))


def ari(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Adjusted Rand index."""
    return float(adjusted_rand_score(*_check(labels_true, labels_pred)))


def macro_f1(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """F1 per class after matching, averaged over the classes."""
    return _f1(labels_true, labels_pred, "macro")


def micro_f1(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """F1 over all classes together after matching; equals ACC if every cluster is matched."""
    return _f1(labels_true, labels_pred, "micro")


def scores(labels_true: ArrayLike, labels_pred: ArrayLike) -> dict[str, float]:
    """All of the above under the names `acc`, `nmi`, `ari`, `f1_macro`, `f1_micro`."""
    measures = {"acc": accuracy, "nmi": nmi, "ari": ari, "f1_macro": macro_f1, "f1_micro": micro_f1}
    return {name: measure(labels_true, labels_pred) for name, measure in measures.items()}


def _f1(labels_true: ArrayLike, labels_pred: ArrayLike, average: str) -> float:
    y, position, classes = _matched(labels_true, labels_pred)
    return float(f1_score(y, position, labels=np.arange(len(classes)), average=average, zero_division=0))


def _matched(labels_true: ArrayLike, labels_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices (N,) of the true classes and of those matched to the clusters, `LEFT_OVER` for none; names of classes."""
    labels_true, labels_pred = _check(labels_true, labels_pred)
    classes, y = np.unique(labels_true, return_inverse=True)
    clusters, c = np.unique(labels_pred, return_inverse=True)
    rows, columns = linear_sum_assignment(contingency_matrix(y, c), maximize=True)
    index = np.full(len(clusters), LEFT_OVER)
    index[columns] = rows
    return y, index[c], classes


def _check(labels_true: ArrayLike, labels_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    labels_true, labels_pred = as_labels(labels_true), as_labels(labels_pred)
    if labels_true.ndim != 1 or labels_true.shape != labels_pred.shape or not len(labels_true):
        raise ValueError(
            f"labels must be two arrays of shape (N,) with N >= 1, not {labels_true.shape} and {labels_pred.shape}"
        )
    return labels_true, labels_pred
