"""Contrasts and rates from records: methods and settings paired over seeds that share their start."""

from collections.abc import Callable, Iterable
from typing import Any

from dcbook.experiments.contrast import POINTS, Contrast, Rate
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

    Raises ValueError if they share no data set and seed, or if a method has two records for the same data set and seed.
    """
    records = list(records)
    if setting:
        score = {(r.run["method"], r.run["dataset"], setting(r), r.run["seed"]): r.scores[metric] for r in records}
        pairs = [at for method, *at in score if method == better and (worse, *at) in score]
        return over_settings((*at, 100 * (score[better, *at] - score[worse, *at])) for at in pairs)
    ours, theirs = (values([r for r in records if r.run["method"] == name], metric) for name in (better, worse))
    return _paired(ours, theirs, f"{better} and {worse}")


def paired(better: Iterable[Record], worse: Iterable[Record], metric: str = "acc") -> Contrast:
    """The gain of the runs `better` over the runs `worse` (such as another setting), paired by data set and seed.

    Raises ValueError if they share no data set and seed, or if one has two records for the same data set and seed.
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

    A seed that lacks a place of its data set is left out; ValueError if none is left.
    """
    at: dict[str, dict[int, dict[str, float]]] = {}
    for dataset, place_, seed, value in found:
        at.setdefault(dataset, {}).setdefault(seed, {})[place_] = value
    gains: dict[str, tuple[float, ...]] = {}
    sets: dict[str, str] = {}
    for dataset, seeds in at.items():
        places = list(dict.fromkeys(name for values in seeds.values() for name in values))
        whole = [values for values in seeds.values() if len(values) == len(places)]
        gains |= {name: tuple(values[name] for values in whole) for name in places if whole}
        sets |= dict.fromkeys(places, dataset)
    if not gains:
        raise ValueError("no seed has a value at every place of its data set")
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
    for record in records:
        run = record.run
        seeds = found.setdefault(place(run), {})
        if run["seed"] in seeds:
            raise ValueError(f"{run['method']} has two records on {place(run)} with seed {run['seed']}; choose one")
        seeds[run["seed"]] = 100 * record.scores[metric]
    return found


def _paired(ours: dict[str, dict[int, float]], theirs: dict[str, dict[int, float]], who: str) -> Contrast:
    shared = {d: sorted(ours[d].keys() & theirs[d].keys()) for d in ours if d in theirs}
    gains = {d: tuple(ours[d][seed] - theirs[d][seed] for seed in seeds) for d, seeds in shared.items() if seeds}
    if not gains:
        raise ValueError(f"no data set and seed has records of both {who}")
    return Contrast(gains)
