"""What one method gains over another: paired over seeds that share their start, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import stdtrit

from dcbook.experiments.records import Record, place, value_of

LEVEL = 0.95
POINTS = "points"  # per cent, of a difference between two runs
Interval = tuple[float, float]


@dataclass(frozen=True)
class Contrast:
    """A difference measured on several data sets with several seeds each, such as one method's ACC over another's.

    Seeds of one data set are a sample; the data sets are not: they are the ones that were tested. So the mean weighs
    each data set alike, its interval comes from the scatter of the seeds within each, and `between` says how far the
    data sets themselves differ.

    Attributes
    ----------
    gains : dict
        Data set (or features of it, see `place`) to the difference for each seed, in `unit`.
    unit : str
        `POINTS` for a difference between runs; else that of what each run measured, such as "%", or "" for a number
        without a unit, such as a cosine. Points and per cent are told with one decimal, all else with two.
    paired : bool, optional
        Whether each value is the difference of a pair, and has a sign; by default those in points are.
    """

    gains: dict[str, tuple[float, ...]]
    unit: str = POINTS
    paired: bool | None = None

    @property
    def differs(self) -> bool:
        """Whether the values are differences of pairs."""
        return self.unit == POINTS if self.paired is None else self.paired

    @property
    def means(self) -> dict[str, float]:
        """Mean on each data set."""
        return {dataset: float(np.mean(gains)) for dataset, gains in self.gains.items()}

    @property
    def mean(self) -> float:
        """Mean over the data sets, each with the same weight."""
        return float(np.mean(list(self.means.values())))

    @property
    def n(self) -> int:
        """Number of pairs of runs."""
        return sum(map(len, self.gains.values()))

    @property
    def scatter(self) -> float:
        """Standard deviation over the seeds within a data set, pooled; NaN where no data set has two."""
        freedom = sum(len(gains) - 1 for gains in self.gains.values())
        squares = sum((len(gains) - 1) * np.var(gains, ddof=1) for gains in self.gains.values() if len(gains) > 1)
        return math.sqrt(squares / freedom) if freedom else math.nan

    def interval(self, level: float = LEVEL) -> Interval:
        """Confidence interval of the mean over these data sets, by the scatter of their seeds.

        Student's t with Satterthwaite's degrees of freedom, since data sets scatter differently (the paired t interval
        for one data set). Infinite where a data set has a single seed.
        """
        if min(map(len, self.gains.values())) < 2:
            return -math.inf, math.inf
        sizes = np.array([len(gains) for gains in self.gains.values()])
        squares = np.array([np.var(gains, ddof=1) for gains in self.gains.values()]) / sizes
        return _student(self.mean, squares.sum() / len(sizes) ** 2, _freedom(squares, sizes), level)

    def interval_on(self, dataset: str, level: float = LEVEL) -> Interval:
        """The same for one data set."""
        return Contrast({dataset: self.gains[dataset]}).interval(level)

    def between(self, level: float = LEVEL) -> Interval | None:
        """Interval for the mean over data sets such as these, each one observation; None for fewer than three."""
        means = list(self.means.values())
        if len(means) < 3:
            return None
        return _student(self.mean, np.var(means, ddof=1) / len(means), len(means) - 1, level)

    def __str__(self) -> str:
        return self.told(LEVEL)

    def told(self, level: float) -> str:
        """Mean, interval at that level, number of pairs or runs, and the mean of each data set."""
        low, high = self.interval(level)
        whole = {"mean": self.mean, "low": low, "high": high, "unit": self.unit, "n": self.n, "paired": self.differs}
        each = ", ".join(f"{dataset} {number(mean, self.unit, self.differs)}" for dataset, mean in self.means.items())
        return f"{told_interval(whole)} ({each})"


def told_interval(found: Mapping[str, Any]) -> str:
    """Mean, interval, unit and n in words: "+1.2 [+0.3, +2.1] points over 9 pairs"; infinite ends may be None."""
    low, high = (sign * math.inf if found[end] is None else found[end] for sign, end in ((-1, "low"), (1, "high")))
    unit, paired = found["unit"], found["paired"]
    mean, low, high = (number(value, unit, paired) for value in (found["mean"], low, high))
    return f"{mean} [{low}, {high}]{' ' * bool(unit)}{unit} over {found['n']} {'pairs' if paired else 'runs'}"


def number(value: float, unit: str, paired: bool) -> str:
    """Points and per cent to one decimal, all else to two; with a sign where it is a difference."""
    return f"{value:{'+' * paired}.{1 if unit == POINTS or unit.startswith('%') else 2}f}"


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
    """In how many runs something happens.

    Attributes
    ----------
    counts : dict
        Data set to (runs in which it happens, runs).
    """

    counts: dict[str, tuple[int, int]]
    unit: ClassVar[str] = "% of the runs"
    differs: ClassVar[bool] = False

    @property
    def means(self) -> dict[str, float]:
        """Per cent of each data set's runs."""
        return {dataset: 100 * hits / runs for dataset, (hits, runs) in self.counts.items()}

    @property
    def mean(self) -> float:
        """Per cent of all runs."""
        hits, runs = self._total
        return 100 * hits / runs

    @property
    def n(self) -> int:
        """Number of runs."""
        return self._total[1]

    def interval(self, level: float = LEVEL) -> Interval:
        """The exact interval of Clopper and Pearson, in per cent."""
        return _exact(*self._total, level)

    def interval_on(self, dataset: str, level: float = LEVEL) -> Interval:
        """The same for one data set."""
        return _exact(*self.counts[dataset], level)

    def between(self, level: float = LEVEL) -> None:
        """Not defined for a rate."""

    def told(self, level: float) -> str:
        """Runs of all runs, the rate's interval at that level, and each data set's runs."""
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


def contrast(records: Iterable[Record], better: str, worse: str, metric: str = "acc") -> Contrast:
    """What `better` gains over `worse` where both have a record of one data set and seed, in points.

    Raises ValueError if they share no data set and seed, or if a method has two records for one of them.
    """
    records = list(records)
    ours, theirs = (values([r for r in records if r.run["method"] == name], metric) for name in (better, worse))
    return _paired(ours, theirs, f"{better} and {worse}")


def paired(better: Iterable[Record], worse: Iterable[Record], metric: str = "acc") -> Contrast:
    """What the runs `better` gain over the runs `worse`, such as those with another setting, by data set and seed.

    Raises ValueError if they share no data set and seed, or if one of them has two records for one of these.
    """
    return _paired(values(better, metric), values(worse, metric), "the two settings")


def by_value(records: Iterable[Record], setting: str) -> dict[Any, list[Record]]:
    """The records at each value of a setting, in the order of their first."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(value_of(record, setting), []).append(record)
    return found


def grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, tuple[float, ...]]:
    """Values by data set, for a `Contrast` of what each run measured: [("usps", 1.0), ("usps", 2.0), …]."""
    found: dict[str, tuple[float, ...]] = {}
    for dataset, value in pairs:
        found[dataset] = (*found.get(dataset, ()), value)
    return found


def counted(pairs: Iterable[tuple[str, bool]]) -> Rate:
    """In how many runs it happens, from a truth value for each run and its data set."""
    counts: dict[str, tuple[int, int]] = {}
    for dataset, hit in pairs:
        hits, runs = counts.get(dataset, (0, 0))
        counts[dataset] = (hits + bool(hit), runs + 1)
    return Rate(counts)


def values(records: Iterable[Record], metric: str) -> dict[str, dict[int, float]]:
    """Data set to seed to a score in per cent; ValueError if a data set and seed has two records."""
    found: dict[str, dict[int, float]] = {}
    for record in records:
        run = record.run
        seeds = found.setdefault(place(run), {})
        if run["seed"] in seeds:
            raise ValueError(f"{run['method']} has two records on {place(run)} with seed {run['seed']}: choose one")
        seeds[run["seed"]] = 100 * record.scores[metric]
    return found


def _paired(ours: dict[str, dict[int, float]], theirs: dict[str, dict[int, float]], who: str) -> Contrast:
    shared = {d: sorted(ours[d].keys() & theirs[d].keys()) for d in ours if d in theirs}
    gains = {d: tuple(ours[d][seed] - theirs[d][seed] for seed in seeds) for d, seeds in shared.items() if seeds}
    if not gains:
        raise ValueError(f"no data set and seed has records of both {who}")
    return Contrast(gains)
