"""Records of this chapter as rows for its tables and pictures."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from dcbook.evaluation import flatness
from dcbook.experiments import curves, over, with_spread
from dcbook.experiments.records import Record, place, value_of
from dcbook.plots.names import called

SHOWN = ("conv1", "conv3", "conv5", "fc7")  # layers shown in pictures


def elsewhere(records: Iterable[Record]) -> pd.DataFrame:
    """Results of `Transfer`: architecture, images, network, dataset, seed, measure, value in per cent.

    A measure is a protocol of the transfer ("frozen", "fine-tuned") or "retrieval".
    """
    rows = [
        (value_of(record, "architecture"), images_of(record), network, place(record.run), record.run["seed"], *found)
        for record in records
        for network, found in [
            *((network, found) for network, each in record.portrait["transfer"].items() for found in each.items()),
            *((network, ("retrieval", value)) for network, value in record.portrait["retrieval"].items()),
        ]
    ]
    frame = pd.DataFrame(rows, columns=["architecture", "images", "network", "dataset", "seed", "measure", "value"])
    return frame.assign(value=100 * frame["value"])


STARTS = {False: "anew", True: "from the clusters before"}  # start of k-means in each epoch


def courses(records: Iterable[Record], value: str) -> pd.DataFrame:
    """`curves` of a quantity of the history for `plots.histories`: one panel per start of k-means, one line per k."""
    found = curves(records, value, ["n_clusters", "warm_start"])
    starts = [STARTS[warm is not False] for warm in found["warm_start"]]
    named = zip(found["dataset"], starts, strict=True)
    panels = [f"{dataset}\nk-means {start}" for dataset, start in named]
    return found.assign(dataset=panels, method=[f"k = {k}" for k in found["n_clusters"]])


def settled(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize` and `over`, in per cent: NMI with the classes, and NMI of the last two epochs.

    For k-means from random starts they are called "nmi_anew" and "stability_anew".
    """
    rows = []
    for record in records:
        suffix = "" if record.run["params"].get("warm_start", True) else "_anew"
        for name, found in (("nmi", record.scores["nmi"]), ("stability", record.history[-1]["stability"])):
            metric = f"{name}{suffix} at n_clusters = {value_of(record, 'n_clusters')}"
            rows.append((record.run["method"], place(record.run), metric, 100 * found))
    return rows


def probes(records: Iterable[Record], setting: str, network: str = "trained") -> pd.DataFrame:
    """Accuracies of linear probes in the format of `to_frame`; the metric is the layer ("conv1", …, "fc7")."""
    rows = [
        (record.run["method"], place(record.run), record.run["seed"], value_of(record, setting), layer, accuracy)
        for record in records
        for layer, accuracy in record.portrait["probes"][network].items()
    ]
    return pd.DataFrame(rows, columns=["method", "dataset", "seed", setting, "metric", "value"])


def by_layer(records: Iterable[Record]) -> pd.DataFrame:
    """The probes of `layers`: network, dataset of the probes, seed, layer, value in per cent."""
    rows = [
        (network, dataset, record.run["seed"], layer, 100 * accuracy)
        for record in records
        for part, dataset in (("probes", place(record.run)), ("elsewhere", f"from {place(record.run)} to another"))
        for network, accuracies in record.portrait.get(part, {}).items()
        for layer, accuracy in accuracies.items()
    ]
    return pd.DataFrame(rows, columns=["network", "dataset", "seed", "layer", "value"])


def filter_numbers(records: Iterable[Record]) -> pd.DataFrame:
    """Numbers from the portraits of `filters`: network, dataset, seed, layer, measure, value in per cent.

    Measures: "purity", the mean share of the most frequent class among the top images of a filter, also for random
    images (network "chance"); "one class", the share of filters with top images of a single class; "ascent", the share
    of shown filters that respond more to their optimized image than to any image of the set; "flat", the `flatness` of
    conv1 on the pixels.
    """
    rows = []
    for record in records:
        seen, fixed = record.portrait, (place(record.run), record.run["seed"])
        for name, layers in seen["purity"].items():
            found = [("conv1", "flat", flatness(seen["first"][name]))]
            for layer, shares in layers.items():
                made = [each["ascended"] > each["responses"][0] for each in seen["filters"][name][layer]]
                found += [(layer, "purity", shares), (layer, "one class", np.equal(shares, 1)), (layer, "ascent", made)]
            rows += [(f"{name}, {fed(record)}", *fixed, *what, 100 * np.mean(each)) for *what, each in found]
        rows += [("chance", *fixed, layer, "purity", 100 * seen["chance"]) for layer in seen["purity"]["trained"]]
    return pd.DataFrame(rows, columns=["network", "dataset", "seed", "layer", "measure", "value"])


def fed(record: Record) -> str:
    """The input of the first convolution: "Sobel" or "raw" pixels."""
    return "Sobel" if value_of(record, "sobel") else "raw"


def images_of(record: Record) -> str:
    """The training images of a run among those of `uncurated`: "as they are", "imbalanced" or "mixed"."""
    if value_of(record, "mixed_with"):
        return "mixed"
    return "imbalanced" if value_of(record, "retention") else "as they are"


def worth(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, in per cent: each `Representation` before and after, and the NMI of the own clusters."""
    rows = []
    for record in records:
        who = record.run["method"], place(record.run)
        for measure in record.portrait["trained"]:
            before, after = (100 * record.portrait[network][measure] for network in ("untrained", "trained"))
            rows += [(*who, f"{measure}, untrained", before), (*who, measure, after)]
        rows.append((*who, "own nmi", 100 * record.scores["nmi"]))
    return rows


def worth_table(frame: pd.DataFrame, own: bool = False) -> pd.DataFrame:
    """Means of `summarize(worth(records))`: one row per untrained network, then one per method; the best is bold.

    Methods whose networks start from the same weights share an untrained row. `own`: whether to add the NMI of a
    method's own clusters.
    """
    measures = {"probe": "linear probe", "acc": "ACC of k-means", "nmi": "NMI of k-means"}
    rows = []
    for dataset, some in frame.groupby("dataset", sort=False):
        mean = some.pivot(index="method", columns="metric", values="mean").loc[some["method"].unique()]
        starts = mean[[f"{measure}, untrained" for measure in measures]].round(1).drop_duplicates()
        names = ["untrained"] if len(starts) == 1 else [f"untrained, as for {method}" for method in starts.index]
        best = {m: max(mean[m].max(), mean[f"{m}, untrained"].max()) for m in measures}

        def cells(values, best=best):
            return {
                t: f"**{v:.1f}**" if v == best[m] else v for (m, t), v in zip(measures.items(), values, strict=True)
            }

        for name, method in zip(names, starts.index, strict=True):
            before = mean.loc[method, list(starts)]
            rows.append({"%": name, "data set": dataset, **cells(before)})
        for method, found in mean.iterrows():
            rows.append({"%": method, "data set": dataset, **cells(found[list(measures)])})
            if own:
                rows[-1]["NMI of the own clusters"] = found["own nmi"]
    return pd.DataFrame(rows)


def scores(frame: pd.DataFrame, columns: Mapping[str, str], best: bool = True) -> pd.DataFrame:
    """`summarize`'s frame for a page: one row per method (and data set, if there are several), one column per metric.

    `columns` maps the metrics to show, in order, to their names in words. A cell is the mean and, for several seeds,
    ± the standard deviation; with `best`, the largest mean of each column and data set is bold.
    """
    shown = frame[frame["metric"].isin(list(columns))]
    largest = shown.groupby(["dataset", "metric"])["mean"].max()
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in shown.itertuples():
        value = with_spread(row.mean, row.std)
        value = f"**{value}**" if best and row.mean == largest[row.dataset, row.metric] else value
        rows.setdefault((row.dataset, row.method), {})[columns[row.metric]] = value
    several = len({dataset for dataset, _ in rows}) > 1
    who = [{"%": method} | ({"data set": dataset} if several else {}) for dataset, method in rows]
    table = pd.DataFrame([place | found for place, found in zip(who, rows.values(), strict=True)])
    return table[[*who[0], *(name for name in columns.values() if name in table)]].fillna("")


MEASURES = {
    "nmi_anew": "NMI with the classes, k-means anew",
    "nmi": "NMI with the classes, k-means from the clusters before",
    "stability_anew": "NMI of the last two clusterings, k-means anew",
    "stability": "NMI of the last two clusterings, k-means from the clusters before",
    **{layer: f"linear probe of {layer}" for layer in SHOWN},
}


def by_k(frame: pd.DataFrame) -> pd.DataFrame:
    """Fig. 2's frame for a page: one row per measure in words (and data set), one column per number of clusters."""
    wide = over(frame, "n_clusters").reset_index()
    wide["%"] = wide["metric"].map(MEASURES)
    if wide["dataset"].nunique() > 1:
        wide["%"] += ", " + wide["dataset"].map(called)
    at = {name: name.replace("n_clusters", "k") for name in wide if name.startswith("n_clusters")}
    order = wide["metric"].map(list(MEASURES).index).sort_values(kind="stable").index
    return wide.loc[order, ["%", *at]].rename(columns=at)


ENDS = {"empty": "empty clusters", "largest": "images in the largest cluster", "nmi": "NMI with the classes"}


def safeguard_table(frame: pd.DataFrame) -> pd.DataFrame:
    """With and without repair and uniform sampling: one row per variant, one column per measure of the last epoch."""
    return scores(frame, ENDS, best=False)


def sampler_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The samplers of the paper and of the released code: one row per sampler, one column per measure."""
    names = {"clusters": "uniform over clusters, as meant", "released": "as released"}
    parts = frame["metric"].str.extract(r"^(?P<metric>\w+) at sampling = (?P<sampling>\w+)$")
    found = frame.assign(metric=parts["metric"], method=parts["sampling"].map(names)).dropna(subset="metric")
    return scores(found, {"nmi": "NMI with the classes", **{layer: f"probe of {layer}" for layer in SHOWN}}, best=False)


LAYERS = {layer: layer for layer in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc7", "mlp")}
TRANSFER = {"frozen": "frozen, accuracy", "fine-tuned": "fine-tuned, accuracy", "retrieval": "retrieval, mAP"}
FILTERS = {
    **{f"purity of {layer}": f"purity, {layer}" for layer in ("conv1", "conv5", "fc7")},
    **{f"one class of {layer}": f"one class, {layer}" for layer in ("conv5", "fc7")},
    "flat of conv1": "flat share, conv1",
    **{f"ascent of {layer}": f"made image preferred, {layer}" for layer in ("conv1", "conv5", "fc7")},
}


def filter_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Measures of the filters: one row per measure and layer, one column per network."""
    by_network = scores(frame, FILTERS, best=False).set_index("%").T
    return by_network.rename_axis("%").reset_index().rename_axis(columns=None)
