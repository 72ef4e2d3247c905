"""Records of k-means at scale as rows, and the table of the page."""

from collections.abc import Iterable

import pandas as pd

from dcbook.chapters.ssl.grids.scale import LLOYD
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Record
from dcbook.experiments.records import place


def clusters_of(record: Record) -> int:
    """The number of clusters of a run."""
    return record.run["params"]["n_clusters"]


def cpu_seconds(record: Record) -> float:
    """Processor time of k-means alone."""
    return record.history[-1]["cpu_seconds"]


def inertia(record: Record) -> float:
    """The sum of squared distances to the nearest center."""
    return record.history[-1]["inertia"]


def speed_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`: the numbers of `speed_table`, each "… at K = 10"; nmi, purity and largest in per cent.

    The data set is where the run was made, with the kind of vectors of texts.
    """
    rows = []
    for record in records:
        found = usage(record.portrait["sizes"])
        n = sum(record.portrait["sizes"])
        numbers = {
            "cpu_seconds": cpu_seconds(record),
            "inertia": inertia(record) / n,
            "used": found["used"],
            "nmi": 100 * record.scores["nmi"],
            "purity": 100 * record.portrait["purity"],
            "largest": 100 * found["largest"],
        }
        at = f"at K = {clusters_of(record)}"
        rows += [(record.run["method"], place(record.run), f"{name} {at}", value) for name, value in numbers.items()]
    return rows


def speed_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Of `summarize(speed_numbers(records))`: rows by data set, number of clusters and algorithm, means over seeds."""
    parts = frame["metric"].str.extract(r"^(?P<name>\w+) at K = (?P<k>\d+)$").dropna()
    frame = frame.loc[parts.index]
    frame = frame.assign(metric=parts["name"], k=parts["k"].astype(int))
    wide = frame.pivot(index=["dataset", "k", "method"], columns="metric", values="mean")
    rows = []
    order = frame[["dataset", "k", "method"]].drop_duplicates().sort_values(["dataset", "k"], kind="stable")
    for dataset, k, method in order.itertuples(index=False):
        mean = wide.loc[(dataset, k, method)]
        rows.append(
            {
                "data set": dataset,
                "K": int(k),
                "algorithm": method,
                "CPU seconds": f"{mean['cpu_seconds']:.2g}",
                "inertia per sample": f"{mean['inertia']:.4g}",
                "NMI, %": mean["nmi"],
                "purity, %": mean["purity"],
                "clusters used": f"{mean['used']:.4g}",
                "largest share, %": mean["largest"],
            }
        )
    return pd.DataFrame(rows)


def speeds(records: Iterable[Record]) -> pd.DataFrame:
    """A row for each run: dataset, clusters, method, seed, cpu_seconds, inertia (a sample), largest, and excess.

    largest : the share of the samples in the largest cluster, in per cent.
    excess : inertia over that of Lloyd's algorithm on the same samples with the same seed, in per cent; NaN without it.
    """
    rows = [
        {
            "dataset": place(record.run),
            "clusters": clusters_of(record),
            "method": record.run["method"],
            "seed": record.run["seed"],
            "cpu_seconds": cpu_seconds(record),
            "inertia": inertia(record) / sum(record.portrait["sizes"]),
            "largest": 100 * usage(record.portrait["sizes"])["largest"],
        }
        for record in records
    ]
    frame, where = pd.DataFrame(rows), ["dataset", "clusters", "seed"]
    lloyd = frame[frame["method"] == LLOYD].set_index(where)["inertia"].rename("least")
    frame = frame.join(lloyd, on=where)
    return frame.assign(excess=100 * (frame["inertia"] / frame["least"] - 1)).drop(columns="least")
