"""All methods from the released convolutional autoencoder: what a latent space's scale decides.

DCSS weighs centering by alpha = 0.1 against reconstruction. Among the codes of the fully connected autoencoder that is
next to nothing; among those of the convolutional one, which the authors released, it is of the same size. Here every
method starts there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.dcss.grids.benchmark import AS_MNIST, LAPTOP, PAPER, QUICK, QUICK_PHASE_1
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DCN, DCSS, DEC, DKM, IDEC, AEKMeans, DCSS_u, Pretraining

START = "convolutional autoencoder"
OTHERS = {"DEC": DEC, "IDEC": IDEC, "DCN": DCN, "DKM": DKM}


def from_convolutional(
    scale: Scale,
    recipe: Pretraining,
    phase1: Mapping[str, Any],
    phase2: Mapping[str, Any],
    others: Mapping[str, Mapping],
) -> Scale:
    """Both phases of DCSS with one update a batch, the same with alpha = 0, and four others, from one start."""
    methods = {
        "AE+k-means": Method(AEKMeans, start=START),
        "DCSS_u": Method(DCSS_u, {**phase1, "one_update": True}, start=START),
        "DCSS_u, alpha 0": Method(DCSS_u, {**phase1, "one_update": True, "alpha": 0.0}, start=START),
        "DCSS_u, K updates": Method(DCSS_u, phase1, start=START),
        "DCSS": Method(DCSS, phase2, start="DCSS_u"),
        "DCSS, alpha 0": Method(DCSS, {**phase2, "alpha": 0.0}, start="DCSS_u, alpha 0"),
    }
    for name, cls in OTHERS.items():
        methods[name] = Method(cls, others.get(name, {}), start=START)
        methods[f"{name}+MNet"] = Method(DCSS, phase2, start=name)
    return replace(scale, starts={START: Method(AEKMeans, {"start": recipe})}, methods=methods)


# The length of the pretraining was chosen without labels, for its time; whether its loss has settled is not measured.
CONVOLUTIONAL = {
    "quick": from_convolutional(
        replace(QUICK, datasets={"digits": {"subset": 300, "padding": 4}}, seeds=(0,)),
        Pretraining("convolutional", epochs=10, batch_size=16),
        QUICK_PHASE_1 | {"phase1_epochs": 2, "phase1_lr": 1e-5, "batch_size": 50},
        {"phase1_epochs": 0, "phase2_epochs": 4, "T2": 2, "batch_size": 50, "schedule_size": None},
        {
            "DEC": {"max_updates": 24, "update_interval": 6},
            "IDEC": {"max_updates": 24, "update_interval": 6},
            "DCN": {"epochs": 3, "batch_size": 50},
            "DKM": {"epochs": 3, "batch_size": 50},
        },
    ),
    "laptop": from_convolutional(
        replace(LAPTOP, datasets={"usps": {}, "mnist-test": {}}),
        Pretraining("convolutional", epochs=30, batch_size=128),
        {"phase1_epochs": 6, **AS_MNIST},
        {"phase1_epochs": 0, "phase2_epochs": 7, "T2": 2, **AS_MNIST},
        {"DEC": {"max_updates": 1500}, "IDEC": {"max_updates": 1500}, "DCN": {"epochs": 40}, "DKM": {"epochs": 40}},
    ),
    "paper": from_convolutional(
        replace(PAPER, seeds=(0, 1, 2), monitor_every=5),
        Pretraining("convolutional", epochs=60, batch_size=128),
        AS_MNIST,
        {"phase1_epochs": 0, **AS_MNIST},
        {},
    ),
}


def convolutional(scale: str, seeds: Seeds = None) -> list[Run]:
    """The runs; the K updates in turn, which take ten times as long, not on MNIST."""
    found = runs(CONVOLUTIONAL[scale], seeds=seeds)
    return [run for run in found if run.method != "DCSS_u, K updates" or run.dataset in ("digits", "usps")]
