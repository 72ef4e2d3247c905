"""Differences measured over seeds and data sets, and rates of events, with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
POINTS = "points"  # percentage points, the unit of a difference between two runs
Interval = tuple[float, float]


class NoPairs(ValueError):
    """Records share no data set and seed, or there are none of a kind."""


@dataclass(frozen=True)
class Contrast:
    """A difference measured on several data sets with several seeds each, such as one method's ACC over another's.

    The seeds of a data set are treated as a random sample, the data sets as fixed. The mean weighs all data sets
    equally, and its interval comes from the variation of the seeds within each data set. `between` treats the data sets
    as a sample, too. Raises `NoPairs` for no data set.

    Attributes
    ----------
    gains : dict
        Data set (or features of it, see `place`) to the difference for each seed, in `unit`.
    sets : dict, optional
        Place to its data set, where several places of `gains` are settings of one data set with the same seeds. Runs
        of a seed share their images and their start, so their mean is one observation. See `over_settings`.
    unit : str
        `POINTS` for a difference between runs; otherwise the unit of the measured quantity, such as "%", or "" for a
        quantity without a unit, such as a cosine. Points and per cent are shown with one decimal, others with two.
    paired : bool, optional
        Whether each value is the difference of a pair and is shown with a sign; by default only values in points are.
    bounds : (float, float), optional
        The least and the largest value that the quantity can have, (-1, 1) for a correlation: intervals end there.
    """

    gains: dict[str, tuple[float, ...]]
    unit: str = POINTS
    paired: bool | None = None
    bounds: Interval = (-math.inf, math.inf)
    sets: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if not self.gains:
            raise NoPairs("no run has a record of it")

    @property
    def samples(self) -> dict[str, tuple[float, ...]]:
        """Data set to its independent values, one for each seed."""
        places: dict[str, list[tuple[float, ...]]] = {}
        for place_, gains in self.gains.items():
            places.setdefault(self.sets.get(place_, place_), []).append(gains)
        return {name: tuple(map(float, np.mean(each, axis=0))) for name, each in places.items()}

    @property
    def differs(self) -> bool:
        """Whether the values are differences between paired runs."""
        return self.unit == POINTS if self.paired is None else self.paired

    @property
    def means(self) -> dict[str, float]:
        """Mean on each data set, or at each place of it."""
        return {dataset: float(np.mean(gains)) for dataset, gains in self.gains.items()}

    @property
    def mean(self) -> float:
        """Mean over the data sets, each with the same weight."""
        return float(np.mean([np.mean(values) for values in self.samples.values()]))

    @property
    def n(self) -> int:
        """Number of independent pairs of runs."""
        return sum(map(len, self.samples.values()))

    @property
    def n_sets(self) -> int:
        """Number of data sets."""
        return len(self.samples)

    @property
    def scatter(self) -> float:
        """Pooled standard deviation over the seeds within a data set; NaN if no data set has two seeds."""
        samples = self.samples.values()
        freedom = sum(len(gains) - 1 for gains in samples)
        squares = sum((len(gains) - 1) * np.var(gains, ddof=1) for gains in samples if len(gains) > 1)
        return math.sqrt(squares / freedom) if freedom else math.nan

    def interval(self, level: float = LEVEL) -> Interval:
        """Confidence interval of the mean over these data sets, from the variation of the seeds.

        It uses Student's t with Satterthwaite's degrees of freedom, as variances differ between data sets; for one data
        set it is the paired t interval. It is infinite if a data set has a single seed. At 95 % it covers normal values
        in 93 to 98 % of simulated cases with equal numbers of seeds, and in 91 to 92 % where the set with the fewest
        seeds scatters ten times as much as another. Where all values lie at one end of `bounds`, their variation tells
        nothing, and the interval is that of an event that occurred in n of n runs.
        """
        samples = self.samples.values()
        if min(map(len, samples)) < 2:
            return -math.inf, math.inf
        if self.mean in self.bounds:
            return self._at_an_end(level)
        sizes = np.array([len(gains) for gains in samples])
        squares = np.array([np.var(gains, ddof=1) for gains in samples]) / sizes
        return self._clipped(_student(self.mean, squares.sum() / len(sizes) ** 2, _freedom(squares, sizes), level))

    def interval_on(self, dataset: str, level: float = LEVEL) -> Interval:
        """The same for one data set, or one place of it."""
        return replace(self, gains={dataset: self.gains[dataset]}).interval(level)

    def between(self, level: float = LEVEL) -> Interval | None:
        """Interval of the mean over a population of data sets, each one observation; None for fewer than three."""
        means = [np.mean(values) for values in self.samples.values()]
        if len(means) < 3:
            return None
        return self._clipped(_student(self.mean, np.var(means, ddof=1) / len(means), len(means) - 1, level))

    def __str__(self) -> str:
        return self.told(LEVEL)

    def told(self, level: float) -> str:
        """Mean, interval at that level, number of pairs or runs, and the mean of each data set."""
        low, high = self.interval(level)
        whole = {"mean": self.mean, "low": low, "high": high, "unit": self.unit, "n": self.n, "paired": self.differs}
        each = ", ".join(f"{dataset} {number(mean, self.unit, self.differs)}" for dataset, mean in self.means.items())
        return f"{told_interval(whole)} ({each})"

    def _at_an_end(self, level: float) -> Interval:
        low, high = self.bounds
        least, _ = _exact(self.n, self.n, level)
        reach = (high - low) * (1 - least / 100)
        return (high - reach, high) if self.mean == high else (low, low + reach)

    def _clipped(self, interval: Interval) -> Interval:
        low, high = np.clip(interval, *self.bounds)
        return float(low), float(high)


def told_interval(found: Mapping[str, Any]) -> str:
    """Mean, interval, unit and n in words: "+1.2 [+0.3, +2.1] points over 9 pairs"; infinite ends may be None.

    Without n (None) the number of pairs or runs is left out. A `Rate` is told as "72.2 [50.4, 87.6] % of 36 runs".
    """
    low, high = (sign * math.inf if found[end] is None else found[end] for sign, end in ((-1, "low"), (1, "high")))
    unit, paired = found["unit"], found["paired"]
    mean, low, high = (number(value, unit, paired) for value in (found["mean"], low, high))
    told, n = f"{mean} [{low}, {high}]{' ' * bool(unit)}{unit}", found["n"]
    if n is None:
        return told
    return (
        f"{told.removesuffix('the runs')}{n} runs"
        if unit == Rate.unit
        else f"{told} over {n} {'pairs' if paired else 'runs'}"
    )


def number(value: float, unit: str, paired: bool) -> str:
    """A number as text: points and per cent with one decimal, others with two; paired differences with a sign.

    The order in which a mean was summed does not decide how it is rounded.
    """
    return f"{round(value, 6):{'+' * paired}.{1 if unit == POINTS or unit.startswith('%') else 2}f}"


def _student(mean: float, square: float, freedom: float, level: float) -> Interval:
    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(square)
    return mean - half, mean + half


def _freedom(squares: np.ndarray, sizes: np.ndarray) -> float:
    """Satterthwaite's degrees of freedom for a sum of squared standard errors."""
    if not squares.any():
        return float((sizes - 1).sum())
    return float(squares.sum() ** 2 / (squares**2 / (sizes - 1)).sum())


@dataclass(frozen=True)
class Rate:
    """The share of runs in which an event occurs.

    Attributes
    ----------
    counts : dict
        Data set to (number of runs with the event, number of runs).
    """

    counts: dict[str, tuple[int, int]]
    unit: ClassVar[str] = "% of the runs"
    differs: ClassVar[bool] = False

    def __post_init__(self):
        if not self.counts:
            raise NoPairs("no run has a record of it")

    @property
    def means(self) -> dict[str, float]:
        """The rate on each data set, in per cent."""
        return {dataset: 100 * hits / runs for dataset, (hits, runs) in self.counts.items()}

    @property
    def mean(self) -> float:
        """The rate over all runs, in per cent."""
        hits, runs = self._total
        return 100 * hits / runs

    @property
    def n(self) -> int:
        """Number of runs."""
        return self._total[1]

    @property
    def n_sets(self) -> int:
        """Number of data sets."""
        return len(self.counts)

    def interval(self, level: float = LEVEL) -> Interval:
        """The exact confidence interval of Clopper and Pearson, in per cent."""
        return _exact(*self._total, level)

    def interval_on(self, dataset: str, level: float = LEVEL) -> Interval:
        """The same for one data set."""
        return _exact(*self.counts[dataset], level)

    def between(self, level: float = LEVEL) -> None:
        """Not defined for a rate."""

    def told(self, level: float) -> str:
        """The numbers of runs with the event and of all runs, the interval at that level, and both per data set."""
        hits, runs = self._total
        low, high = self.interval(level)
        each = ", ".join(f"{dataset} {hits} of {runs}" for dataset, (hits, runs) in self.counts.items())
        return f"{hits} of {runs} runs [{low:.0f}, {high:.0f} %]" + (f" ({each})" if len(self.counts) > 1 else "")

    @property
    def _total(self) -> tuple[int, int]:
        hits, runs = zip(*self.counts.values(), strict=True)
        return sum(hits), sum(runs)


def _exact(hits: int, runs: int, level: float) -> Interval:
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = beta.ppf(tail, hits, runs - hits + 1) if hits else 0.0
    high = beta.isf(tail, hits + 1, runs - hits) if hits < runs else 1.0
    return 100 * float(low), 100 * float(high)
