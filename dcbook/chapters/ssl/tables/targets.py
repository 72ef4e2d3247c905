"""Records of passing targets as rows, and the table of the page."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from dcbook.chapters.ssl.tables.sets_apart import sets_apart
from dcbook.experiments import Record
from dcbook.experiments.records import place

CHANGES = ("stability", "moved", "renumbered")  # from one epoch to the next


def mean_change(record: Record, what: str) -> float:
    """Mean over the epochs of a run of one of `CHANGES`, in per cent."""
    return 100 * float(np.mean([entry[what] for entry in record.history if what in entry]))


def time_share(record: Record) -> float:
    """Per cent of the CPU seconds of the training in which targets were made."""
    return 100 * record.history[-1]["target_seconds"] / record.history[-1]["cpu_seconds"]


def passing(records: Iterable[Record]) -> pd.DataFrame:
    """A row a run and epoch: dataset, method, seed, epoch; stability, moved, renumbered, class_nmi in %; used."""
    rows = [
        {"dataset": place(record.run), "method": record.run["method"], "seed": record.run["seed"], "epoch": number}
        | {name: 100 * entry[name] for name in (*CHANGES, "class_nmi") if name in entry}
        | {"used": entry["used"]}
        for record in records
        for number, entry in enumerate(record.history, 1)
    ]
    return pd.DataFrame(rows)


def passing_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, in per cent but for the number of clusters used: what `passing_table` shows.

    "moved last" is NaN for a run that was resumed before its last epoch, see `Targets`.
    """
    rows = []
    for record in records:
        first, last = record.history[0], record.history[-1]
        numbers = {name: mean_change(record, name) for name in CHANGES}
        numbers |= {"moved last": 100 * last.get("moved", math.nan), "time": time_share(record), "used": last["used"]}
        numbers |= {"first NMI": 100 * first["class_nmi"], "last NMI": 100 * last["class_nmi"]}
        rows += [(record.run["method"], place(record.run), name, value) for name, value in numbers.items()]
    return rows


COLUMNS = {
    "stability": "NMI of consecutive targets, %",
    "moved": "images that change cluster, %",
    "moved last": "in the last epoch, %",
    "renumbered": "targets with another number, %",
    "time": "time in making targets, %",
    "used": "clusters used",
    "first NMI": "NMI with classes, first epoch, %",
    "last NMI": "last epoch, %",
}


def passing_table(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(passing_numbers(records))`: a row a data set and method, means over the seeds."""
    wide = frame.pivot(index=["dataset", "method"], columns="metric", values="mean")
    order = frame[["dataset", "method"]].drop_duplicates().itertuples(index=False)
    return sets_apart(
        {"dataset": dataset, "method": method}
        | {shown: float(wide.loc[(dataset, method), name]) for name, shown in COLUMNS.items()}
        for dataset, method in order
    )
