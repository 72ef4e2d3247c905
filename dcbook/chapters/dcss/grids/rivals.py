"""The grid of "rivals": DCSS and methods that its Table 1 leaves out, from one start, for as much computing time.

All go on from the same convolutional autoencoder; the start has a record of its own here, because the same training on
another machine ends elsewhere. At `laptop`, to save time, the rivals are N2D, BRB around IDEC, and SpectralNet with a
quarter of its width, and lengths were chosen, without labels, so that BRB trains for about as long as DCSS with 3 of
its 20 epochs of phase 2. At `paper` they are the methods' own, but that BRB, whose 400 epochs take longer than DCSS,
stops after 300 of USPS; around DEC and IDEC, which count updates, these are 277 epochs of the other sets. Comparisons
are made at the time that DCSS takes, so a method that trains for longer gains nothing by it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.dcss.grids import benchmark
from dcbook.chapters.dcss.grids.benchmark import LAPTOP, PAPER, PRETRAININGS, QUICK, QUICK_PHASE_1
from dcbook.chapters.dcss.watches import CoreSeconds
from dcbook.experiments.runs import Method, Scale
from dcbook.methods import BRB_DCN, BRB_DEC, BRB_IDEC, DCSS, EDESC, IDECF, N2D, AEKMeans, Pretraining, SpectralNet

BEFORE = "AE+k-means"
QUESTIONED = ("N2D", "BRB (DEC)", "BRB (IDEC)", "BRB (DCN)")  # whom the claim is about
RIVALS = {
    "N2D": N2D,
    "BRB (DEC)": BRB_DEC,
    "BRB (IDEC)": BRB_IDEC,
    "BRB (DCN)": BRB_DCN,
    "IDECF": IDECF,
    "EDESC": EDESC,
    "SpectralNet": SpectralNet,
}


def side_by_side(
    scale: Scale, recipe: Pretraining, dcss: Mapping[str, Any], rivals: Mapping[str, Mapping[str, Any]]
) -> Scale:
    """The start, both phases of DCSS in one run, with one update a batch in phase 1, and rivals with their settings."""
    start, watch = benchmark.CONVOLUTIONAL, CoreSeconds()
    methods = {
        BEFORE: Method(AEKMeans, start=start, watch=watch),
        "DCSS": Method(DCSS, {**dcss, "one_update": True}, start, watch),
        **{name: Method(RIVALS[name], settings, start, watch) for name, settings in rivals.items()},
    }
    return replace(scale, starts={start: Method(AEKMeans, {"start": recipe})}, methods=methods)


# At `quick` the map is Isomap's, since UMAP comes with a package that dcbook does not install.
COMPARED = {
    "quick": side_by_side(
        replace(QUICK, datasets={"digits": {"subset": 300, "padding": 4}}, seeds=(0,), monitor_every=1),
        Pretraining("convolutional", epochs=10, batch_size=16),
        QUICK_PHASE_1 | {"phase1_epochs": 2, "phase1_lr": 1e-5, "phase2_epochs": 4, "T2": 2, "batch_size": 50},
        {
            "N2D": {"manifold": "isomap"},
            "BRB (IDEC)": {"max_updates": 40, "update_interval": 8, "batch_size": 50, "every": 3},
            "IDECF": {"epochs": 4, "teacher_epochs": 20, "batch_size": 50},
            "EDESC": {"epochs": 6, "batch_size": 50},
            "SpectralNet": {"siamese_epochs": 4, "epochs": 8, "width": 32, "batch_size": 150},
        },
    ),
    "laptop": side_by_side(
        replace(LAPTOP, seeds=(0, 1, 2, 3, 4), monitor_every=3),
        PRETRAININGS["laptop"],
        benchmark.PHASE_1["laptop"] | benchmark.PHASE_2["laptop"] | {"phase2_epochs": 3},
        {
            "N2D": {},
            "BRB (IDEC)": {"max_updates": 27 * 37, "every": 9},
            "SpectralNet": {"width": 256},
        },
    ),
    "paper": side_by_side(
        replace(PAPER, datasets={name: {} for name in ("usps", "mnist-test", "fashion-mnist-test")}, monitor_every=5),
        PRETRAININGS["paper"],
        benchmark.PHASE_1["paper"],
        {
            "N2D": {},
            "BRB (DEC)": {"max_updates": 300 * 37},
            "BRB (IDEC)": {"max_updates": 300 * 37},
            "BRB (DCN)": {"epochs": 300},
            "IDECF": {},
            "EDESC": {},
            "SpectralNet": {},
        },
    ),
}
