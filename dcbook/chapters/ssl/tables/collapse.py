"""Records of the runs on collapse as rows, and the table of the page."""

from collections.abc import Iterable

import pandas as pd

from dcbook.chapters.ssl.grids.collapse import weighted
from dcbook.chapters.ssl.tables.sets_apart import sets_apart
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Record, with_spread


def usage_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`: acc, nmi, the largest share and the entropy in per cent, clusters used as a number.

    For neighbor consistency also both terms of its loss in the last epoch, "disagreement" and "H", in nats.
    """
    rows = []
    for record in records:
        sizes = record.portrait["sizes"]
        found = usage(sizes)
        numbers = {name: 100 * record.scores[name] for name in ("acc", "nmi")}
        numbers |= {"clusters": len(sizes), "used": found["used"]}
        numbers |= {name: 100 * found[name] for name in ("largest", "entropy")}
        if "disagreement" in (last := record.history[-1] if record.history else {}):
            numbers |= {"disagreement": last["disagreement"], "H": last["entropy"]}
        rows += [(record.run["method"], record.run["dataset"], name, value) for name, value in numbers.items()]
    return rows


def usage_table(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(usage_numbers(records))`: a row for each data set and method, with means over the seeds."""
    wide = frame.pivot(index=["dataset", "method"], columns="metric", values="mean")
    std = frame.pivot(index=["dataset", "method"], columns="metric", values="std")
    rows = []
    for dataset, method in frame[["dataset", "method"]].drop_duplicates().itertuples(index=False):
        mean, spread = wide.loc[(dataset, method)], std.loc[(dataset, method)]
        rows.append(
            {
                "dataset": dataset,
                "method": method,
                "clusters used": f"{mean['used']:.3g} of {mean['clusters']:.0f}",
                "largest share, %": mean["largest"],
                "entropy, % of ln K": mean["entropy"],
                "ACC, %": with_spread(mean["acc"], spread["acc"]),
                "NMI, %": mean["nmi"],
            }
        )
    return sets_apart(rows)


def two_minima(frame: pd.DataFrame, w: float, trained_at: float) -> pd.DataFrame:
    """The same frame: the loss at weight w of the solution that was found at another weight, beside that of a collapse.

    Of one cluster both terms are 0.
    """
    found = frame[frame["method"] == weighted(trained_at)].set_index("metric")["mean"]
    disagreement, entropy = float(found["disagreement"]), float(found["H"])
    rows = {f"ten clusters, as found with w = {trained_at:g}": (disagreement, entropy), "one cluster": (0.0, 0.0)}
    return pd.DataFrame(
        {
            "solution": name,
            "mean of −ln⟨p, q⟩": f"{d:.2f}",
            "H": f"{h:.2f}",
            f"loss at w = {w:g}": f"{d - w * h:+.2f}",
        }
        for name, (d, h) in rows.items()
    )


def shares(records: Iterable[Record]) -> pd.DataFrame:
    """Shares of clusters in per cent, means over the seeds: dataset, method, cluster (0 is the largest), share."""
    rows = [
        {"dataset": record.run["dataset"], "method": record.run["method"], "cluster": k}
        | {"share": 100 * size / sum(record.portrait["sizes"])}
        for record in records
        for k, size in enumerate(record.portrait["sizes"])
    ]
    return pd.DataFrame(rows).groupby(["dataset", "method", "cluster"], sort=False, as_index=False)["share"].mean()
