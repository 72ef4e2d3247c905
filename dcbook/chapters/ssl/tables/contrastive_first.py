"""Records of SCAN on three spaces as rows, and the table of the page."""

from collections.abc import Iterable

import pandas as pd

from dcbook.chapters.ssl.grids.contrastive_first import SPACES, kmeans_on
from dcbook.chapters.ssl.tables.sets_apart import sets_apart
from dcbook.experiments import Record, with_spread
from dcbook.experiments.records import place


def purities(records: Iterable[Record]) -> dict[tuple[str, int, str], float]:
    """(Data set, seed, space) → share of an image's 5 nearest neighbors that have its class, in [0, 1]."""
    spaces = {kmeans_on(space): space for space in SPACES}
    return {
        (place(r.run), r.run["seed"], spaces[r.run["method"]]): r.portrait["purity"]
        for r in records
        if r.run["method"] in spaces
    }


def space_of(method: str) -> str | None:
    """The space that a method clusters or has its neighbors from; None for DEC."""
    return next((space for space in SPACES if method.endswith(space)), None)


def steadiness(records: Iterable[Record]) -> pd.DataFrame:
    """A row a run: dataset, method, seed, space, acc, nmi and purity of that space in per cent (NaN for DEC)."""
    records = list(records)
    pure = purities(records)
    rows = [
        {"dataset": place(r.run), "method": r.run["method"], "seed": r.run["seed"], "space": space_of(r.run["method"])}
        | {name: 100 * r.scores[name] for name in ("acc", "nmi")}
        for r in records
    ]
    frame = pd.DataFrame(rows)
    found = [pure.get((row.dataset, row.seed, row.space)) for row in frame.itertuples()]
    return frame.assign(purity=[None if value is None else 100 * value for value in found])


def first_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`: acc, nmi and purity in per cent."""
    return [
        (row.method, row.dataset, name, getattr(row, name))
        for row in steadiness(records).itertuples()
        for name in ("acc", "nmi", "purity")
        if pd.notna(getattr(row, name))
    ]


def first_table(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(first_numbers(records))`: a row a data set and method, means over the seeds, ACC ± std."""
    wide = frame.set_index(["dataset", "method", "metric"])
    rows = []
    for dataset, method in frame[["dataset", "method"]].drop_duplicates().itertuples(index=False):
        acc = wide.loc[(dataset, method, "acc")]
        pure = (dataset, method, "purity")
        rows.append(
            {
                "dataset": dataset,
                "method": method,
                "neighbors of the same class, %": float(wide.loc[pure, "mean"]) if pure in wide.index else None,
                "ACC, %": with_spread(acc["mean"], acc["std"]),
                "NMI, %": float(wide.loc[(dataset, method, "nmi"), "mean"]),
            }
        )
    return sets_apart(rows)
