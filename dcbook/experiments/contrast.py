"""Comparative claims put to the records: paired over seeds that share their start, with an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcbook.experiments.records import Record, place, value_of

HOLDS, IN_PART, NOT = "holds", "holds in part", "does not hold"
LEVEL = 0.95


@dataclass(frozen=True)
class Contrast:
    """What one method gains over another, or over the best of several, in points (per cent).

    Attributes
    ----------
    gains : dict
        Data set (or features of it, see `place`) to the gain of each seed, in the order of the seeds.
    """

    gains: dict[str, tuple[float, ...]]

    @property
    def means(self) -> dict[str, float]:
        """Mean gain on each data set."""
        return {dataset: float(np.mean(gains)) for dataset, gains in self.gains.items()}

    @property
    def mean(self) -> float:
        """Mean gain over all pairs of runs."""
        return float(np.mean(self._all))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Student's t for the mean over all pairs; infinite for a single pair."""
        from scipy.stats import t

        n = len(self._all)
        if n < 2:
            return -math.inf, math.inf
        half = t.ppf((1 + LEVEL) / 2, n - 1) * np.std(self._all, ddof=1) / math.sqrt(n)
        return self.mean - half, self.mean + half

    @property
    def verdict(self) -> str:
        """Holds: better on every data set, and the interval lies above 0; does not hold: better on none, or below 0.

        Everything between holds in part.
        """
        low, high = self.interval
        better = [gain > 0 for gain in self.means.values()]
        if all(better) and low > 0:
            return HOLDS
        return NOT if not any(better) or high < 0 else IN_PART

    def within(self, points: float) -> Contrast:
        """The gains with `points` added: its verdict is on falling behind by less than that."""
        return Contrast({dataset: tuple(gain + points for gain in gains) for dataset, gains in self.gains.items()})

    def __str__(self) -> str:
        low, high = self.interval
        each = ", ".join(f"{dataset} {gain:+.1f}" for dataset, gain in self.means.items())
        return f"{self.mean:+.1f} [{low:+.1f}, {high:+.1f}] points over {len(self._all)} pairs ({each})"

    @property
    def _all(self) -> list[float]:
        return [gain for gains in self.gains.values() for gain in gains]


def contrast(records: Iterable[Record], better: str, worse: str | Iterable[str], metric: str = "acc") -> Contrast:
    """What `better` gains over `worse` (of several, the best of each data set's means) where both have a record.

    Raises ValueError if they share no data set and seed, or if a method has two records for one of them.
    """
    rivals = [worse] if isinstance(worse, str) else list(worse)
    records = list(records)
    ours, *theirs = (_values([r for r in records if r.run["method"] == name], metric) for name in (better, *rivals))
    best = {
        dataset: max((found[dataset] for found in theirs if dataset in found), key=lambda s: np.mean(list(s.values())))
        for dataset in ours
        if any(dataset in found for found in theirs)
    }
    return _paired(ours, best, f"{better} and {' or '.join(rivals)}")


def paired(better: Iterable[Record], worse: Iterable[Record], metric: str = "acc") -> Contrast:
    """What the runs `better` gain over the runs `worse`, such as those with another setting, by data set and seed.

    Raises ValueError if they share no data set and seed, or if one of them has two records for one of these.
    """
    return _paired(_values(better, metric), _values(worse, metric), "the two settings")


def by_value(records: Iterable[Record], setting: str) -> dict[Any, list[Record]]:
    """The records at each value of a setting, in the order of their first."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(value_of(record, setting), []).append(record)
    return found


def _values(records: Iterable[Record], metric: str) -> dict[str, dict[int, float]]:
    """Data set to seed to per cent."""
    values: dict[str, dict[int, float]] = {}
    for record in records:
        run = record.run
        seeds = values.setdefault(place(run), {})
        if run["seed"] in seeds:
            raise ValueError(f"{run['method']} has two records on {place(run)} with seed {run['seed']}: choose one")
        seeds[run["seed"]] = 100 * record.scores[metric]
    return values


def _paired(ours: dict[str, dict[int, float]], theirs: dict[str, dict[int, float]], who: str) -> Contrast:
    shared = {d: sorted(ours[d].keys() & theirs[d].keys()) for d in ours if d in theirs}
    gains = {d: tuple(ours[d][seed] - theirs[d][seed] for seed in seeds) for d, seeds in shared.items() if seeds}
    if not gains:
        raise ValueError(f"no data set and seed has records of both {who}")
    return Contrast(gains)
