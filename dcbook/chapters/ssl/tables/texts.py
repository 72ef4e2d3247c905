"""Records of texts as rows, and the tables of a page from them."""

from collections.abc import Iterable, Sequence

import pandas as pd

from dcbook.chapters.ssl.tables.sets_apart import sets_apart
from dcbook.chapters.ssl.watches import CONTROL, SIGNAL
from dcbook.data.vectors import outside_text, parsed
from dcbook.experiments import Record, with_spread

NAMES = {
    "tfidf": "TF-IDF, {:,} words",
    "svd": "TF-IDF, SVD to {}",
    "words": "word vectors of these texts, {}",
    "wordllama": "WordLlama, {}",
}
OUTSIDE = "pretrained on outside text"
AFTER, SHUFFLED, FEW = "{} after", f"{{}} from {CONTROL}", "few labels: {}"
SHARE, USED = "share of centering, %", "outputs in use"


def named_vectors(kind: str) -> str:
    """A kind of vectors in words: "TF-IDF, SVD to 20"; those trained on outside texts say so."""
    name, dimensions, scaling = parsed(kind)
    told = NAMES[name].format(dimensions)
    return told + (f" ({OUTSIDE})" if outside_text(kind) else "") + (f", {scaling}" if scaling else "")


def kind_of(record: Record) -> str:
    """The kind of vectors of a run."""
    return record.run["sampling"]["vectors"]


def numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, in per cent: what was clustered (and how, if not by k-means), data set, name of the number.

    Numbers: "acc", "nmi"; where cluster ids were a signal also those after the last round ("acc after"), those from
    shuffled ids ("acc from shuffled ids"), and the accuracies of probes ("few labels: vectors", …). Of DCSS there are
    "share of centering, %" in the last loss of phase 1, and the number of "outputs in use" of MNet, which hold a tenth
    of the mean cluster's texts or more.
    """
    rows = []
    for record in records:
        method = "" if record.run["method"] == "k-means" else f"{record.run['method']} on "
        found = {metric: record.scores[metric] for metric in ("acc", "nmi")}
        if seen := record.portrait:
            for metric in found.copy() if SIGNAL in seen else ():
                found[AFTER.format(metric)] = seen[SIGNAL][metric][-1]
                found[SHUFFLED.format(metric)] = seen[CONTROL][metric][-1]
            found |= {FEW.format(what): value for what, value in seen.get("few", {}).items()}
        who = method + named_vectors(kind_of(record)), record.run["dataset"]
        rows += [(*who, name, 100 * value) for name, value in found.items()]
        for last in [each for each in record.history if "centering" in each][-1:]:
            rows.append((*who, SHARE, 100 * (1 - last["reconstruction"] / last["total"])))
        if sizes := record.portrait.get("sizes"):
            rows.append((*who, USED, sum(size >= 0.1 * sum(sizes) / len(sizes) for size in sizes)))
    return rows


def spaces_table(
    frame: pd.DataFrame, reported: pd.DataFrame | None = None, methods: Sequence[str] = ()
) -> pd.DataFrame:
    """`summarize(numbers(records))` as "ACC ± std / NMI", a column a data set; below, what is reported of `methods`.

    The best ACC of ours in a column is bold.
    """
    wide = frame[frame["metric"].isin(["acc", "nmi"])].set_index(["method", "dataset", "metric"])
    best = wide["mean"].xs("acc", level="metric").groupby("dataset").max()
    datasets, rows = list(dict.fromkeys(frame["dataset"])), []
    for method in dict.fromkeys(frame["method"]):
        row = {"%, ACC / NMI": method}
        for dataset in datasets:
            acc, nmi = wide.loc[(method, dataset, "acc")], wide.loc[(method, dataset, "nmi")]
            told = with_spread(acc["mean"], acc["std"])
            row[dataset] = f"{f'**{told}**' if acc['mean'] == best[dataset] else told} / {nmi['mean']:.1f}"
        rows.append(row)
    values = {} if reported is None else reported.set_index(["method", "dataset", "metric"])["value"]
    for method in methods:
        row = {"%, ACC / NMI": f"*reported, unverified:* {method}"}
        for dataset in datasets:
            both = [values.get((method, dataset, metric)) for metric in ("acc", "nmi")]
            row[dataset] = " / ".join("–" if value is None else f"{value:.1f}" for value in both)
        rows.append(row)
    return pd.DataFrame(rows)


def within_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: what DCSS's terms and outputs tell, mean ± std, a row a data set, phase and kind of vectors."""
    part = frame[frame["metric"].isin([SHARE, USED])]
    told = [with_spread(*row) for row in zip(part["mean"], part["std"], strict=True)]
    wide = part.assign(told=told).pivot(index=["dataset", "method"], columns="metric", values="told").fillna("–")
    return sets_apart(wide[[SHARE, USED]].reset_index().rename_axis(columns=None).to_dict("records"))


def signal_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: a row for each data set and kind of vectors, scores before and after the rounds, the control."""
    rows = []
    for (dataset, method), part in frame.groupby(["dataset", "method"], sort=False):
        found = dict(zip(part["metric"], part["mean"], strict=True))
        if AFTER.format("acc") not in found:
            continue
        change = found[AFTER.format("acc")] - found["acc"]
        rows.append(
            {
                "data set": dataset,
                "clusters found in": method,
                "ACC, %": f"{found['acc']:.1f} → {found[AFTER.format('acc')]:.1f} ({change:+.1f})",
                "NMI, %": f"{found['nmi']:.1f} → {found[AFTER.format('nmi')]:.1f}",
                f"ACC from {CONTROL}, %": found[SHUFFLED.format("acc")],
            }
        )
    return pd.DataFrame(rows)


def few_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: accuracy of a probe with few labels, a column for each input; the best of a row is bold."""
    begin = FEW.format("")
    part = frame[frame["metric"].str.startswith(begin)]
    names = list(dict.fromkeys(part["metric"].str.removeprefix(begin)))
    rows = []
    for (dataset, method), found in part.groupby(["dataset", "method"], sort=False):
        mean = dict(zip(found["metric"].str.removeprefix(begin), found["mean"], strict=True))
        cells = {name: f"**{mean[name]:.1f}**" if mean[name] == max(mean.values()) else mean[name] for name in names}
        rows.append({"accuracy, %": dataset, "clusters found in": method, **cells})
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
