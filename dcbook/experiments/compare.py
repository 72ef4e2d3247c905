"""Comparison of our results with a paper's: paper | ours, mean ± std (n) | difference | verdict."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dcbook.experiments import records as recording
from dcbook.experiments.records import Record, place
from dcbook.experiments.reported import COUNTERPARTS, Counterpart, counterpart
from dcbook.files import write_whole

if TYPE_CHECKING:  # imported only where tables are made, to keep the workers of a sweep small
    import pandas as pd

TOLERANCE = 2.0  # largest difference that counts as agreement, in points
COLUMNS = (
    "method",
    "dataset",
    "metric",
    "mean",
    "std",
    "n",
    "reported",
    "reported_on",
    "difference",
    "verdict",
)
DECIMALS = {"mean": 4, "std": 4, "reported": 2, "difference": 2}  # pages print one or two: no digit is rounded twice


def compare(
    records: Iterable[Record],
    reported: pd.DataFrame | Iterable[pd.DataFrame],
    *,
    counterparts: Mapping[str, Counterpart] = COUNTERPARTS,
    metrics: Iterable[str] = ("acc", "nmi"),
) -> pd.DataFrame:
    """Compare the mean over the seeds of each method on each data set with the reported value.

    The verdict depends on the difference ours - paper, rounded to 0.01 point:

    - "agrees": at most 2 points; "above" or "below": more than 2 points;
    - the addition ", on a part of its data" means that our data are a part of the paper's, such as a subset;
    - "not comparable: other data": our data are not the paper's, and no difference is given;
    - "not in the paper": the paper reports no value.

    For values from an unchecked table, `reported_on` ends with "(unverified)".

    Parameters
    ----------
    records : iterable of Record
    reported : DataFrame or several
        Reported tables (`read_reported`) with the columns method, dataset, metric and perhaps features; they must not
        contradict each other.
    counterparts : mapping
        Maps our data sets to the paper's.
    metrics : iterable of str
        The scores to compare.

    Returns
    -------
    DataFrame
        Columns method, dataset, metric, mean, std (ddof 1; NaN for one seed), n, reported, reported_on,
        difference, verdict; numbers in per cent. Rows are in the order of `counterparts`, then of the records. Features
        of a data set count as a data set ("cifar10-simclr-h").

    Raises
    ------
    ValueError
        If the records of one method on one data set differ in settings, scale or data, or two have one seed; such
        records are never averaged.
    """
    values = _lookup([reported] if hasattr(reported, "columns") else list(reported))
    groups = defaultdict(list)
    for record in records:
        groups[place(record.run), record.run["method"]].append(record)
    order = list(dict.fromkeys(method for _, method in groups))

    def rank(group: tuple[str, str]) -> tuple:
        names, dataset = list(counterparts), groups[group][0].run["dataset"]
        return names.index(dataset) if dataset in names else len(names), group[0], order.index(group[1])

    rows = []
    for dataset, method in sorted(groups, key=rank):
        members = groups[dataset, method]
        _must_be_alike(members)
        beside = counterpart(members[0].run, counterparts)
        for metric in metrics:
            ours = [100 * record.scores[metric] for record in members]
            mean = math.fsum(ours) / len(ours)
            value, checked = values.get((method, beside and beside.dataset, metric), (math.nan, True))
            difference, verdict = _verdict(mean, value, beside)
            where = "" if math.isnan(value) else str(beside) + ("" if checked else " (unverified)")
            rows.append(
                (
                    method,
                    dataset,
                    metric,
                    mean,
                    _std(ours, mean),
                    len(ours),
                    value,
                    where,
                    difference,
                    verdict,
                )
            )
    import pandas as pd

    return pd.DataFrame(rows, columns=list(COLUMNS))


def summarize(rows: Iterable[tuple[str, str, str, float]]) -> pd.DataFrame:
    """Mean, std and n over runs of quantities without reported values, in the format of `compare`.

    `rows` holds, for each run, method, data set, name of the quantity, and its value in per cent. NaN is a quantity
    that a run does not have: it is left out, and n counts the runs that have it.
    """
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["method", "dataset", "metric", "value"])
    groups = frame.groupby(["method", "dataset", "metric"], sort=False)["value"]
    summary = groups.agg(mean="mean", std="std", n="count").reset_index()
    beside = {"reported": math.nan, "reported_on": "", "difference": math.nan, "verdict": "not in the paper"}
    return summary.assign(**beside)[list(COLUMNS)]


def with_spread(mean: float, std: float, decimals: int = 1) -> str:
    """Mean and standard deviation, "71.2 ± 0.3"; the mean alone where there is a single run (`std` is NaN)."""
    return f"{mean:.{decimals}f}" + ("" if math.isnan(std) else f" ± {std:.{decimals}f}")


def at_settings(frame: pd.DataFrame, *settings: str, metrics: Iterable[str] = ("acc", "nmi")) -> list[tuple]:
    """Rows for `summarize` from `to_frame(records, settings)`, with names such as "acc at alpha = 0.1"."""
    found = frame[frame["metric"].isin(list(metrics))]
    names = [
        f"{row['metric']} at " + ", ".join(f"{setting} = {_shown(row[setting])}" for setting in settings)
        for row in found.to_dict("records")
    ]
    return list(zip(found["method"], found["dataset"], names, 100 * found["value"], strict=True))


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def over(frame: pd.DataFrame, setting: str) -> pd.DataFrame:
    """Mean ± std of `at_settings` rows, with one column per value of `setting` and one row per method and metric."""
    parts = frame["metric"].str.extract(rf"^(?P<metric>\w+) at (?P<at>{setting} = .*)$")
    rows = frame.assign(metric=parts["metric"], at=parts["at"]).dropna(subset="at")
    rows["value"] = [with_spread(r.mean, r.std) for r in rows.itertuples()]
    wide = rows.pivot_table("value", ["method", "dataset", "metric"], "at", aggfunc="first", sort=False)
    return wide.rename_axis(columns=None)


def gaps(frame: pd.DataFrame, points: float = TOLERANCE) -> pd.DataFrame:
    """The rows of a comparison whose difference exceeds `points`, which need a written explanation."""
    return frame[frame["difference"].round(DECIMALS["difference"]).abs() > points].reset_index(drop=True)


def render(frame: pd.DataFrame) -> str:
    """A comparison as a Markdown table of fixed width, ending in a newline."""
    lines = [("method", "data set", "metric", "paper", "ours: mean ± std (n)", "difference", "verdict")]
    for row in frame.itertuples(index=False):
        lines.append(
            (
                row.method,
                row.dataset,
                row.metric.upper(),
                "" if math.isnan(row.reported) else f"{row.reported:.2f}",
                f"{with_spread(row.mean, row.std, 2)} ({row.n})",
                "" if math.isnan(row.difference) else f"{row.difference:+.2f}",
                row.verdict,
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rows) + "\n"


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a comparison atomically as CSV with `DECIMALS`, empty cells for missing numbers, and LF line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(name, value) for name, value in zip(frame.columns, row, strict=True)])
    write_whole(path, text.getvalue())


def _lookup(tables: list[pd.DataFrame]) -> dict[tuple, tuple[float, bool]]:
    """Reported values by (method, data set, metric), and whether they are checked."""
    values: dict[tuple, tuple[float, bool]] = {}
    for frame in tables:
        if "features" in frame:
            frame = frame.assign(dataset=frame["dataset"] + "-" + frame["features"]).drop(columns="features")
        if list(frame.columns) != ["method", "dataset", "metric", "value", "status"]:
            raise ValueError(f"not a table of methods on data sets; its columns are {', '.join(frame.columns)}")
        for method, dataset, metric, value, status in frame.itertuples(index=False):
            name = method, dataset, metric
            if values.setdefault(name, (value, status == "checked"))[0] != value:
                raise ValueError(f"the tables report different values for {name}; choose one table")
    return values


def _verdict(mean: float, value: float, beside: Counterpart | None) -> tuple[float, str]:
    if math.isnan(value):
        return math.nan, "not in the paper"
    if beside.kind == "other":
        return math.nan, "not comparable: other data"
    difference = round(mean - value, DECIMALS["difference"])
    word = "agrees" if abs(difference) <= TOLERANCE else "above" if difference > 0 else "below"
    return difference, word + (", on a part of its data" if beside.kind == "part" else "")


def _std(values: list[float], mean: float) -> float:
    if len(values) < 2:
        return math.nan
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _must_be_alike(members: list[Record]) -> None:
    first, *others = members
    for other in others:
        for what, ours, theirs in (
            ("settings", _without_seed(first.run), _without_seed(other.run)),
            ("data", first.provenance["data"]["digest"], other.provenance["data"]["digest"]),
        ):
            if ours != theirs:
                raise ValueError(
                    f"{recording.describe(first.run)} and {recording.describe(other.run)} differ in their "
                    f"{what}, so they cannot be averaged; choose the records of one"
                )
    if len({member.run["seed"] for member in members}) < len(members):
        raise ValueError(f"{first.run['method']} has two records on {place(first.run)} with one seed; choose one")


def _without_seed(run: Mapping) -> dict:
    return {
        name: _without_seed(value) if name == "start" and value else value
        for name, value in run.items()
        if name != "seed"
    }


def _cell(name: str, value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{DECIMALS.get(name, 4)}f}"
    return str(value)
