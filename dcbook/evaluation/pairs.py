"""Shares of pairs of samples in the loss of DCSS's second phase, and of samples without a similar one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

ROWS = 1024


@dataclass(frozen=True)
class Pairs:
    """Shares, in [0, 1], of all unordered pairs of samples, and of all samples.

    Attributes
    ----------
    similar : share of pairs with q_i·q_j >= zeta, "adjacent" in DCSS Definition 3.1.
    dissimilar : share of pairs with q_i·q_j <= gamma.
    lonely : share of samples that are adjacent to no other sample (DCSS Fig. 3).
    """

    similar: float
    dissimilar: float
    lonely: float


def residuals(q: ArrayLike) -> np.ndarray:
    """Distance (N,) of each row of `q` (N, K) from the one-hot vector of its largest entry, ||q - onehot(q)||_2.

    It is 0 for a certain assignment and sqrt(1 - 1/K) for a uniform one (DCSS Fig. 9, which does not state its norm).
    """
    q = np.asarray(q)
    return np.linalg.norm(q - np.eye(q.shape[1], dtype=q.dtype)[q.argmax(1)], axis=1)


def pairs(q: ArrayLike, zeta: float = 0.8, gamma: float = 0.2) -> Pairs:
    """Shares of similar and dissimilar pairs of rows of `q` (N, K), which are probabilities, in chunks of 1,024 × N.

    Raises ValueError if `q` has fewer than two rows, a row is not a probability distribution, or unless
    0 <= gamma < zeta <= 1.
    """
    q = np.asarray(q, dtype=np.float32)
    if q.ndim != 2 or len(q) < 2 or not np.allclose(q.sum(1), 1, atol=1e-3) or q.min() < 0:
        raise ValueError("q must be a matrix of at least two rows, each of probabilities that sum to 1")
    if not 0 <= gamma < zeta <= 1:
        raise ValueError(f"0 <= gamma < zeta <= 1 must hold, not gamma={gamma}, zeta={zeta}")
    similar = dissimilar = lonely = 0
    for begin in range(0, len(q), ROWS):
        similarity = q[begin : begin + ROWS] @ q.T
        own = np.arange(len(similarity)), np.arange(begin, begin + len(similarity))
        dissimilar += int((similarity <= gamma).sum() - (similarity[own] <= gamma).sum())
        similarity[own] = -1
        neighbors = (similarity >= zeta).sum(1)
        similar += int(neighbors.sum())
        lonely += int((neighbors == 0).sum())
    count = len(q) * (len(q) - 1)
    return Pairs(similar / count, dissimilar / count, lonely / len(q))


def loss_of_pairs(q: ArrayLike, judge: ArrayLike, zeta: float = 0.8, gamma: float = 0.2) -> float:
    """DCSS Eqs. (4) and (5) over all pairs of different samples, divided by their number, in chunks of 1,024 × N.

    `q` (N, K) is MNet's output and `judge` (N, K) selects the pairs: p in Eq. (4), q itself in Eq. (5). With Eq. (4)
    and p of phase 1, the value is high if MNet merges or splits clusters of phase 1. Eq. (5) is 0 for one cluster.
    """
    q, judge = (np.asarray(given, dtype=np.float32) for given in (q, judge))
    total = 0.0
    for begin in range(0, len(q), ROWS):
        rows = slice(begin, begin + ROWS)
        agreement, similarity = q[rows] @ q.T, judge[rows] @ judge.T
        loss = np.where(similarity >= zeta, 1 - agreement, 0) + np.where(similarity <= gamma, agreement, 0)
        own = np.arange(len(loss))
        loss[own, begin + own] = 0
        total += float(loss.sum(dtype=np.float64))
    return total / (len(q) * (len(q) - 1))
