"""Records of this chapter as rows: what its tables print and its pictures draw."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from dcbook.evaluation import learned_alike, resemblance
from dcbook.experiments import Record, over, summarize, with_spread
from dcbook.experiments.records import place, value_of

BY_LABELS, BEST_RUN = "best epoch by labels", "best epoch of the best run by labels"
ON_CODES = "k-means on its codes"
SECONDS, IN_TIME, AT_END = "core-seconds", "in DCSS's time", "at the end"
PAIR = ("acc", "nmi")
SCORES = {"acc": "ACC, %", "nmi": "NMI, %", "f1_macro": "macro F1, %"}


def table1_rows() -> pd.DataFrame:
    """A row for each method of the paper's Table 1: whose values they are, and where its row of ours is.

    `values` : "its own runs", "copied" from another paper, "re-run" by DCSS's authors from released code, with data
    sets where they differ, or "not told". `known` : "stated" in the paper, "checked" (the same values stand in another
    table), "inferred", or "-"; `evidence` : from what. `row` : the page of ours that has the method.
    """
    return pd.read_csv(Path(__file__).parent / "table1_rows.csv")


def histories(records: Sequence[Record], method: str, value: str) -> dict[str, list[float]]:
    """A number of each epoch that has it, for each run of a method."""
    return {
        f"{record.run['dataset']}, seed {record.run['seed']}": [e[value] for e in record.history if value in e]
        for record in records
        if record.run["method"] == method
    }


def wide(frame: pd.DataFrame, setting: str, name: str, metric: str | None = None) -> pd.DataFrame:
    """Mean ± std of `at_settings` rows as a page shows them: a column a value of the setting, which is called `name`.

    `metric` : that score alone; by default all. The data set is left out where there is one only.
    """
    found = over(frame, setting).reset_index()
    found = found if metric is None else found[found["metric"] == metric].drop(columns="metric")
    if found["dataset"].nunique() == 1:
        found = found.drop(columns="dataset")
    if "metric" in found:
        found["metric"] = [SCORES.get(each, each) for each in found["metric"]]
    return found.rename(columns=lambda column: column.replace(f"{setting} =", f"{name} ="))


def resemblances(portrait: dict) -> dict[str, dict[str, float]]:
    """Of a portrait of `FirstLayer`: measure to network to how much its filters are like supervised ones.

    "filters" and "outputs" are resemblances (`dcbook.evaluation.resemblance`) to the twin from another start, of
    weights and of what they make of the images; "filters, same start" is that of weights to the twin from the same
    start; "learned, same start" compares the changes since then (`dcbook.evaluation.learned_alike`).
    """
    filters, covariance = portrait["filters"], portrait["covariance"]
    untrained, twin, other = (filters[name] for name in ("untrained", "supervised", "supervised, another start"))
    ours = {name: filters[name] for name in ("untrained", "autoencoder", "DCSS")}
    moved = {name: ours[name] for name in ("autoencoder", "DCSS")}
    beside = ours | {"supervised": twin}
    return {
        "filters": {name: resemblance(each, other) for name, each in beside.items()},
        "outputs": {name: resemblance(each, other, covariance) for name, each in beside.items()},
        "filters, same start": {name: resemblance(each, twin) for name, each in ours.items()},
        "learned, same start": {name: learned_alike(untrained, each, twin) for name, each in moved.items()},
    }


def k_updates(records: Sequence[Record]) -> pd.DataFrame:
    """Of runs watched by `KUpdates`: columns network, form, dataset, step, seed, metric, value; all but seconds in %.

    What compares one update with K updates stands under the form "one update".
    """
    rows = []
    for record in records:
        run, seen = record.run, record.portrait
        network, step = run["method"].removeprefix("DCSS_u, "), run["params"]["phase1_lr"]
        beside = {name: seen[name] for name in ("apart", "ari", "share")}
        for form, values in seen["forms"].items():
            for metric, value in (values | (beside if form == "one update" else {})).items():
                value = value if metric == "seconds" else 100 * value
                rows.append((network, form, run["dataset"], step, run["seed"], metric, value))
    return pd.DataFrame(rows, columns=["network", "form", "dataset", "step", "seed", "metric", "value"])


def centering(records: Sequence[Record]) -> pd.DataFrame:
    """What phase 1 gains, and how much of its loss is centering: a row for each run of DCSS_u beside its AE + k-means.

    Columns network ("convolutional" or "fully connected"), dataset, seed, `share` (alpha times centering over the loss
    of the last epoch, in %), and the gains in `acc` and `nmi`, in points.
    """
    starts = {_place(record): record.scores for record in records if record.run["method"] == "AE+k-means"}
    rows = []
    for record in records:
        if record.run["method"] == "DCSS_u" and _place(record) in starts:
            last = [entry for entry in record.history if "centering" in entry][-1]
            share = 100 * (1 - last["reconstruction"] / last["total"])
            gains = {name: 100 * (record.scores[name] - starts[_place(record)][name]) for name in ("acc", "nmi")}
            rows.append(
                {**dict(zip(("network", "dataset", "seed"), _place(record), strict=True)), "share": share, **gains}
            )
    return pd.DataFrame(rows)


def losses_by_step(records: Sequence[Record]) -> pd.DataFrame:
    """The total loss in the last epoch of phase 1 for each step and features: rows as of `dcbook.experiments.compare`.

    The loss is the mean over the batches of an epoch, in the units of the features.
    """
    return summarize(
        (f"DCSS_u, step {value_of(record, 'phase1_lr'):.0e}", place(record.run), "total loss", history[-1]["total"])
        for record in records
        if (history := [entry for entry in record.history if "total" in entry])
    )


def timed(records: Sequence[Record], before: str) -> pd.DataFrame:
    """Scores over computing time, of runs watched by `CoreSeconds`: dataset, method, seed, seconds, acc and nmi, in %.

    The first row of each run is its start at 0 seconds, with the scores of the record of the method `before` with the
    same data set and seed; the last one is its end.
    """
    starts = {(r.run["dataset"], r.run["seed"]): r.scores for r in records if r.run["method"] == before}
    rows = []
    for record in records:
        about = {name: record.run[name] for name in ("dataset", "method", "seed")}
        watched = "core_seconds" in record.portrait and about["method"] != before
        if not watched or (about["dataset"], about["seed"]) not in starts:
            continue
        looks = [(0.0, starts[about["dataset"], about["seed"]])]
        looks += [(entry["core_seconds"], entry) for entry in record.history if "core_seconds" in entry]
        looks += [(record.portrait["core_seconds"], record.scores)]
        rows += [{**about, "seconds": at, **{name: 100 * look[name] for name in PAIR}} for at, look in looks]
    return pd.DataFrame(rows, columns=["dataset", "method", "seed", "seconds", "acc", "nmi"])


def in_time(frame: pd.DataFrame, of: str) -> pd.DataFrame:
    """Of `timed` rows, the last of each run that is no later than the end of the method `of`, data set and seed alike.

    Its start, where the run has none that early. The column `budget` has that end, in seconds.
    """
    ends = frame[frame["method"] == of].groupby(["dataset", "seed"])["seconds"].max().rename("budget")
    early = frame.join(ends, on=["dataset", "seed"], how="inner").query("seconds <= budget")
    return early.groupby(["dataset", "method", "seed"], sort=False).tail(1).reset_index(drop=True)


def raced(frame: pd.DataFrame, of: str, before: str) -> pd.DataFrame:
    """`timed` rows as a summary: core-seconds of each run, scores in the time of the method `of` and at the run's end.

    The start is a method of its own, `before`, of 0 seconds.
    """
    runs = frame.groupby(["dataset", "method", "seed"], sort=False)
    starts = frame[(frame["method"] == of) & (frame["seconds"] == 0)].assign(method=before)
    ends = pd.concat([starts, runs.tail(1)])
    early = pd.concat([starts, in_time(frame, of)])
    rows = [(run.method, run.dataset, SECONDS, run.seconds) for run in ends.itertuples()]
    for when, found in ((IN_TIME, early), (AT_END, ends)):
        rows += [(r.method, r.dataset, f"{SCORES[n]} {when}", getattr(r, n)) for r in found.itertuples() for n in PAIR]
    return summarize(rows)


def race(summary: pd.DataFrame) -> pd.DataFrame:
    """The same as a page shows it: a row for each data set and method, mean ± std over the seeds."""
    told = [with_spread(row.mean, row.std) for row in summary.itertuples()]
    wide = summary.assign(told=told).pivot(index=["dataset", "method"], columns="metric", values="told")
    datasets, methods = (list(dict.fromkeys(summary[name])) for name in ("dataset", "method"))
    order = [place for place in product(datasets, methods) if place in wide.index]
    return wide.loc[order, list(dict.fromkeys(summary["metric"]))].fillna("").reset_index()


def apart(records: Sequence[Record]) -> pd.DataFrame:
    """What Table 1's own scores don't tell, as rows of a comparison.

    "purity" of runs watched by `Purity`. Of GANMM, "acc" and "nmi" of k-means on the codes that it clusters, from looks
    before its ε-EM. Of EDESC, those of its "best epoch by labels", each metric's own, and of the best run among these,
    as its released code prints them; the state before the first epoch, which that code counts too, is not recorded.
    """
    rows, best = [], {}
    for record in records:
        method, dataset = record.run["method"], record.run["dataset"]
        looks = [entry for entry in record.history if "acc" in entry]
        if "cluster_purity" in record.portrait:
            rows.append((method, dataset, "purity", 100 * record.portrait["cluster_purity"]))
        for name in PAIR:
            if method == "GANMM":
                before = [entry[name] for entry in looks if entry["phase"] == "GAN pretraining"]
                rows += [(method, dataset, f"{name}, {ON_CODES}", 100 * value) for value in before[-1:]]
            if method == "EDESC":
                value = 100 * max(entry[name] for entry in looks)
                rows.append((method, dataset, f"{name}, {BY_LABELS}", value))
                place = method, dataset, f"{name}, {BEST_RUN}"
                best[place] = max(value, best.get(place, 0))
    return summarize([*rows, *((*place, value) for place, value in best.items())])


def told_apart(summary: pd.DataFrame) -> pd.DataFrame:
    """Rows of GANMM and EDESC in a Table 1 as its page shows them: a row for each number, mean ± std over the seeds."""
    rows = summary[summary["method"].isin(["GANMM", "EDESC"])]
    names = rows["metric"].str.replace("acc", "ACC").str.replace("nmi", "NMI") + ", %"
    told = [with_spread(row.mean, row.std) for row in rows.itertuples()]
    columns = {"method": rows["method"], "dataset": rows["dataset"], "score": names, "value": told}
    return pd.DataFrame(columns).sort_values(["method", "dataset"], ascending=[False, True], kind="stable")


def _place(record: Record) -> tuple[str, str, int]:
    recipe = next(iter(record.run["start"]["params"]["start"].values()))
    network = "convolutional" if recipe.get("architecture") == "convolutional" else "fully connected"
    return network, record.run["dataset"], record.run["seed"]
