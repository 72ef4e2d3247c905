"""Records of this chapter as rows: what its tables print and its pictures draw."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dcbook.chapters.rdc.grids import BEFORE, CHOICES
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
    """Data set and seed to the shape after phase 1."""
    return {(place(r.run), r.run["seed"]): r.portrait["shape"] for r in records if r.run["method"] == BEFORE}


def _course(record: Record, before: Mapping[tuple, Mapping]) -> list[dict[str, float | None]]:
    """Phase 1, the epochs that were looked at, and the end; empty where phase 1 has no record or nothing follows it."""
    begun, first = record.run["start"] is not None, before.get((place(record.run), record.run["seed"]))
    if (begun and first is None) or record.run["method"] == BEFORE:
        return []
    epochs = [entry for entry in record.history if entry["phase"] != "pretraining"]
    looks = [(number / len(epochs), each) for number, each in enumerate(epochs, 1) if "effective_rank" in each]
    looks = [*([(0.0, first)] if begun else []), *looks, (1.0, record.portrait["shape"])]
    return [{"progress": at, **{name: each.get(name) for name in (*COSINES, *SHAPE)}} for at, each in looks]


def _about(record: Record) -> dict[str, Any]:
    return {"dataset": place(record.run), "method": record.run["method"], "seed": record.run["seed"]}


@dataclass(frozen=True)
class Phase:
    """A phase of training: its name, and the signals that it minimizes together.

    `signals`: "self" (reconstruction, views, neighbors: the samples themselves) or "pseudo" (the clusters found so
    far), each with what it is taken from.
    """

    name: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Paradigm:
    """A way to train a deep clustering method: its phases in turn, what goes wrong in it, and who follows it."""

    name: str
    phases: tuple[Phase, ...]
    failures: tuple[str, ...]
    methods: str


INSTANCES, CLUSTERS = ("self", "each instance"), ("pseudo", "clusters found so far")
# Figs. 4 and 5, from their captions
FIG4_FIG5 = (
    Paradigm(
        "pseudo-supervision alone",
        (Phase("one phase", (CLUSTERS,)),),
        ("Feature Randomness",),
        "DeepCluster, PIC",
    ),
    Paradigm(
        "self-, then pseudo-supervision",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (CLUSTERS,))),
        ("Feature Randomness", "Feature Twist"),
        "DEC",
    ),
    Paradigm(
        "self-, then both jointly",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (INSTANCES, CLUSTERS))),
        ("Feature Randomness", "Feature Drift"),
        "IDEC, DCN, DynAE",
    ),
    Paradigm(
        "self-supervision twice",
        (Phase("phase 1", (INSTANCES,)), Phase("phase 2", (("self", "filtered neighborhoods"),))),
        (),
        "R-DC",
    ),
)
