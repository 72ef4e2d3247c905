"""Records of this chapter as rows: what its tables print and its pictures draw."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from dcbook.chapters.rdc.grids import BEFORE, CHOICES
from dcbook.chapters.rdc.grids import RELEASED as FROZEN
from dcbook.experiments.records import Record, place

SHOWN = ("epoch", "id", "lid")
SHAPE = ("id", "lid", "curvature_gap", "spectral_gap", "effective_rank", "latent_variance")
COSINES = ("fr_dynae", "fd_dynae", "fd_rdc")


def dimensions(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 1 as rows: dataset, start (the pretraining), seed, epoch (0: before phase 2), id, lid.

    Epochs that were not looked at have no row, nor have those in which no cluster was large enough.
    """
    rows = []
    for record in records:
        start = {"epoch": 0, **record.portrait["start"]}
        watched = [start, *(entry for entry in record.history if entry["phase"] != "pretraining")]
        rows += [
            {**_about(record), "start": record.run["start"]["method"], **{name: entry[name] for name in SHOWN}}
            for entry in watched
            if entry.get("id") is not None
        ]
    return pd.DataFrame(rows)


def phases(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 3 as rows: dataset, method, seed, metric, and in per cent `phase 1`, `phase 2` and `majority`."""
    rows = []
    for record in records:
        majority = 100 * record.portrait["majority"]
        for metric, before in record.portrait["phase 1"].items():
            scores = {"phase 1": 100 * before, "phase 2": 100 * record.scores[metric]}
            rows.append({**_about(record), "metric": metric, **scores, "majority": majority})
    return pd.DataFrame(rows)


def first_settings(record: Record) -> dict[str, Any]:
    """The settings of the pretraining that a record's start was made by."""
    (settings,) = record.run["start"]["params"]["start"].values()
    return settings


def by_length(records: Iterable[Record]) -> pd.DataFrame:
    """Of `lengths` as rows: dataset, method, seed, metric, value in [0, 1], and phase 1's `critic`, `epochs` and `lam`.

    "phase 1" is a method among the others, and "conflicted" a metric of DynAE: the share at its first count.
    """
    rows = []
    for record in records:
        pretraining = first_settings(record)
        about = {**_about(record), **{name: pretraining[name] for name in ("critic", "epochs", "lam")}}
        for metric, before in record.portrait["phase 1"].items():
            scores = {"phase 1": before, record.run["method"]: record.scores[metric]}
            rows += [{**about, "method": name, "metric": metric, "value": value} for name, value in scores.items()]
        counts = [entry["conflicted"] for entry in record.history if "conflicted" in entry]
        rows += [{**about, "metric": "conflicted", "value": count} for count in counts[:1]]
    return pd.DataFrame(rows).drop_duplicates(ignore_index=True)


def shapes(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 2 as rows: dataset, method, seed, the numbers of each frame (see `Snapshots`), and straightness.

    That is the `straightness` of the classes in the plane.
    """
    rows = []
    for record in records:
        for frame in record.portrait["frames"]:
            numbers = {name: value for name, value in frame.items() if name != "places"}
            straight = straightness(frame["places"], record.portrait["labels"])
            rows.append({**_about(record), **numbers, "straightness": straight})
    return pd.DataFrame(rows)


def straightness(places: np.ndarray, labels: np.ndarray) -> float:
    """Share of the variance of a class along one line, averaged over the classes: from 1/d, round, to 1, straight.

    `places` (n, d), `labels` (n,); a class needs two places.
    """
    places, labels = np.asarray(places, dtype=float), np.asarray(labels)
    variances = [np.linalg.eigvalsh(np.cov(places[labels == k].T)) for k in np.unique(labels)]
    return float(np.mean([each[-1] / each.sum() for each in variances]))


def setting(record: Record) -> str:
    """The choice that a run of `choices` changed, "loss = latent"; "as it is", or "phase 1"."""
    if record.run["method"] == BEFORE:
        return "phase 1"
    changed = [f"{name} = {value}" for name, value in record.run["params"].items() if name in CHOICES]
    return changed[0] if changed else "as it is"


CHANGES = {  # `setting` in words
    "as it is": "unchanged",
    "loss = latent": "loss on codes",
    "loss = neighbor": "loss on neighbors",
    "target_decoder = current": "targets from the current decoder",
    "distance_filter = median": "filter A: up to the median",
    "distance_filter = none": "no filter A",
    "agreement_filter = confidence": "filter B: confidence",
    "agreement_filter = none": "no filter B",
    "hand_over = 0.0": "hand-over at once",
    "hand_over = 1.0": "hand-over until the end",
    "n_neighbors = 3": "3 neighbors",
    "n_neighbors = 30": "30 neighbors",
}
MINUS = "\N{MINUS SIGN}"


def wide(frame: pd.DataFrame, decimals: int = 2, names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A summary as a page shows it: a row for each data set and method, a column for each metric, means of the seeds.

    `frame`: of `dcbook.experiments.summarize`, or a committed table; rows and columns keep its order. `names` has the
    metrics that are wanted, metric to heading; None for all of them. Numbers are text with so many decimals, "" where
    there is none.
    """
    names = {name: name for name in dict.fromkeys(frame["metric"])} if names is None else names
    frame = frame[frame["metric"].isin(names)]
    sets = list(dict.fromkeys(frame["dataset"]))
    rows = sorted(
        dict.fromkeys(zip(frame["dataset"], frame["method"], strict=True)), key=lambda row: sets.index(row[0])
    )
    means = frame.set_index(["dataset", "method", "metric"])["mean"].to_dict()
    return pd.DataFrame(
        {"data": data, "method": method}
        | {title: _told(means.get((data, method, name), math.nan), decimals) for name, title in names.items()}
        for data, method in rows
    )


def over_sets(frame: pd.DataFrame) -> pd.DataFrame:
    """A summary with the mean over a method's data sets in place of each; for `wide`."""
    means = frame.groupby(["method", "metric"], sort=False)["mean"].mean().reset_index()
    sets = frame.groupby("method")["dataset"].unique().to_dict()
    names = {method: f"{len(each)} sets" if len(each) > 1 else each[0] for method, each in sets.items()}
    return means.assign(dataset=means["method"].map(names))


def by_set(frame: pd.DataFrame, *metrics: str, decimals: int = 2) -> pd.DataFrame:
    """Metrics of a summary by method (a row) and data set (a column); of several each cell says "first → second"."""
    part = frame[frame["metric"].isin(metrics)]
    means = part.set_index(["method", "dataset", "metric"])["mean"].to_dict()
    sets = list(dict.fromkeys(part["dataset"]))

    def cell(method: str, data: str) -> str:
        told = [_told(means.get((method, data, name), math.nan), decimals) for name in metrics]
        return " → ".join(filter(None, told))

    methods = dict.fromkeys(part["method"])
    return pd.DataFrame({"method": method} | {data: cell(method, data) for data in sets} for method in methods)


ARMS = {"frozen": "frozen critic", "trained": "trained critic"}  # of phase 1, where its codes are interpolated
ARM = re.compile(r"(?P<metric>\w+) at critic = (?P<critic>\w+), lam = (?P<lam>[\d.]+), epochs = (?P<epochs>\d+)")


def arm(critic: str, lam: float) -> str:
    """What a picture calls a way to train phase 1."""
    return ARMS[critic] if lam else "no interpolations"


def of_lengths(frame: pd.DataFrame, metric: str = "acc") -> pd.DataFrame:
    """A summary of `by_length` as a page shows it: a row for each phase 1, a column for the score of each method."""
    places = {name: hit for name in dict.fromkeys(frame["metric"]) if (hit := ARM.fullmatch(name))}
    means = frame.set_index(["metric", "method"])["mean"].to_dict()
    rows = []
    for name, hit in places.items():
        if hit["metric"] == metric:
            methods = {each: means.get((name, each), math.nan) for each in ("phase 1", "DEC", "IDEC", "DynAE", FROZEN)}
            both = [value for each, value in methods.items() if "DynAE" in each and not math.isnan(value)]
            told = {each: methods[each] for each in ("phase 1", "DEC", "IDEC")} | {
                "DynAE": both[0] if both else math.nan
            }
            counts = name.replace(metric, "conflicted", 1)
            told["conflicted"] = next((value for (at, _), value in means.items() if at == counts), math.nan)
            about = {"phase 1 with": arm(hit["critic"], float(hit["lam"])), "epochs": int(hit["epochs"])}
            rows.append(about | {f"{each}, %": _told(value, 1) for each, value in told.items()})
    return pd.DataFrame(rows)


def _told(value: float, decimals: int) -> str:
    text = "" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace("-", MINUS)


def courses(records: Iterable[Record]) -> pd.DataFrame:
    """Diagnostics over phase 2 as rows: dataset, method, seed, progress, and the numbers of `COSINES` and `SHAPE`.

    Progress is the share of the method's epochs: at 0 stands phase 1, which is the record of `BEFORE` with the same
    data set and seed; at 1 the fitted model. Both have a shape and no cosines. None where there is no number. A method
    without a phase 1 has its first line where it was first looked at.
    """
    records = list(records)
    before = _before(records)
    return pd.DataFrame({**_about(r), **look} for r in records for look in _course(r, before))


def diagnoses(records: Iterable[Record]) -> pd.DataFrame:
    """What phase 2 did, a row for each run: dataset, method, seed, scores, majority, `COSINES`, and changes of `SHAPE`.

    Scores and `majority`, the share of the largest class, are in per cent. Cosines are means over the epochs that were
    looked at, changes are from the first line of its course to the last; NaN where there is no such number.
    """
    records = list(records)
    before, rows = _before(records), []
    for record in records:
        course = _course(record, before)
        scores = {name: 100 * value for name, value in record.scores.items()}
        found = {name: [look[name] for look in course if look[name] is not None] for name in (*COSINES, *SHAPE)}
        means = {name: float(np.mean(found[name])) if found[name] else math.nan for name in COSINES}
        ends = {name: [look[name] for look in (*course[:1], *course[-1:])] for name in SHAPE}
        changes = {name: math.nan if not pair or None in pair else pair[1] - pair[0] for name, pair in ends.items()}
        rows.append({**_about(record), **scores, "majority": 100 * record.portrait["majority"], **means, **changes})
    return pd.DataFrame(rows)


def _before(records: Iterable[Record]) -> dict[tuple, Mapping]:
    """Data set, seed and name of a start to the shape of its space; the record `BEFORE` has that of an autoencoder."""
    found = {}
    for record in records:
        run = record.run
        name = run["start"]["method"] if run["method"] == BEFORE else run["method"]
        found[place(run), run["seed"], name] = record.portrait["shape"]
    return found


def _course(record: Record, before: Mapping[tuple, Mapping]) -> list[dict[str, float | None]]:
    """Phase 1, the epochs that were looked at, and the end; empty where phase 1 has no record or nothing follows it."""
    start = record.run["start"]
    first = start and before.get((place(record.run), record.run["seed"], start["method"]))
    if (start and first is None) or record.run["method"] == BEFORE:
        return []
    epochs = [entry for entry in record.history if entry["phase"] != "pretraining"]
    looks = [(number / len(epochs), each) for number, each in enumerate(epochs, 1) if "effective_rank" in each]
    looks = [*([(0.0, first)] if start else []), *looks, (1.0, record.portrait["shape"])]
    return [{"progress": at, **_numbers(each)} for at, each in looks]


def _numbers(look: Mapping) -> dict[str, float | None]:
    """The diagnostics of a look. While all samples of DynAE are conflicted, none has a pseudo-label: no FR, no FD."""
    found = {name: look.get(name) for name in (*COSINES, *SHAPE)}
    return found | {"fr_dynae": None} if "conflicted" in look and found["fd_dynae"] is None else found


def _about(record: Record) -> dict[str, Any]:
    return {"dataset": place(record.run), "method": record.run["method"], "seed": record.run["seed"]}
