"""Filters by their weights: how much two layers resemble each other, matched one to one; how flat they are."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment


def matching(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None = None) -> np.ndarray:
    """For each of `others` (m, …) the index of its partner among `filters` (n, …), n >= m, shape (m,).

    No two have the same partner, and the sum of all |cosines| is the largest there is (Hungarian method).
    """
    return _matched(filters, others, covariance)[0]


def resemblance(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None = None) -> float:
    """Mean |cosine| of the matched pairs, in [0, 1].

    Parameters
    ----------
    filters : (n, …), n >= m
    others : (m, …), as many weights d in a filter
    covariance : (d, d)
        Of the patches of images that the filters see: the cosine of two filters is then the correlation of their
        outputs over those patches. Left out: of their weights.

    A filter of zeros, or one without output, resembles nothing: its cosines are 0. The value for filters that have
    nothing in common is far above 0 (about 0.5 for 32 random ones of 5×5 weights), so it means little by itself:
    compare it with that of untrained filters.
    """
    return float(_matched(filters, others, covariance)[1].mean())


def learned_alike(start: ArrayLike, filters: ArrayLike, others: ArrayLike) -> float:
    """Mean cosine, in [-1, 1], of what two networks learned from one start: `filters` - `start`, `others` - `start`.

    All (n, …), in the same order. About 0 where they have learned different things; a filter that has not moved
    counts as 0.
    """
    a, b = (np.subtract(each, start).reshape(len(start), -1) for each in (filters, others))
    both = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.divide((a * b).sum(1), both, out=np.zeros(len(both)), where=both > 1e-12).mean())


def flatness(filters: ArrayLike) -> np.ndarray:
    """Share of the energy of each of `filters` (n, C, k, k) that is constant over its window: (n,), in [0, 1].

    1 for a filter that measures a color or a gray value and no edge; 0 for one that sees differences alone, in every
    channel; 1/k² on average where all weights are independent; 0 for a filter of zeros.
    """
    filters = np.asarray(filters, float)
    energy = (filters**2).sum((1, 2, 3))
    flat = (filters.mean((2, 3)) ** 2).sum(1) * filters[0, 0].size
    return np.divide(flat, energy, out=np.zeros(len(filters)), where=energy > 0)


def _matched(filters: ArrayLike, others: ArrayLike, covariance: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    a, b = (np.reshape(each, (len(each), -1)).astype(float) for each in (filters, others))
    if len(a) < len(b) or a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape} filters × weights cannot be matched to {b.shape}: as many or more, of one size")
    product = np.eye(a.shape[1]) if covariance is None else np.asarray(covariance)
    lengths = [np.sqrt(np.einsum("nd,de,ne->n", each, product, each).clip(min=0)) for each in (a, b)]
    both = np.outer(*lengths)
    cosines = np.divide(np.abs(a @ product @ b.T), both, out=np.zeros_like(both), where=both > 1e-12)
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    order = rows[np.argsort(columns)]
    return order, cosines[order, np.arange(len(b))]
