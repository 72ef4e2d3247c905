"""A linear probe that learns from few labels, on features of any kind."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from dcbook.data.sampling import draw


def split(labels: np.ndarray, per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a pool with `per_class` labels a class on average, drawn with the classes' shares, and of the rest.

    Raises ValueError if nothing is left to test on.
    """
    n = per_class * len(np.unique(labels))
    if n >= len(labels):
        raise ValueError(f"{per_class} labels a class, {n} in all, leave none of {len(labels)} samples to test on")
    pool = draw(labels, n, seed, stratified=True)
    return pool, np.setdiff1d(np.arange(len(labels)), pool)


def few_label_probe(
    features: ArrayLike, labels: ArrayLike, per_class: Sequence[int], *, draws: int = 3, seed: int = 0
) -> dict[int, float]:
    """Accuracy of a logistic regression on frozen features for each number of labels a class, in [0, 1].

    The pool from which labels are drawn is `split` with the largest number, so the test samples are the same for all
    numbers. A smaller number is the mean of `draws` draws from the pool. The features are standardized by mean and
    standard deviation of all samples, which needs no label; the penalty is scikit-learn's default.

    Parameters
    ----------
    features : (N, d) floats, finite
    labels : (N,) whole numbers from 0
    per_class : numbers of labels a class on average, each at least 1
    draws, seed : of the labels; the same seed draws the same samples for all features
    """
    if not per_class or min(per_class) < 1 or draws < 1:
        raise ValueError(f"per_class must be numbers of at least 1 and draws at least 1, not {per_class}, {draws}")
    x, labels = np.asarray(features, dtype=np.float64), np.asarray(labels)
    if x.ndim != 2 or len(x) != len(labels) or not np.isfinite(x).all():
        raise ValueError(f"features must be finite and (N, d) with N = {len(labels)} labels, not {x.shape}")
    deviation = x.std(0)
    x = (x - x.mean(0)) / np.where(deviation > 0, deviation, 1)
    classes, largest, found = len(np.unique(labels)), max(per_class), {}
    pool, test = split(labels, largest, seed)
    for number in per_class:
        parts = (
            [pool]
            if number == largest
            else [pool[draw(labels[pool], number * classes, seed + each, stratified=True)] for each in range(draws)]
        )
        probes = [LogisticRegression(max_iter=1000, tol=1e-3).fit(x[part], labels[part]) for part in parts]
        found[number] = float(np.mean([probe.score(x[test], labels[test]) for probe in probes]))
    return found
