"""Records of k-means inside DeepCluster as rows, and the table of the page."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from dcbook.chapters.ssl.tables.probes import probed
from dcbook.chapters.ssl.tables.sets_apart import sets_apart
from dcbook.chapters.ssl.tables.targets import time_share
from dcbook.chapters.ssl.watches.probes import TRUNK
from dcbook.experiments import Record, with_spread
from dcbook.experiments.records import place
from dcbook.models import ConvNet

TRAINING, FEATURES, K_MEANS = "training", "features", "k-means"
PARTS = (TRAINING, FEATURES, K_MEANS)  # of the time


def seconds(record: Record) -> dict[str, float]:
    """CPU seconds of each of `PARTS` of a run; {} for a run that makes no targets."""
    last = record.history[-1] if record.history else {}
    if "target_seconds" not in last:
        return {}
    features = last["target_seconds"] - last["cluster_seconds"]
    return dict(
        zip(PARTS, (last["cpu_seconds"] - last["target_seconds"], features, last["cluster_seconds"]), strict=True)
    )


def multiply_adds(input_shape: tuple[int, int, int], **settings: Any) -> float:
    """Millions of multiplications (each with an addition) for the features of an image; settings of a `ConvNet`."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        ConvNet(input_shape, **settings).eval().encoder(torch.empty(1, *input_shape))
    return counter.get_total_flops() / 2e6


def times(records: Iterable[Record]) -> pd.DataFrame:
    """A row a run and part of its time: dataset, method, seed, part, seconds."""
    rows = [
        {"dataset": place(record.run), "method": record.run["method"], "seed": record.run["seed"]}
        | {"part": part, "seconds": value}
        for record in records
        for part, value in seconds(record).items()
    ]
    return pd.DataFrame(rows)


def probed_trunks(records: Iterable[Record]) -> pd.DataFrame:
    """`probed` without the codes, which only the untrained network has."""
    frame = probed(records)
    return frame[frame["space"] == TRUNK]


def inside_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`: what `inside_table` shows; shares, NMI and the probes' accuracy in per cent."""
    records = list(records)
    probes = probed_trunks(records).itertuples()
    rows = [(row.method, row.dataset, f"{row.labels} labels", row.accuracy) for row in probes]
    for record in records:
        if not (parts := seconds(record)):
            continue
        numbers = {f"{part} seconds": value for part, value in parts.items()}
        numbers |= {
            "targets": time_share(record),
            "iterations": float(np.mean([entry["passes"] for entry in record.history])),
            "class NMI": 100 * record.history[-1]["class_nmi"],
        }
        rows += [(record.run["method"], place(record.run), name, value) for name, value in numbers.items()]
    return rows


COLUMNS = {f"{part} seconds": f"{part}, CPU seconds" for part in PARTS} | {
    "targets": "features and k-means, % of the time",
    "iterations": "iterations of k-means",
    "class NMI": "NMI of clusters and classes, %",
}


def inside_table(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(inside_numbers(records))`: a row a data set and variant, means over seeds, probes with std."""
    probes = [metric for metric in dict.fromkeys(frame["metric"]) if metric.endswith(" labels")]
    frame = frame[frame["metric"].isin([*COLUMNS, *probes])]
    rows = []
    for (dataset, method), part in frame.groupby(["dataset", "method"], sort=False):
        found = part.set_index("metric")
        row = {"dataset": dataset, "variant": method} | {
            shown: found["mean"].get(name) for name, shown in COLUMNS.items()
        }
        for metric in probes:
            row[f"probe, {metric} a class, %"] = with_spread(*found.loc[metric, ["mean", "std"]])
        rows.append(row)
    return sets_apart(rows)
