"""All methods from the convolutional autoencoder that DCSS's authors released.

DCSS weighs centering by alpha = 0.1 against reconstruction. Among the codes of the fully connected autoencoder
centering is a small part of the loss; among those of the convolutional one it is of the same size as reconstruction
at first. Here every method starts there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.dcss.grids import benchmark
from dcbook.chapters.dcss.grids.benchmark import LAPTOP, PAPER, PRETRAININGS, QUICK, QUICK_PHASE_1, from_convolutional
from dcbook.chapters.dcss.watches import SelfSupervision
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.experiments.watch import Watch
from dcbook.methods import DCN, DCSS, DEC, DKM, IDEC, DCSS_agg, DCSS_u, Pretraining

OTHERS = {"DEC": DEC, "IDEC": IDEC, "DCN": DCN, "DKM": DKM}
AGGREGATED = ("DCSS_u, K updates", "DCSS_agg")  # Table 2
HALVES = {"mnist-test": {}, "fashion-mnist-test": {}}  # 10,000 of 70,000 images: hours of one core, not days


def all_from_convolutional(
    scale: Scale,
    recipe: Pretraining,
    phase1: Mapping[str, Any],
    phase2: Mapping[str, Any],
    others: Mapping[str, Mapping] | None = None,
    watch: Watch | None = None,
) -> Scale:
    """Both phases of DCSS with one update a batch, the same with alpha = 0, and four others, from one start.

    others : settings of DEC, IDEC, DCN and DKM; None leaves these methods out.
    """
    ours = from_convolutional(scale, recipe, phase1, phase2, watch)
    methods = {name: ours.methods[name] for name in ("AE+k-means", "DCSS_u", "DCSS")}
    without, on_top = {**methods["DCSS_u"].params, "alpha": 0.0}, {**methods["DCSS"].params, "alpha": 0.0}
    methods["DCSS_u, alpha 0"] = replace(methods["DCSS_u"], params=without)
    methods["DCSS, alpha 0"] = Method(DCSS, on_top, start="DCSS_u, alpha 0")
    if others is not None:
        methods["DCSS_u, K updates"] = Method(DCSS_u, phase1, start=benchmark.CONVOLUTIONAL)
    for name, settings in (others or {}).items():
        methods[name] = Method(OTHERS[name], settings, start=benchmark.CONVOLUTIONAL)
        methods[f"{name}+MNet"] = Method(DCSS, methods["DCSS"].params, start=name)
    return replace(scale, starts={benchmark.CONVOLUTIONAL: ours.starts[benchmark.CONVOLUTIONAL]}, methods=methods)


def with_two_more(scale: Scale) -> Scale:
    """The same with two more methods.

    Phase 2 read literally: 20 epochs of the data at hand, not as many updates as on 70,000 images. And, for Table 2,
    phase 1 with one update a batch for K times the epochs.
    """
    literal = Method(DCSS, {"phase1_epochs": 0}, start="DCSS_u")
    aggregated = Method(DCSS_agg, benchmark.PHASE_1[scale.name], start=benchmark.CONVOLUTIONAL)
    return replace(scale, methods=scale.methods | {"DCSS, 20 epochs": literal, "DCSS_agg": aggregated})


CONVOLUTIONAL = {
    "quick": all_from_convolutional(
        replace(QUICK, datasets={"digits": {"subset": 300, "padding": 4}}, seeds=(0,)),
        Pretraining("convolutional", epochs=10, batch_size=16),
        QUICK_PHASE_1 | {"phase1_epochs": 2, "phase1_lr": 1e-5, "batch_size": 50},
        {"phase2_epochs": 4, "T2": 2, "batch_size": 50, "schedule_size": None},
        {
            "DEC": {"max_updates": 24, "update_interval": 6},
            "IDEC": {"max_updates": 24, "update_interval": 6},
            "DCN": {"epochs": 3, "batch_size": 50},
            "DKM": {"epochs": 3, "batch_size": 50},
        },
    ),
    "laptop": all_from_convolutional(
        LAPTOP,
        PRETRAININGS["laptop"],
        benchmark.PHASE_1["laptop"],
        benchmark.PHASE_2["laptop"],
        watch=SelfSupervision(),
    ),
    "paper": with_two_more(
        all_from_convolutional(
            replace(PAPER, datasets=PAPER.datasets | HALVES, monitor_every=5),
            PRETRAININGS["paper"],
            benchmark.PHASE_1["paper"],
            benchmark.PHASE_2["paper"],
            {name: {} for name in OTHERS},
        )
    ),
}


def convolutional(scale: str, seeds: Seeds = None) -> list[Run]:
    """The runs, those that take long on small sets alone.

    On USPS: phase 2 read literally; at `laptop`, phase 2. On USPS and the test images of MNIST: Table 2, which is K
    updates in turn and their sum for K times the epochs. On all of MNIST K updates have one seed, as a check.
    """
    usps = ("digits", "usps")
    where = {"DCSS, 20 epochs": usps} | dict.fromkeys(AGGREGATED, (*usps, "mnist-test"))
    where |= dict.fromkeys(("DCSS", "DCSS, alpha 0"), usps) if scale == "laptop" else {}
    found = runs(CONVOLUTIONAL[scale], seeds=seeds)
    check = ("DCSS_u, K updates", "mnist", 0)
    return [
        run
        for run in found
        if run.dataset in where.get(run.method, (run.dataset,)) or (run.method, run.dataset, run.seed) == check
    ]
