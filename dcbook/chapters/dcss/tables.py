"""Records of this chapter as rows: what its tables print and its pictures draw."""

from collections.abc import Sequence

import pandas as pd

from dcbook.evaluation import learned_alike, resemblance
from dcbook.experiments import Record


def histories(records: Sequence[Record], method: str, value: str) -> dict[str, list[float]]:
    """A number of each epoch that has it, for each run of a method."""
    return {
        f"{record.run['dataset']}, seed {record.run['seed']}": [e[value] for e in record.history if value in e]
        for record in records
        if record.run["method"] == method
    }


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


def _place(record: Record) -> tuple[str, str, int]:
    recipe = next(iter(record.run["start"]["params"]["start"].values()))
    network = "convolutional" if recipe.get("architecture") == "convolutional" else "fully connected"
    return network, record.run["dataset"], record.run["seed"]
