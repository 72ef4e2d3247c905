"""Records of this chapter and printed results of others as rows for tables and pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from dcbook.book.chapters import reported
from dcbook.chapters.contrastive.grids import ALONE, BESIDE, COLLAPSE, HEADS, PRETEXT
from dcbook.experiments import Record

RENAMED = {
    "PICA (mean)": "PICA",
    "SCAN after self-labelling (best)": "SCAN",
    "DAC* (repo log)": "DAC*",
    "SimCLR+PAC": "PAC",
    "SimCLR pretext+k-means (SCAN protocol)": PRETEXT,
}  # printed rows that correspond to one of our methods
CHOSEN_BY = {"DCCM": "nmi", "PICA": "acc", "SPICE-Self": "best_head_acc"}  # by labels, in the released code


def printed() -> pd.DataFrame:
    """Printed results of others, under our names of the methods if we have them; see ``reported/README.md``."""
    frame = reported("contrastive/printed").drop(columns="source")
    return frame.assign(method=frame["method"].replace(RENAMED))


def on_codes(records: Sequence[Record]) -> list[Record]:
    """The records, where those of `ALONE` have the scores of k-means on their codes as their own."""
    return [replace(each, scores=each.portrait) if each.run["method"] == ALONE else each for each in records]


def scan_steps(records: Sequence[Record]) -> pd.DataFrame:
    """SCAN from step to step: dataset, seed, metric, and in per cent `pretext`, `frozen`, `step 2` and `step 3`.

    `pretext` is k-means on the codes of step 1. `frozen` is the selected epoch of our phase on frozen codes, NaN in
    runs without it. `step 2` is the epoch that SCAN selects.
    """
    pretexts = {_place(record): record.scores for record in records if record.run["method"] == PRETEXT}
    rows = []
    for record in records:
        if record.run["method"] != "SCAN" or _place(record) not in pretexts:
            continue
        chosen = _selected(record.history)
        frozen = _selected([entry for entry in record.history if entry["phase"] == "frozen"])
        for metric in ("acc", "nmi"):
            steps = {
                "pretext": pretexts[_place(record)][metric],
                "frozen": frozen.get(metric, math.nan),
                "step 2": chosen[metric],
                "step 3": record.scores[metric],
            }
            row = {"dataset": record.run["dataset"], "seed": record.run["seed"], "metric": metric}
            rows.append(row | {name: 100 * value for name, value in steps.items()})
    return pd.DataFrame(rows)


def _selected(history: Sequence[Mapping]) -> Mapping:
    """The epoch with the lowest selection value; the last one if none has such a value, {} if there is none."""
    some = [entry for entry in history if "selection" in entry]
    return min(some, key=lambda entry: entry["selection"]) if some else history[-1] if history else {}


def premise(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each pretext: dataset, seed, epochs, `purity` and `pixels` in %, `acc` and `nmi` in points.

    `acc` and `nmi` are the gains of SCAN's heads over k-means on the same codes; `pixels` is the purity of unit-length
    pixels.
    """
    pretexts = {(*_place(r), _epochs(r)): r for r in records if r.run["method"].startswith(PRETEXT)}
    rows = []
    for record in records:
        if not record.run["method"].startswith(HEADS):
            continue
        key = (*_place(record), int(record.run["method"].removeprefix(f"{HEADS}, ").removesuffix(" epochs")))
        if (before := pretexts.get(key)) is None:
            continue
        gains = {metric: 100 * (record.scores[metric] - before.scores[metric]) for metric in ("acc", "nmi")}
        purity = {"purity": 100 * before.portrait["z"], "pixels": 100 * before.portrait["pixels"]}
        rows.append({**dict(zip(("dataset", "seed", "epochs"), key, strict=True)), **purity, **gains})
    return pd.DataFrame(rows)


def choices(records: Sequence[Record]) -> pd.DataFrame:
    """Scores of the last epoch and of the one by labels: dataset, seed, method, metric, and in % `last`, `chosen`.

    The choice follows the released code if it makes one: the epoch with the best NMI in DCCM, with the best ACC in
    PICA, epoch and head with the best ACC in SPICE. For other methods the choice is that of PICA. `last` is the result
    of the run.
    """
    rows = []
    for record in records:
        by = CHOSEN_BY.get(record.run["method"], "acc")
        epochs = [entry for entry in record.history if entry.get(by) is not None]
        if not epochs:
            continue
        best = max(epochs, key=lambda entry: entry[by])
        for metric in ("acc", "nmi"):
            named = by.removesuffix("acc").removesuffix("nmi") + metric
            scores = {"last": 100 * record.scores[metric], "chosen": 100 * best[named]}
            place = dict(zip(("dataset", "seed"), _place(record), strict=True))
            rows.append({**place, "method": record.run["method"], "metric": metric, **scores})
    return pd.DataFrame(rows)


def guards(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run of `grids.COLLAPSE` and the unchanged method, or `grids.BESIDE`, on the same set and seed.

    dataset, seed, method, `variant` (its name), `taken` (what was removed); `clusters` and `clusters_without`,
    effective numbers of clusters; `largest` and `largest_without`, shares of the largest one in %; `acc` and
    `acc_without`, in %.
    """
    found = {(record.run["method"], *_place(record)): record for record in records}
    rows = []
    for variant, (method, _) in COLLAPSE.items():
        for (name, *place), record in found.items():
            if name != variant or (whole := found.get((BESIDE.get(variant, method), *place))) is None:
                continue
            row = {"dataset": place[0], "seed": place[1], "method": method, "variant": variant}
            row["taken"] = variant.removeprefix(f"{method}, ").removeprefix("no ")
            for suffix, each in (("", whole), ("_without", record)):
                row[f"clusters{suffix}"] = each.portrait["clusters"]
                row[f"largest{suffix}"] = 100 * each.portrait["largest"]
                row[f"acc{suffix}"] = 100 * each.scores["acc"]
            rows.append(row)
    return pd.DataFrame(rows)


def _place(record: Record) -> tuple[str, int]:
    return record.run["dataset"], record.run["seed"]


def _epochs(record: Record) -> int:
    return record.provenance["parameters"]["epochs"]
