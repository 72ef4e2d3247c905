"""The runs of the R-DC chapter: what the second phases of other methods make of a self-supervised first one.

R-DC's settings are not public to us; the methods keep their own, on shorter schedules at `quick` and `laptop`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dcbook.experiments.phases import BothPhases, ClusterDimensions, Snapshots, straightness
from dcbook.experiments.records import Record, place
from dcbook.experiments.runs import Method, Run, Scale, runs
from dcbook.methods import DEC, IDEC, ACAIPretraining, AEKMeans, ContrastivePretraining, DynAE, Pretraining

if TYPE_CHECKING:  # imported where a table is made: the workers of a sweep make none
    import pandas as pd

Seeds = Iterable[int] | None
SHOWN = ("epoch", "id", "lid")
RECONSTRUCTION, CONTRASTIVE, ACAI = "reconstruction", "contrastive", "ACAI"
PRETRAININGS = {RECONSTRUCTION: Pretraining, CONTRASTIVE: ContrastivePretraining, ACAI: ACAIPretraining}


def pretrained(name: str, **settings: Any) -> dict[str, Method]:
    """A start by the name of its pretraining."""
    return {name: Method(AEKMeans, {"start": PRETRAININGS[name](**settings)})}


def small(epochs: int) -> dict[str, Any]:
    """A quarter of DEC's widths and small batches, for few images."""
    return {"widths": (125, 125, 500), "epochs": epochs, "batch_size": 128, "lr": 1e-3}


def twist(scale: Scale, settings: Mapping[str, Any], pretraining: Mapping[str, Any]) -> Scale:
    """Fig. 1: DEC after two pretrainings with the same encoder and schedule, ID and LID after each epoch."""
    starts = pretrained(RECONSTRUCTION, **pretraining) | pretrained(CONTRASTIVE, **pretraining)
    methods = {f"DEC after {name}": Method(DEC, settings, name, ClusterDimensions()) for name in starts}
    return replace(scale, starts=starts, methods=methods)


def collapse(scale: Scale, settings: Mapping[str, Any], pretraining: Mapping[str, Any]) -> Scale:
    """Fig. 2: the latent space of DEC over the epochs, after reconstruction."""
    method = Method(DEC, settings, RECONSTRUCTION, Snapshots())
    return replace(scale, starts=pretrained(RECONSTRUCTION, **pretraining), methods={"DEC": method})


def both_phases(scale: Scale, settings: Mapping[str, Any], pretraining: Mapping[str, Any]) -> Scale:
    """Fig. 3: DEC, IDEC and DynAE from the same autoencoder, pretrained as DynAE's is, scored after both phases.

    `settings` are those of all three.
    """
    methods = {cls.__name__: Method(cls, settings, ACAI, BothPhases()) for cls in (DynAE, IDEC, DEC)}
    return replace(scale, starts=pretrained(ACAI, **pretraining), methods=methods)


def flattening(scale: Scale) -> Scale:
    """The demonstration of FT-VGAE (App. A): four curved clusters in the plane, as far as we know how it was made.

    Known: a linear autoencoder of two layers, 200 iterations of reconstruction, then DEC's loss. Ours: the points, the
    steps, the 1,000 updates of DEC, and beside the linear network one with a hidden layer of 50 units.
    """
    settings = {"max_updates": 1000, "update_interval": 20, "tol": 0, "lr": 0.1, "batch_size": 800}
    networks = {"linear": (), "one hidden layer": (50,)}
    recipe = {"latent_dim": 2, "epochs": 200, "batch_size": 800, "lr": 1e-2}
    starts = {
        name: Method(AEKMeans, {"start": Pretraining(widths=widths, **recipe)}) for name, widths in networks.items()
    }
    methods = {f"DEC, {name}": Method(DEC, settings, name, Snapshots()) for name in networks}
    return replace(scale, datasets={"arcs": {}}, starts=starts, methods=methods, monitor_every=0)


QUICK = Scale(datasets={"digits": {}}, seeds=(0,), methods={})
LAPTOP = Scale(datasets={"mnist-test": {}, "fashion-mnist-test": {}}, seeds=(0, 1, 2), methods={})
PAPER = Scale(datasets={"mnist": {}, "fashion-mnist": {}}, seeds=(0, 1, 2, 3, 4), methods={})

# Schedules in mini-batch updates are the methods' own at `paper`; at `laptop` six targets of DEC and IDEC, six counts
# of DynAE. DEC's share of changed labels at which it stops is kept: 0.1 %.
FEW, SOME = {"max_updates": 300, "update_interval": 20}, {"max_updates": 840}
FIVE = {name: {"subset": 2000} for name in ("usps", "mnist-test", "fashion-mnist-test", "pneumoniamnist")}
FIG1 = {
    "quick": twist(QUICK, FEW, small(30)),
    "laptop": twist(LAPTOP, SOME, small(40)),
    "paper": twist(PAPER, {}, {"epochs": 300}),
}
FIG2 = {
    "quick": collapse(QUICK, FEW, small(30)),
    "laptop": collapse(LAPTOP, SOME, small(40)),
    "paper": collapse(PAPER, {}, {"epochs": 300}),
}
# ACAI's own lambda, 0.5, asks for its own 130,000 updates: in the first 2,400 on 2,000 images of MNIST it never leaves
# the mean image (reconstruction error 0.064 with steps of 0.0003; 0.028 after 800 updates with 0.05).
GENTLE = {"lam": 0.05}
FIG3 = {
    "quick": both_phases(QUICK, FEW, small(40) | GENTLE),
    "laptop": both_phases(replace(LAPTOP, datasets=FIVE | {"breastmnist": {}}), SOME, small(160) | GENTLE),
    "paper": both_phases(
        replace(PAPER, datasets=PAPER.datasets | {"usps": {}, "pneumoniamnist": {}, "breastmnist": {}}), {}, {}
    ),
}

# Epochs of phase 1, each four times the next: at `laptop` the longest makes the 130,000 updates of ACAI's source, and
# phase 2 has five times the updates it has in FIG3. Without interpolations (lambda 0) phase 1 is what the source trains
# if its critic stays as it was initialized.
FREE = {"lam": 0.0}
TEST, WHOLE = replace(LAPTOP, datasets={"mnist-test": {}}), replace(PAPER, datasets={"mnist": {}})
MORE = {"max_updates": 4200}
LENGTHS = {
    "quick": [both_phases(QUICK, FEW, small(epochs) | lam) for lam in (GENTLE, FREE) for epochs in (160, 40, 10)],
    "laptop": [both_phases(TEST, MORE, small(epochs) | GENTLE) for epochs in (1646, 411, 103, 26)]
    + [both_phases(TEST, MORE, small(epochs) | FREE) for epochs in (103, 26)],
    "paper": [both_phases(WHOLE, {}, {"epochs": epochs} | lam) for lam in ({}, FREE) for epochs in (475, 119, 30)],
}


def fig1(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 1 at a scale."""
    return runs(FIG1[scale], seeds=seeds, name=scale)


def fig2(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2 at a scale: on images."""
    return runs(FIG2[scale], seeds=seeds, name=scale)


def arcs(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2's demonstration in the plane; the same at all scales but for the seeds."""
    return runs(flattening(FIG2[scale]), seeds=seeds, name=scale)


def fig3(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 3 at a scale."""
    return runs(FIG3[scale], seeds=seeds, name=scale)


def lengths(scale: str, seeds: Seeds = None) -> list[Run]:
    """The methods of Fig. 3 after first phases of several lengths, with and without interpolations, longest first."""
    return [run for grid in LENGTHS[scale] for run in runs(grid, seeds=seeds, name=scale)]


def dimensions(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 1 as rows: dataset, start (the pretraining), seed, epoch (0: before phase 2), id, lid.

    Epochs that were not looked at have no row, nor have those in which no cluster was large enough.
    """
    rows = []
    for record in records:
        start = {"epoch": 0, **record.portrait["start"]}
        watched = [start, *(entry for entry in record.history if entry["phase"] != "pretraining")]
        rows += [
            {**_about(record), "start": record.run["start"]["method"], **{name: entry[name] for name in SHOWN}}
            for entry in watched
            if entry.get("id") is not None
        ]
    return _frame(rows)


def phases(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 3 as rows: dataset, method, seed, metric, and in per cent `phase 1`, `phase 2` and `majority`."""
    rows = []
    for record in records:
        majority = 100 * record.portrait["majority"]
        for metric, before in record.portrait["phase 1"].items():
            scores = {"phase 1": 100 * before, "phase 2": 100 * record.scores[metric]}
            rows.append({**_about(record), "metric": metric, **scores, "majority": majority})
    return _frame(rows)


def first_settings(record: Record) -> dict[str, Any]:
    """The settings of the pretraining that a record's start was made by."""
    (settings,) = record.run["start"]["params"]["start"].values()
    return settings


def by_length(records: Iterable[Record]) -> pd.DataFrame:
    """Of `lengths` as rows: dataset, method, seed, metric, value in [0, 1], and of phase 1 `epochs` and `lam`.

    "phase 1" is a method among the others, and "conflicted" a metric of DynAE: the share at its first count.
    """
    rows = []
    for record in records:
        pretraining = first_settings(record)
        about = {**_about(record), **{name: pretraining[name] for name in ("epochs", "lam")}}
        for metric, before in record.portrait["phase 1"].items():
            scores = {"phase 1": before, record.run["method"]: record.scores[metric]}
            rows += [{**about, "method": name, "metric": metric, "value": value} for name, value in scores.items()]
        counts = [entry["conflicted"] for entry in record.history if "conflicted" in entry]
        rows += [{**about, "metric": "conflicted", "value": count} for count in counts[:1]]
    return _frame(rows).drop_duplicates(ignore_index=True)


def shapes(records: Iterable[Record]) -> pd.DataFrame:
    """Fig. 2 as rows: dataset, method, seed, the numbers of each frame (see `Snapshots`), and straightness.

    That is the `straightness` of the classes in the plane.
    """
    rows = []
    for record in records:
        for frame in record.portrait["frames"]:
            numbers = {name: value for name, value in frame.items() if name != "places"}
            straight = straightness(frame["places"], record.portrait["labels"])
            rows.append({**_about(record), **numbers, "straightness": straight})
    return _frame(rows)


def _about(record: Record) -> dict[str, Any]:
    return {"dataset": place(record.run), "method": record.run["method"], "seed": record.run["seed"]}


def _frame(rows: list[dict]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
