"""The runs that test R-DC (reconstruction): comparison with other methods, its open choices, and noise.

R-DC's equations and settings are not available to us. The runs test `RDCReconstruction`, and all schedules are ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.rdc.grids.phases import (
    ACAI,
    ADEC,
    FEWER,
    GENTLE,
    LAPTOP,
    PAPER,
    QUICK,
    SOME,
    pretrained,
    small,
    tiny,
    without_adec,
)
from dcbook.chapters.rdc.watches import Diagnostics, Filtered
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled, vary
from dcbook.methods import (
    DCN,
    DCSS,
    DEC,
    DKM,
    IDEC,
    ADECReconstruction,
    AEKMeans,
    DynAE,
    RDCReconstruction,
    VaDE,
)
from dcbook.methods.dcss import PAPER_SIZE

BEFORE, RDC = "AE+k-means", "R-DC (reconstruction)"
METHODS = {
    BEFORE: AEKMeans,
    "DEC": DEC,
    "IDEC": IDEC,
    "DCN": DCN,
    "DKM": DKM,
    "VaDE": VaDE,
    "DynAE": DynAE,
    ADEC: ADECReconstruction,
    "DCSS": DCSS,
    RDC: RDCReconstruction,
}


def beside(
    scale: Scale, settings: Mapping[str, Mapping], pretraining: Mapping[str, Any], every: int, **watched: Any
) -> Scale:
    """All methods from the same autoencoder, pretrained as in DynAE, with diagnostics in every `every`-th epoch.

    `watched`: further options of `Diagnostics`.
    """
    watch = Diagnostics(every=every, variants=("dynae", "rdc"), **watched)
    methods = {name: Method(cls, settings.get(name, {}), ACAI, watch) for name, cls in METHODS.items()}
    return replace(scale, starts=pretrained(ACAI, **pretraining), methods=methods)


def as_long(updates: Mapping[str, Any], epochs: int, dcss: Mapping[str, Any]) -> dict[str, Mapping]:
    """Settings of the methods' schedules: methods that count updates, methods that count epochs, and DCSS."""
    counted = dict.fromkeys(("DEC", "IDEC", "DynAE"), updates)
    return counted | {name: {"epochs": epochs} for name in ("DCN", "DKM", "VaDE", ADEC, RDC)} | {"DCSS": dcss}


# `quick` has a third of the digits and diagnostics in every seventh of about 15 epochs; the step of DCSS's first phase
# is multiplied by 70,000 / 600. At `laptop` 100 epochs are 800 updates on 2,000 images.
PART = replace(QUICK, datasets={"digits": {"subset": 600}}, monitor_every=7)
QUICK_DCSS = {"phase1_epochs": 5, "phase1_lr": 1.2e-4, "phase2_epochs": 9, "T2": 4}
QUICK_DCSS |= {"batch_size": 256, "schedule_size": None}
AS_MNIST = {"schedule_size": PAPER_SIZE}
LAPTOP_DCSS = {"phase1_epochs": 3, "phase2_epochs": 4, "T2": 1} | AS_MNIST
SETS = {"fashion-mnist-test": {"subset": 2000}, "breastmnist": {}, "pneumoniamnist": {"subset": 2000}}
SETS |= {"cifar10": {"subset": 2000}}
WHOLE = ("fashion-mnist", "breastmnist", "pneumoniamnist", "vesselmnist3d", "cifar10", "bloodmnist")
COMPARED = {
    "quick": beside(PART, as_long(FEWER, 15, QUICK_DCSS), tiny(25) | GENTLE, every=7, n_gradients=128),
    "laptop": beside(replace(LAPTOP, datasets=SETS), as_long(SOME, 100, LAPTOP_DCSS), small(160) | GENTLE, every=15),
    "paper": beside(replace(PAPER, datasets={name: {} for name in WHOLE}), {"DCSS": AS_MNIST}, {}, every=10),
}
# Volumes have 28 times the pixels of an image, and get a tenth of its pretraining and a sixth of its updates. They are
# mostly empty: predicting the mean volume has a squared error of 0.017 per voxel. With ACAI's interpolations weighted
# by 0.05 or 0.005, the codes kept two dimensions or fewer, and the reconstruction error was 0.013; without
# interpolations, five dimensions and 0.012.
SHORTER = as_long({"max_updates": 140}, 18, {"phase1_epochs": 1, "phase2_epochs": 1, "T2": 1, "schedule_size": 35_000})
VOLUMES = beside(replace(LAPTOP, datasets={"vesselmnist3d": {}}), SHORTER, small(16) | {"lam": 0.0}, every=3)
# DynAE is left out of the volumes. With two classes its thresholds must fall twice before a sample has a pseudo-label,
# and in 140 updates it counts only before it trains and at the end, so its phase 2 would be reconstruction alone. Six
# counts (an `update_interval` of about 23) would be needed, with all methods run again from one start: to be run.
VOLUMES = replace(VOLUMES, methods={name: method for name, method in VOLUMES.methods.items() if name != "DynAE"})


def compared(scale: str, seeds: Seeds = None) -> list[Run]:
    """All methods on the same data from the same pretrained weights and centers, with diagnostics.

    The networks are fully connected; volumes and color images are flattened.
    """
    volumes = runs(VOLUMES, seeds=seeds) if scale == "laptop" else []
    return without_adec([*runs(COMPARED[scale], seeds=seeds), *volumes], scale)


# One choice changed at a time, on the first data set of `compared`; at `quick` a third of the schedule.
CHOICES = {
    "loss": ("latent", "neighbor"),
    "target_decoder": ("current",),
    "distance_filter": ("median", "none"),
    "agreement_filter": ("confidence", "none"),
    "hand_over": (0.0, 1.0),
    "n_neighbors": (3, 30),
}
HYPERPARAMETERS = ("distance_filter", "hand_over", "n_neighbors")  # the other choices change the method
NOISE = {"quick": (0.3,)}
ALONE = {"quick": {"epochs": 5}, "laptop": {"epochs": 100}, "paper": {}}
ABLATED = {
    name: replace(
        scale,
        datasets=dict(list(scale.datasets.items())[:1]),
        methods={BEFORE: Method(AEKMeans, {}, ACAI), RDC: Method(RDCReconstruction, ALONE[name], ACAI, Filtered())},
    )
    for name, scale in COMPARED.items()
}


def choices(scale: str, seeds: Seeds = None) -> list[Run]:
    """R-DC (reconstruction) with its defaults and with one open choice changed at a time, and its phase 1.

    On the first data set of `compared`.
    """
    before, ours = ([run for run in _alone(scale, seeds) if run.method == name] for name in (BEFORE, RDC))
    bare = [replace(run, watch=None) for run in ours]
    return [*before, *ours, *(run for name, values in CHOICES.items() for run in vary(bare, **{name: values}))]


def noisy(scale: str, seeds: Seeds = None) -> list[Run]:
    """The same method and its phase 1 on images without and with Gaussian noise, which pretraining has, too."""
    grid = _alone(scale, seeds)
    levels = NOISE.get(scale, (0.1, 0.3, 0.5))
    return [*grid, *(sampled(replace(run, watch=None), noise=sd) for sd in levels for run in grid)]


def _alone(scale: str, seeds: Seeds) -> list[Run]:
    return runs(ABLATED[scale], seeds=seeds)
