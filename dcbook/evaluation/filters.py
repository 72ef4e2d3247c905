"""Comparison of convolution filters by their weights: similarity of two layers after matching, and flatness."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment


def matching(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None = None) -> np.ndarray:
    """The index (m,) of the partner of each of `others` (m, …) among `filters` (n, …), n >= m.

    Partners are distinct and maximize the sum of all |cosines| (Hungarian method). Raises ValueError for shapes that
    cannot be matched.
    """
    return _matched(filters, others, covariance)[0]


def resemblance(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None = None) -> float:
    """Mean |cosine| of the matched pairs, in [0, 1].

    Parameters
    ----------
    filters : (n, …), n >= m, with d weights per filter
    others : (m, …), with d weights per filter
    covariance : (d, d)
        Covariance of the image patches that the filters are applied to. The cosine of two filters is then the
        correlation of their outputs over those patches; without it, the cosine of their weights.

    The cosines of a filter of zeros or without output are 0. Unrelated filters give a value far above 0 (about 0.5 for
    32 random filters of 5×5 weights), so compare the value with that of untrained filters. Raises ValueError for shapes
    that cannot be matched.
    """
    return float(_matched(filters, others, covariance)[1].mean())


def learned_alike(start: ArrayLike, filters: ArrayLike, others: ArrayLike) -> float:
    """Mean cosine, in [-1, 1], of `filters` - `start` and `others` - `start`: the changes of two networks in training.

    All are (n, …), in the same order. Unrelated changes give about 0; the cosine of a filter that has not changed is 0.
    """
    a, b = (np.subtract(each, start).reshape(len(start), -1) for each in (filters, others))
    both = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.divide((a * b).sum(1), both, out=np.zeros(len(both)), where=both > 1e-12).mean())


def flatness(filters: ArrayLike) -> np.ndarray:
    """Share (n,), in [0, 1], of the energy of each of `filters` (n, C, k, k) that is constant over its k × k window.

    It is 1 for a filter that measures a color or gray value but no edge, 0 for a filter that measures only differences,
    1/k² on average for independent weights, and 0 for a filter of zeros.
    """
    filters = np.asarray(filters, float)
    energy = (filters**2).sum((1, 2, 3))
    flat = (filters.mean((2, 3)) ** 2).sum(1) * filters[0, 0].size
    return np.divide(flat, energy, out=np.zeros(len(filters)), where=energy > 0)


def _matched(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    a, b = (np.reshape(each, (len(each), -1)).astype(float) for each in (filters, others))
    if len(a) < len(b) or a.shape[1] != b.shape[1]:
        raise ValueError(f"filters × weights {a.shape} cannot be matched to {b.shape}: as many or more, of one size")
    product = np.eye(a.shape[1]) if covariance is None else np.asarray(covariance)
    lengths = [np.sqrt(np.einsum("nd,de,ne->n", each, product, each).clip(min=0)) for each in (a, b)]
    both = np.outer(*lengths)
    cosines = np.divide(np.abs(a @ product @ b.T), both, out=np.zeros_like(both), where=both > 1e-12)
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    order = rows[np.argsort(columns)]
    return order, cosines[order, np.arange(len(b))]
