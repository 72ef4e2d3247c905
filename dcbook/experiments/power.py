"""Power analysis: how many seeds and data sets the rule of verdicts needs to detect a gain of a given size."""

import math
from bisect import bisect_left
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from scipy.special import stdtrit

from dcbook.experiments.verdict import BAND, simultaneous

DRAWS = 2000
ENOUGH = 0.8
MOST = 60  # largest number of seeds per data set
TINY = 1e-6  # smallest scatter, in points; a scatter of 0 has no degrees of freedom


@cache
def power(
    gain: float, scatter: float, seeds: tuple[int, ...], questions: int = 1, within: float | None = None
) -> float:
    """The probability that the rule of verdicts calls a claim supported whose true gain is this, by simulation.

    Parameters
    ----------
    gain : the true gain on every data set, in points.
    scatter : standard deviation of the paired gain over the seeds of a data set, in points; NaN if unknown.
    seeds : number of seeds of each data set, such as (3, 3) for two sets.
    questions : number of questions of the claim, each with its own interval.
    within : the limit of a claim that a difference is small, in points; by default the claim is a gain.

    Returns
    -------
    A number in [0, 1], accurate to about 0.01 (`DRAWS` draws of normal gains); NaN for an unknown scatter or a single
    seed.
    """
    if math.isnan(scatter) or min(seeds) < 2:
        return math.nan
    rng = np.random.default_rng(0)
    draws = [rng.normal(gain, max(scatter, TINY), (DRAWS, n)) for n in seeds]
    return float(supported(draws, simultaneous(questions), within).mean())


def seeds_needed(
    gain: float, scatter: float, datasets: int = 1, questions: int = 1, within: float | None = None
) -> int | None:
    """The smallest number of seeds per data set, at least 2, with `power` of at least 0.8; None if above `MOST`."""
    numbers = range(2, MOST + 1)

    def enough(n: int) -> bool:
        return power(gain, scatter, (n,) * datasets, questions, within) >= ENOUGH

    if within is None and gain <= BAND:  # power falls again where the interval becomes as narrow as the band
        return next(filter(enough, numbers), None)
    at = bisect_left(numbers, True, key=enough)
    return numbers[at] if at < len(numbers) else None


def supported(gains: list[np.ndarray], level: float, within: float | None = None) -> np.ndarray:
    """Whether `Question.verdict` is "supported", for many draws at once.

    gains : one array (draws, seeds) per data set. Returns booleans (draws,).
    """
    sizes = np.array([each.shape[1] for each in gains])
    means = np.stack([each.mean(1) for each in gains], 1)
    squares = np.stack([each.var(1, ddof=1) for each in gains], 1) / sizes
    freedom = squares.sum(1) ** 2 / (squares**2 / (sizes - 1)).sum(1)
    half = stdtrit(freedom, (1 + level) / 2) * np.sqrt(squares.sum(1)) / len(gains)
    alone = simultaneous(len(gains))
    halves = stdtrit(sizes - 1, (1 + alone) / 2) * np.sqrt(squares)
    favor, against = (_favor, _against) if within is None else (partial(_within, limit=within), _outside(within))
    return favor(means.mean(1), half) & ~(favor(means, halves).any(1) & against(means, halves).any(1))


def _favor(mean: np.ndarray, half: np.ndarray) -> np.ndarray:
    return (mean - half > 0) & ~_within(mean, half)


def _against(mean: np.ndarray, half: np.ndarray) -> np.ndarray:
    return (mean + half < 0) | _within(mean, half)


def _within(mean: np.ndarray, half: np.ndarray, limit: float = BAND) -> np.ndarray:
    return (mean - half >= -limit) & (mean + half <= limit)


def _outside(limit: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda mean, half: (mean + half < -limit) | (mean - half > limit)
