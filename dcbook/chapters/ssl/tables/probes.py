"""Records of the probes as rows, and the tables of the page."""

from collections.abc import Iterable

import pandas as pd

from dcbook.chapters.ssl.grids.probes import UNTRAINED
from dcbook.chapters.ssl.watches.probes import CODES, LABELED, TRUNK
from dcbook.experiments import Record, with_spread
from dcbook.experiments.records import place
from dcbook.plots.names import called


def probed(records: Iterable[Record]) -> pd.DataFrame:
    """A row a run, space and number of labels: dataset, method, seed, space, labels (a class), accuracy in per cent.

    The trunk that was trained with labels is the method "with labels"; its space is the trunk.
    """
    rows = [
        {
            "dataset": place(record.run),
            "method": LABELED if space == LABELED else record.run["method"],
            "seed": record.run["seed"],
            "space": TRUNK if space == LABELED else space,
            "labels": int(number),
            "accuracy": 100 * accuracy,
        }
        for record in records
        for space, each in record.portrait["probes"].items()
        for number, accuracy in each.items()
    ]
    frame = pd.DataFrame(rows)
    last = frame["method"] == LABELED
    return pd.concat([frame[~last], frame[last]], ignore_index=True)


def probe_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, in per cent: "trunk, 10 labels", … for each space and number of labels, and acc."""
    records = list(records)
    rows = [
        (row.method, row.dataset, f"{row.space}, {row.labels:,} labels", row.accuracy)
        for row in probed(records).itertuples()
    ]
    return rows + [(record.run["method"], place(record.run), "acc", 100 * record.scores["acc"]) for record in records]


def probe_table(frame: pd.DataFrame, space: str = TRUNK) -> pd.DataFrame:
    """`summarize(probe_numbers(records))`: a column a method, a row a data set and number of labels, mean ± std.

    For the codes there is ACC of the method's clusters, too. A method without a run has a dash.
    """
    probes = frame["metric"].str.startswith(f"{space}, ")
    methods = list(dict.fromkeys(frame[probes]["method"]))
    wanted = frame[probes | ((frame["metric"] == "acc") & (space == CODES))]
    told = {(r.method, r.dataset, r.metric): with_spread(r.mean, r.std) for r in wanted.itertuples(index=False)}
    rows = []
    for dataset in dict.fromkeys(wanted["dataset"]):
        for metric in dict.fromkeys(wanted[wanted["dataset"] == dataset]["metric"]):
            name = "ACC of the clusters" if metric == "acc" else f"{metric.split(', ')[1]} a class"
            cells = {method: told.get((method, dataset, metric), "–") for method in methods}
            rows.append({"%": f"{called(dataset)}, {name}", **cells})
    return pd.DataFrame(rows)


def gains(records: Iterable[Record]) -> pd.DataFrame:
    """`probed` of the trunk, with `gain`: points over the untrained trunk of the same seed, probed on the same labels.

    The untrained trunk itself is left out.
    """
    frame = probed(records)
    frame = frame[frame["space"] == TRUNK]
    where = ["dataset", "seed", "labels"]
    base = frame[frame["method"] == UNTRAINED].set_index(where)["accuracy"].rename("base")
    frame = frame.join(base, on=where)
    return frame[frame["method"] != UNTRAINED].assign(gain=frame["accuracy"] - frame["base"]).drop(columns="base")
