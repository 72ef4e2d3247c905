"""Which images a sample keeps: pure functions from labels and a seed to sorted positions."""

from numbers import Integral, Real
from typing import Any

import numpy as np


def check(**values: Any) -> None:
    """Raise a TypeError or ValueError that names the first bad value among n, r, seed and stratified."""
    for name, value in values.items():
        if name == "stratified":
            if not isinstance(value, bool):
                raise TypeError(f"stratified must be True or False, not {value!r}")
        elif isinstance(value, bool) or not isinstance(value, Real if name == "r" else Integral):
            kind = "a number in (0, 1]" if name == "r" else "an integer"
            raise TypeError(f"{name} must be {kind}, not {value!r}")
        elif name == "r" and not 0 < value <= 1:
            raise ValueError(f"the retention rate r must lie in (0, 1], not {value}")
        elif name == "seed" and value < 0:
            raise ValueError(f"seed must be 0 or more, not {value}")
        elif name == "n" and value < 1:
            raise ValueError(f"n must be 1 or more images, not {value}")


def shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """How many of n samples each class gets: its share by largest remainder, and at least one.

    Parameters
    ----------
    sizes
        K class sizes; empty classes stay empty.
    n
        From the number of classes that are not empty to the sum of the sizes.

    Returns
    -------
    ndarray
        K integers that sum to n, none larger than its class. Ties go to the earlier class.
    """
    sizes = np.asarray(sizes, dtype=np.int64)
    present = np.count_nonzero(sizes)
    if n < present:
        raise ValueError(f"a stratified sample of n = {n} can't hold one image of each of the {present} classes")
    counts, remainders = np.divmod(n * sizes, sizes.sum())
    counts[np.argsort(-remainders, kind="stable")[: n - counts.sum()]] += 1
    for k in np.flatnonzero((counts == 0) & (sizes > 0)):
        counts[counts.argmax()] -= 1
        counts[k] = 1
    return counts


def draw(labels: np.ndarray, n: int, seed: int, stratified: bool) -> np.ndarray:
    """Sorted positions of n samples drawn without replacement, with the classes' shares if stratified."""
    rng = np.random.default_rng(seed)
    if not stratified:
        return np.sort(rng.choice(len(labels), n, replace=False))
    counts = shares(np.bincount(labels), n)
    members = (np.flatnonzero(labels == k) for k in range(len(counts)))
    return np.sort(np.concatenate([rng.choice(m, c, replace=False) for m, c in zip(members, counts, strict=True)]))


def retain(labels: np.ndarray, n_classes: int, r: float, seed: int) -> np.ndarray:
    """Sorted positions of the samples kept where class k is kept with probability r + (1 - r) k / (K - 1)."""
    rates = np.linspace(r, 1, n_classes)
    return np.flatnonzero(np.random.default_rng(seed).random(len(labels)) < rates[labels])
