"""The runs of the R-DC chapter: what the second phases of other methods make of a self-supervised first one.

R-DC's settings are not public to us; the methods keep their own, on shorter schedules at `quick` and `laptop`.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dcbook.chapters.rdc.watches import BothPhases, ClusterDimensions, Snapshots
from dcbook.experiments.runs import Method, Run, Scale, Seeds, grid, runs
from dcbook.methods import (
    DEC,
    IDEC,
    ACAIPretraining,
    ADECReconstruction,
    AEKMeans,
    ContrastivePretraining,
    DynAE,
    Pretraining,
)

RECONSTRUCTION, CONTRASTIVE, ACAI, FROZEN = "reconstruction", "contrastive", "ACAI", "ACAI (frozen critic)"
PRETRAININGS = {
    RECONSTRUCTION: Pretraining,
    CONTRASTIVE: ContrastivePretraining,
    ACAI: ACAIPretraining,
    FROZEN: partial(ACAIPretraining, critic="frozen"),
}
RELEASED, ADEC = "DynAE (frozen critic)", "ADEC (reconstruction)"


def pretrained(name: str, **settings: Any) -> dict[str, Method]:
    """A start by the name of its pretraining."""
    return {name: Method(AEKMeans, {"start": PRETRAININGS[name](**settings)})}


def small(epochs: int) -> dict[str, Any]:
    """A quarter of DEC's widths and small batches, for few images."""
    return {"widths": (125, 125, 500), "epochs": epochs, "batch_size": 128, "lr": 1e-3}


def tiny(epochs: int) -> dict[str, Any]:
    """For `quick`: one hidden layer fewer, so that 280 updates, 10 epochs on the digits, are enough to start from."""
    return {"widths": (100, 200), "epochs": epochs, "batch_size": 64, "lr": 3e-3}


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
    """DEC, IDEC and DynAE from the same autoencoder, pretrained by ACAI as described, scored after both phases.

    `settings` are those of all three.
    """
    methods = {cls.__name__: Method(cls, settings, ACAI, BothPhases()) for cls in (DynAE, IDEC, DEC)}
    return replace(scale, starts=pretrained(ACAI, **pretraining), methods=methods)


def as_released(scale: Scale, settings: Mapping[str, Any], pretraining: Mapping[str, Any]) -> Scale:
    """DynAE after ACAI whose critic is never trained, as inferred from its released code; scored after both phases."""
    methods = {RELEASED: Method(DynAE, settings, FROZEN, BothPhases())}
    return replace(scale, starts=pretrained(FROZEN, **pretraining), methods=methods)


def adversarial(scale: Scale, pretraining: Mapping[str, Any], **settings: Any) -> Scale:
    """ADEC (reconstruction) from the same pretraining by ACAI as the methods of `both_phases`."""
    methods = {ADEC: Method(ADECReconstruction, settings, ACAI, BothPhases())}
    return replace(scale, starts=pretrained(ACAI, **pretraining), methods=methods)


def together(*scales: Scale) -> Scale:
    """One scale with the starts and the methods of several, which are alike in everything else."""
    first, *others = scales
    for other in others:
        first = replace(first, starts={**first.starts, **other.starts}, methods={**first.methods, **other.methods})
    return first


def flattening(scale: Scale, points: int = 800) -> Scale:
    """The demonstration of FT-VGAE (App. A): four curved clusters in the plane, as far as we know how it was made.

    Known: a linear autoencoder of two layers, 200 iterations of reconstruction, then DEC's loss. Ours: the points, the
    steps, the 1,000 updates of DEC, and beside the linear network one with a hidden layer of 50 units.
    """
    settings = {"max_updates": 1000, "update_interval": 20, "tol": 0, "lr": 0.1, "batch_size": points}
    networks = {"linear": (), "one hidden layer": (50,)}
    recipe = {"latent_dim": 2, "epochs": 200, "batch_size": points, "lr": 1e-2}
    starts = {
        name: Method(AEKMeans, {"start": Pretraining(widths=widths, **recipe)}) for name, widths in networks.items()
    }
    methods = {f"DEC, {name}": Method(DEC, settings, name, Snapshots()) for name in networks}
    datasets = {"arcs": {} if points == 800 else {"subset": points}}
    return replace(scale, datasets=datasets, starts=starts, methods=methods, monitor_every=0)


QUICK = Scale(datasets={"digits": {}}, monitor_every=4, name="quick")
LAPTOP = Scale(datasets={"mnist-test": {}, "fashion-mnist-test": {}}, seeds=(0, 1, 2), name="laptop")
PAPER = Scale(datasets={"mnist": {}, "fashion-mnist": {}, "mnist-test": {}}, seeds=(0, 1, 2, 3, 4), name="paper")
# Schedules in mini-batch updates are the methods' own at `paper`; at `laptop` six targets of DEC and IDEC, six counts
# of DynAE. DEC's share of changed labels at which it stops is kept: 0.1 %.
FEW, SOME = {"max_updates": 300, "update_interval": 20}, {"max_updates": 840}
FEWER = FEW | {"max_updates": 60}
FIVE = {name: {"subset": 2000} for name in ("usps", "mnist-test", "fashion-mnist-test", "pneumoniamnist")}
FIG1 = {
    "quick": twist(QUICK, FEW, tiny(10)),
    "laptop": twist(LAPTOP, SOME, small(40)),
    "paper": twist(PAPER, {}, {"epochs": 300}),
}
FIG2 = {
    "quick": collapse(QUICK, FEW, tiny(10)),
    "laptop": collapse(LAPTOP, SOME, small(40)),
    "paper": collapse(PAPER, {}, {"epochs": 300}),
}
# ACAI's own lambda, 0.5, asks for its own 130,000 updates: in the first 2,400 on 2,000 images of MNIST it never leaves
# the mean image (reconstruction error 0.064 with steps of 0.0003; 0.028 after 800 updates with 0.05). That is so with a
# critic that learns: with a frozen one, whose term is nearly nothing, lambda is the source's.
GENTLE = {"lam": 0.05}
LAPTOP_FIVE = replace(LAPTOP, datasets=FIVE | {"breastmnist": {}})
PAPER_FIVE = replace(PAPER, datasets=PAPER.datasets | {"usps": {}, "pneumoniamnist": {}, "breastmnist": {}})
FIG3 = {
    "quick": together(
        as_released(QUICK, FEW, tiny(10)),
        both_phases(QUICK, FEW, tiny(10) | GENTLE),
        adversarial(QUICK, tiny(10) | GENTLE, warmup_epochs=5, epochs=38),
    ),
    "laptop": together(
        as_released(LAPTOP_FIVE, SOME, small(160)),
        both_phases(LAPTOP_FIVE, SOME, small(160) | GENTLE),
        adversarial(LAPTOP_FIVE, small(160) | GENTLE, epochs=210),
    ),
    "paper": together(as_released(PAPER_FIVE, {}, {}), both_phases(PAPER_FIVE, {}, {}), adversarial(PAPER_FIVE, {})),
}
# At `laptop`, to save time, ADEC runs on one small set: 780 images, of which 210 epochs are as many batches as the
# others make updates; so are, at `quick`, 38 epochs of the digits.
ADEC_LAPTOP = ("breastmnist",)
# Epochs of phase 1, each four times the next: at `laptop` the longest makes the 130,000 updates of ACAI's source, and
# phase 2 has five times the updates it has in FIG3. To save time, the first phases without interpolations (lambda 0)
# make 8,137 updates at most, and those with a frozen critic 2,054.
FREE = {"lam": 0.0}
TEST, WHOLE = replace(LAPTOP, datasets={"mnist-test": {}}), replace(PAPER, datasets={"mnist": {}})
MORE = {"max_updates": 4200}
LENGTHS = {
    "quick": [
        *(as_released(QUICK, FEWER, tiny(epochs)) for epochs in (8, 2)),
        *(both_phases(QUICK, FEWER, tiny(epochs) | lam) for lam in (GENTLE, FREE) for epochs in (8, 2)),
    ],
    "laptop": [
        as_released(TEST, MORE, small(26)),
        *(both_phases(TEST, MORE, small(epochs) | GENTLE) for epochs in (1646, 411, 103, 26)),
        *(both_phases(TEST, MORE, small(epochs) | FREE) for epochs in (103, 26)),
    ],
    "paper": [
        *(as_released(WHOLE, {}, {"epochs": epochs}) for epochs in (475, 119, 30)),
        *(both_phases(WHOLE, {}, {"epochs": epochs} | lam) for lam in ({}, FREE) for epochs in (475, 119, 30)),
    ],
}


def without_adec(found: list[Run], scale: str) -> list[Run]:
    """The runs without those of ADEC (reconstruction) on sets that it doesn't run on at this scale."""
    return [run for run in found if scale != "laptop" or run.method != ADEC or run.dataset in ADEC_LAPTOP]


def fig3(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 3: DEC, IDEC, DynAE and ADEC (reconstruction), scored after both phases."""
    return without_adec(grid(FIG3)(scale, seeds), scale)


def arcs(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2's demonstration in the plane; the same at all scales but for the seeds, and half the points at `quick`."""
    return runs(flattening(FIG2[scale], 400 if scale == "quick" else 800), seeds=seeds)


def lengths(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 3's methods after first phases of several lengths, longest first: DynAE's as released; with and without
    interpolations that a critic learns from.
    """
    return [run for grid in LENGTHS[scale] for run in runs(grid, seeds=seeds)]
