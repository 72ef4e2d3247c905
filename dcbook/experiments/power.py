"""Before a grid runs: with how many seeds and data sets the rule of verdict would notice a gain of a given size."""

import math
from functools import cache

import numpy as np

from dcbook.experiments.contrast import Contrast
from dcbook.experiments.verdict import SUPPORTED, Question, simultaneous

DRAWS = 200
ENOUGH = 0.8


@cache
def power(gain: float, scatter: float, seeds: tuple[int, ...], questions: int = 1) -> float:
    """The probability that a true gain is called supported, by simulation with the rule of verdict itself.

    Parameters
    ----------
    gain : the true gain on every data set, in points.
    scatter : standard deviation of a pair's gain over the seeds of a data set, in points; NaN if unknown.
    seeds : number of seeds of each data set: (3, 3) for two sets.
    questions : number of questions of the claim, each of which gets an interval.

    Returns
    -------
    In [0, 1], to about 0.03 (`DRAWS` draws of normal gains); NaN for an unknown scatter.
    """
    if math.isnan(scatter):
        return math.nan
    rng, level = np.random.default_rng(0), simultaneous(questions)
    hits = 0
    for _ in range(DRAWS):
        gains = {str(i): tuple(rng.normal(gain, scatter, n)) for i, n in enumerate(seeds)}
        hits += Question("", Contrast(gains)).verdict(level) == SUPPORTED
    return hits / DRAWS


def seeds_needed(gain: float, scatter: float, datasets: int = 1, questions: int = 1, most: int = 30) -> int | None:
    """The smallest number of seeds a data set, from 2 on, whose `power` is at least 0.8; None if `most` are too few."""
    tried = (n for n in range(2, most + 1) if power(gain, scatter, (n,) * datasets, questions) >= ENOUGH)
    return next(tried, None)
