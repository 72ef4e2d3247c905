"""Which pairs of samples take part in DCSS's second phase, and which samples have no neighbor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

ROWS = 1024


@dataclass(frozen=True)
class Pairs:
    """Shares in [0, 1] over all unordered pairs of two samples, and over the samples.

    Attributes
    ----------
    similar : pairs with q_i·q_j >= zeta, "adjacent" in DCSS Definition 3.1.
    dissimilar : pairs with q_i·q_j <= gamma.
    lonely : samples that are adjacent to no other (DCSS Fig. 3).
    """

    similar: float
    dissimilar: float
    lonely: float

    @property
    def ambiguous(self) -> float:
        """Share of the pairs that take no part (DCSS Fig. 11(a) draws the others)."""
        return 1 - self.similar - self.dissimilar


def residuals(q: ArrayLike) -> np.ndarray:
    """How far each row of `q` (N, K) is from the one-hot vector of its largest entry: ||q - onehot(q)||_2, (N,).

    From 0, a certain assignment, to sqrt(1 - 1/K), none (DCSS Fig. 9; which norm it draws is not stated).
    """
    q = np.asarray(q)
    return np.linalg.norm(q - np.eye(q.shape[1], dtype=q.dtype)[q.argmax(1)], axis=1)


def pairs(q: ArrayLike, zeta: float = 0.8, gamma: float = 0.2) -> Pairs:
    """Count the pairs of `q` (N, K), rows of probabilities, in pieces that hold 1,024 × N numbers.

    Raises ValueError if `q` holds no two rows of probabilities, or unless 0 <= gamma < zeta <= 1.
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
