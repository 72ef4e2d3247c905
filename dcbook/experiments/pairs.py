"""Contrasts and rates from records: methods and settings paired over seeds that share their start."""

from collections.abc import Callable, Iterable
from typing import Any

from dcbook.experiments.contrast import POINTS, Contrast, NoPairs, Rate
from dcbook.experiments.records import Record, place, value_of


def contrast(
    records: Iterable[Record],
    better: str,
    worse: str,
    metric: str = "acc",
    setting: Callable[[Record], str] | None = None,
) -> Contrast:
    """The gain of `better` over `worse`, in points, for each data set and seed with a record of both.

    `setting` names the place of a run where the runs of a seed on a data set differ in a setting, see `over_settings`.

    Raises `NoPairs` if they share no data set and seed, or ValueError if a method has two records for the same data set
    and seed (and place).
    """
    records = list(records)
    ours, theirs = ([r for r in records if r.run["method"] == name] for name in (better, worse))
    if setting:
        score, other = (_scores(some, metric, setting) for some in (ours, theirs))
        return over_settings((*at, 100 * (score[at] - other[at])) for at in score if at in other)
    return _paired(values(ours, metric), values(theirs, metric), f"{better} and {worse}")


def paired(better: Iterable[Record], worse: Iterable[Record], metric: str = "acc") -> Contrast:
    """The gain of the runs `better` over the runs `worse` (such as another setting), paired by data set and seed.

    Raises `NoPairs` if they share no data set and seed, or ValueError if one has two records for the same data set and
    seed.
    """
    return _paired(values(better, metric), values(worse, metric), "the two settings")


def by_value(records: Iterable[Record], setting: str) -> dict[Any, list[Record]]:
    """The records for each value of a setting, in the order of first occurrence."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(value_of(record, setting), []).append(record)
    return found


def grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, tuple[float, ...]]:
    """Values by data set, for a `Contrast` of a quantity measured in each run: [("usps", 1.0), ("usps", 2.0), …]."""
    found: dict[str, tuple[float, ...]] = {}
    for dataset, value in pairs:
        found[dataset] = (*found.get(dataset, ()), value)
    return found


def over_settings(
    found: Iterable[tuple[str, str, int, float]], unit: str = POINTS, paired: bool | None = None
) -> Contrast:
    """A `Contrast` of values with their data set, place (a setting of it) and seed; the places share the seeds.

    A seed that lacks a place of its data set is left out; `NoPairs` if none is left. ValueError for two values of a
    data set, place and seed, and for a place of two data sets.
    """
    at: dict[str, dict[int, dict[str, float]]] = {}
    for dataset, place_, seed, value in found:
        places = at.setdefault(dataset, {}).setdefault(seed, {})
        if place_ in places:
            raise ValueError(f"two values for {dataset} at {place_} with seed {seed}; choose one")
        places[place_] = value
    gains: dict[str, tuple[float, ...]] = {}
    sets: dict[str, str] = {}
    for dataset, seeds in at.items():
        places = list(dict.fromkeys(name for values in seeds.values() for name in values))
        if both := sets.keys() & set(places):
            raise ValueError(f"{sets[min(both)]} and {dataset} share the place {min(both)!r}; name the data set in it")
        whole = [values for values in seeds.values() if len(values) == len(places)]
        gains |= {name: tuple(values[name] for values in whole) for name in places if whole}
        sets |= dict.fromkeys(places, dataset)
    if not gains:
        raise NoPairs("no seed has a value at every place of its data set")
    return Contrast(gains, unit, paired, sets=sets)


def counted(pairs: Iterable[tuple[str, bool]]) -> Rate:
    """The rate of an event, from pairs of a run's data set and whether the event occurred in the run."""
    counts: dict[str, tuple[int, int]] = {}
    for dataset, hit in pairs:
        hits, runs = counts.get(dataset, (0, 0))
        counts[dataset] = (hits + bool(hit), runs + 1)
    return Rate(counts)


def values(records: Iterable[Record], metric: str) -> dict[str, dict[int, float]]:
    """Data set → seed → score in per cent; ValueError if there are two records for a data set and seed."""
    found: dict[str, dict[int, float]] = {}
    for (_, where, seed), score in _scores(records, metric, lambda record: place(record.run)).items():
        found.setdefault(where, {})[seed] = 100 * score
    return found


def _scores(
    records: Iterable[Record], metric: str, setting: Callable[[Record], str]
) -> dict[tuple[str, str, int], float]:
    """(Data set, setting, seed) → score; ValueError if there are two records for one of them."""
    found: dict[tuple[str, str, int], float] = {}
    for record in records:
        run = record.run
        dataset, where, seed = at = run["dataset"], setting(record), run["seed"]
        if at in found:
            on = where if where == place(run) else f"{dataset} at {where}"
            raise ValueError(f"{run['method']} has two records on {on} with seed {seed}; choose one")
        found[at] = record.scores[metric]
    return found


def _paired(ours: dict[str, dict[int, float]], theirs: dict[str, dict[int, float]], who: str) -> Contrast:
    shared = {d: sorted(ours[d].keys() & theirs[d].keys()) for d in ours if d in theirs}
    gains = {d: tuple(ours[d][seed] - theirs[d][seed] for seed in seeds) for d, seeds in shared.items() if seeds}
    if not gains:
        raise NoPairs(f"no data set and seed has records of both {who}")
    return Contrast(gains)
