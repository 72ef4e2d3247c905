"""Records of texts as rows."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from dcbook.chapters.ssl.watches import CONTROL, SIGNAL
from dcbook.data.vectors import outside_text, parsed
from dcbook.experiments import Record

NAMES = {
    "tfidf": "TF-IDF, {:,} words",
    "svd": "TF-IDF, SVD to {}",
    "words": "word vectors of these texts, {}",
    "wordllama": "WordLlama, {}",
}
OUTSIDE = "pretrained on outside text"


def named_vectors(kind: str) -> str:
    """A kind of vectors in words: "TF-IDF, SVD to 20"; those that know other texts say so."""
    name, dimensions, scaling = parsed(kind)
    told = NAMES[name].format(dimensions)
    return told + (f" ({OUTSIDE})" if outside_text(kind) else "") + (f", {scaling}" if scaling else "")


def kind_of(record: Record) -> str:
    """The kind of vectors that a run was made on."""
    return record.run["sampling"]["vectors"]


def spaces(records: Iterable[Record]) -> pd.DataFrame:
    """Scores of the runs in long form: vectors, dataset, method, seed, metric ("acc", "nmi"), value in per cent."""
    rows = [
        (kind_of(r), r.run["dataset"], r.run["method"], r.run["seed"], metric, 100 * r.scores[metric])
        for r in records
        for metric in ("acc", "nmi")
    ]
    return pd.DataFrame(rows, columns=["vectors", "dataset", "method", "seed", "metric", "value"])


def beside_reported(frame: pd.DataFrame, reported: pd.DataFrame, methods: Iterable[str]) -> pd.DataFrame:
    """`spaces` as a page shows it, "ACC ± std / NMI" a data set, with rows of reported values of `methods` below.

    The best ACC of ours in a column is bold. A reported value that is missing is left out.
    """
    mean = frame.groupby(["vectors", "dataset", "metric"], sort=False)["value"].agg(["mean", "std"])
    best = mean["mean"].xs("acc", level="metric").groupby("dataset").max()
    datasets, rows = list(dict.fromkeys(frame["dataset"])), []
    for kind in dict.fromkeys(frame["vectors"]):
        row = {"%, ACC / NMI": named_vectors(kind)}
        for dataset in datasets:
            acc, nmi = mean.loc[kind, dataset, "acc"], mean.loc[kind, dataset, "nmi"]
            told = f"{acc['mean']:.1f} ± {acc['std']:.1f}"
            told = f"**{told}**" if acc["mean"] == best[dataset] else told
            row[dataset] = f"{told} / {nmi['mean']:.1f}"
        rows.append(row)
    values = reported.set_index(["method", "dataset", "metric"])["value"]
    for method in methods:
        row = {"%, ACC / NMI": f"*reported, unverified:* {method}"}
        for dataset in datasets:
            acc, nmi = (values.get((method, dataset, metric)) for metric in ("acc", "nmi"))
            row[dataset] = " / ".join("–" if value is None else f"{value:.1f}" for value in (acc, nmi))
        rows.append(row)
    return pd.DataFrame(rows)


def rounds(records: Iterable[Record]) -> pd.DataFrame:
    """ACC and NMI in per cent after each round: dataset, vectors, seed, ids (true or shuffled), round, acc, nmi."""
    rows = [
        {
            "dataset": record.run["dataset"],
            "vectors": kind_of(record),
            "seed": record.run["seed"],
            "ids": ids,
            "round": number,
            "acc": 100 * acc,
            "nmi": 100 * nmi,
        }
        for record in records
        for ids in (SIGNAL, CONTROL)
        for number, (acc, nmi) in enumerate(zip(*(record.portrait[ids][m] for m in ("acc", "nmi")), strict=True))
    ]
    return pd.DataFrame(rows)


def before_and_after(frame: pd.DataFrame) -> pd.DataFrame:
    """`rounds` as a page shows it: a row a kind of vectors and data set, ACC and NMI before and after all rounds."""
    last, rows = frame["round"].max(), []
    for (dataset, kind), part in frame.groupby(["dataset", "vectors"], sort=False):
        row = {"data set": dataset, "clusters found in": named_vectors(kind)}
        for ids, metrics in ((SIGNAL, ("acc", "nmi")), (CONTROL, ("acc",))):
            ends = part[(part["ids"] == ids) & part["round"].isin([0, last])].groupby("round")
            for metric in metrics:
                first, after = ends[metric].mean()
                name = f"{metric.upper()}, %" if ids == SIGNAL else "ACC from shuffled ids, %"
                row[name] = f"{first:.1f} → {after:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def few_labels(records: Iterable[Record]) -> pd.DataFrame:
    """A row a kind of vectors and data set, a column what the probe sees: mean accuracy over the seeds, per cent."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = {}
    for record in records:
        rows.setdefault((record.run["dataset"], kind_of(record)), []).append(record.portrait["few"])
    return pd.DataFrame(
        {"data set": dataset, "clusters found in": named_vectors(kind)}
        | {what: 100 * np.mean([each[what] for each in found]) for what in found[0]}
        for (dataset, kind), found in rows.items()
    )
