"""The settings of every scale, in one place.

`quick` is for reading and for CI (seconds), `laptop` for real benchmark sets on two CPU cores (an hour or
two), `paper` for the paper's data and schedule on a GPU. Methods have the names of DCSS Tables 1, 2 and 4.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.experiments.runs import Method, Scale
from dcbook.experiments.watch import FirstLayer, LabelPickedProtocol, SelfSupervision
from dcbook.methods import (
    DCN,
    DCSS,
    DEC,
    DKM,
    IDEC,
    LPMF,
    LSSC,
    AEKMeans,
    DCSS_agg,
    DCSS_u,
    KMeans,
    Pretraining,
    VaDE,
)
from dcbook.methods.dcss import RELEASED_ROWS

# A quarter of the paper's widths and large batches, so that it takes seconds; the step is its times 70,000 / 1,797.
QUICK_PHASE_1 = {"phase1_epochs": 5, "phase1_lr": 3.9e-5, "batch_size": 256, "schedule_size": None}
QUICK = Scale(
    datasets={"digits": {}},
    seeds=(0, 1, 2),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=40, batch_size=128)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF, {"max_iter": 30}),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 400, "update_interval": 20}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 400, "update_interval": 20}, start="autoencoder"),
        "DCN": Method(DCN, {"epochs": 20}, start="autoencoder"),
        "DKM": Method(DKM, {"epochs": 20}, start="autoencoder"),
        "VaDE": Method(VaDE, {"epochs": 10}, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, QUICK_PHASE_1, start="autoencoder"),
        "DCSS_agg": Method(DCSS_agg, QUICK_PHASE_1, start="autoencoder"),
        "DCSS": Method(
            DCSS,
            {"phase1_epochs": 0, "phase2_epochs": 40, "T2": 10, "batch_size": 256, "schedule_size": None},
            start="DCSS_u",
            watch=SelfSupervision(shown=300),
        ),
    },
    monitor_every=1,
)

# About 25 minutes of one core for each data set and seed. DEC, IDEC, DCN and DKM make about 1,500 updates each. Both
# phases of DCSS are scaled to the size of the data, see `schedule_size`: 5 of the paper's 200 epochs of phase 1, 7 of
# its 20 of phase 2 (7,000 and 980 updates).
LAPTOP = Scale(
    datasets={"usps": {}, "mnist-test": {}, "fashion-mnist-test": {}},
    seeds=(0, 1, 2),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(epochs=50)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 1500}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 1500}, start="autoencoder"),
        "DCN": Method(DCN, {"epochs": 40}, start="autoencoder"),
        "DKM": Method(DKM, {"epochs": 40}, start="autoencoder"),
        "VaDE": Method(VaDE, {"epochs": 30}, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, {"phase1_epochs": 5}, start="autoencoder"),
        "DCSS_agg": Method(DCSS_agg, {"phase1_epochs": 5}, start="autoencoder"),
        "DCSS": Method(
            DCSS,
            {"phase1_epochs": 0, "phase2_epochs": 7, "T2": 2},
            start="DCSS_u",
            watch=SelfSupervision(),
        ),
    },
    monitor_every=2,
)

PAPER = Scale(
    datasets={"mnist": {}, "usps": {}, "fashion-mnist": {}, "2mnist": {}},
    seeds=(0, 1, 2, 3, 4),
    starts={
        "autoencoder": Method(AEKMeans, {"start": Pretraining(epochs=300)}),
        "convolutional autoencoder": Method(AEKMeans, {"start": Pretraining("convolutional", epochs=200)}),
    },
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF),
        "AE+k-means": Method(AEKMeans, start="convolutional autoencoder"),
        "DEC": Method(DEC, start="autoencoder"),
        "IDEC": Method(IDEC, start="autoencoder"),
        "DCN": Method(DCN, start="autoencoder"),
        "DKM": Method(DKM, start="autoencoder"),
        "VaDE": Method(VaDE, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, start="convolutional autoencoder"),
        "DCSS_agg": Method(DCSS_agg, start="convolutional autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0}, start="DCSS_u", watch=SelfSupervision()),
    },
    monitor_every=1,
)


def only(scale: Scale, *names: str) -> Scale:
    """Those methods of a scale."""
    return replace(
        scale, starts={**scale.starts, **scale.methods}, methods={name: scale.methods[name] for name in names}
    )


def mnet_on_top(scale: Scale) -> Scale:
    """Table 4: X and X + MNet for the autoencoder methods X, phase 2 as in the DCSS of that scale."""
    below = {name: scale.methods[name] for name in ("DEC", "IDEC", "DCN", "DKM")}
    on_top = {f"{name}+MNet": replace(scale.methods["DCSS"], start=name, watch=None) for name in below}
    return replace(scale, methods=below | on_top)


def first_layer(scale: Scale, recipe: Pretraining, **settings) -> Scale:
    """Fig. 13: both phases of DCSS from the convolutional autoencoder of that recipe, its first layer looked at."""
    start = "convolutional autoencoder"
    dcss = Method(DCSS, settings, start=start, watch=FirstLayer(recipe))
    return replace(scale, starts={start: Method(AEKMeans, {"start": recipe})}, methods={"DCSS, convolutional": dcss})


def paper_against_code(scale: Scale, **settings) -> Scale:
    """DCSS by both protocols; and as the paper has it, with each row of the released code, and with all of them.

    `settings` change those of the scale. All variants go on from one of two phases 1, the paper's or that of the row
    "centers", the only row that changes its training.
    """
    start = scale.methods["DCSS_u"].start
    both = {**scale.methods["DCSS"].params, **scale.methods["DCSS_u"].params, **settings}
    phase1, phase2 = {**both, "phase2_epochs": 0}, {**both, "phase1_epochs": 0}
    starts = {
        start: scale.starts[start],
        "phase 1": Method(DCSS, phase1, start=start),
        "phase 1, centers": Method(DCSS, {**phase1, "variant": "centers"}, start=start),
    }
    whole = Method(DCSS, {**both, **scale.starts[start].params}, watch=LabelPickedProtocol())
    methods = {"DCSS, both protocols": whole}
    for variant in ("paper", *RELEASED_ROWS, "released"):
        after = "phase 1, centers" if variant in ("centers", "released") else "phase 1"
        methods[f"DCSS, {variant}"] = Method(DCSS, {**phase2, "variant": variant}, start=after)
    return replace(scale, starts=starts, methods=methods, monitor_every=1)


# What has run so far: at `laptop` DCN, DKM and VaDE, two to five minutes a run, wait for their turn in Table 1, and the
# two larger sets in Table 4.
RAN = ("k-means", "LSSC", "LPMF", "AE+k-means", "DEC", "IDEC", "DCSS_u", "DCSS_agg", "DCSS")
SCALES = {"quick": QUICK, "laptop": only(LAPTOP, *RAN), "paper": PAPER}

GRIDS = {
    "table1": SCALES,
    "table2": {name: only(scale, "AE+k-means", "DCSS_u", "DCSS_agg") for name, scale in SCALES.items()},
    "table4": {
        "quick": replace(mnet_on_top(QUICK), seeds=(0,)),
        "laptop": replace(mnet_on_top(LAPTOP), datasets={"usps": {}}),
        "paper": mnet_on_top(PAPER),
    },
    "phase2": {name: only(scale, "DCSS") for name, scale in SCALES.items()},
}


def small(scale: Scale, settings: Mapping[str, dict] | None = None, **options: Any) -> Scale:
    """A scale for sweeps over many settings: nothing watched, some methods' settings, data sets or starts replaced."""
    changed = {name: method.params | (settings or {}).get(name, {}) for name, method in scale.methods.items()}
    methods = {name: replace(method, params=changed[name], watch=None) for name, method in scale.methods.items()}
    return replace(scale, methods=methods, **options)


# Figs. 7, 10, 11(b) and 12, see `sweeps.py`. At `laptop` stratified subsets of 2,000 images, a quarter of the paper's
# widths, and about half as many updates as on the whole sets.
SWEEPS = {
    "quick": small(QUICK, datasets={"digits": {"subset": 600}}, seeds=(0,)),
    "laptop": small(
        LAPTOP,
        {
            "DCN": {"epochs": 80},
            "DKM": {"epochs": 80},
            "VaDE": {"epochs": 50},
            "DCSS_u": {"phase1_epochs": 3},
            "DCSS": {"phase2_epochs": 4, "T2": 1},
        },
        datasets={name: {"subset": 2000} for name in LAPTOP.datasets},
        starts={
            "autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=100, batch_size=128)})
        },
    ),
    "paper": small(PAPER),
}

# Fig. 13: one network and one schedule at `quick` and `laptop`. USPS has 16×16 pixels; the digits get a border, since
# the network takes no images of 8×8. The step of phase 1 is the paper's, for batches of 50 in place of 500.
CONVOLUTIONAL = Pretraining("convolutional", epochs=10, batch_size=16)
FEW = {"phase1_epochs": 1, "phase1_lr": 1e-5, "phase2_epochs": 4, "T2": 2, "batch_size": 50, "schedule_size": None}
FILTERS = {
    "quick": first_layer(
        replace(QUICK, datasets={"digits": {"subset": 200, "padding": 4}}, seeds=(0,)), CONVOLUTIONAL, **FEW
    ),
    "laptop": first_layer(
        replace(LAPTOP, datasets={name: {"subset": 2000} for name in ("usps", "mnist-test")}), CONVOLUTIONAL, **FEW
    ),
    "paper": first_layer(
        replace(PAPER, datasets={name: {} for name in ("mnist", "fashion-mnist")}),
        PAPER.starts["convolutional autoencoder"].params["start"],
    ),
}

# Paper against code: schedules shorter than the sweeps', since each data set and seed asks for eleven phases.
PROTOCOLS = {
    "quick": paper_against_code(
        SWEEPS["quick"], phase1_epochs=3, phase1_lr=1e-4, phase2_epochs=12, T2=6, batch_size=100
    ),
    "laptop": paper_against_code(
        replace(SWEEPS["laptop"], datasets={name: {"subset": 2000} for name in ("usps", "mnist-test")}),
        phase1_epochs=3,
        phase2_epochs=3,
        T2=1,
    ),
    "paper": paper_against_code(PAPER, phase1_epochs=200),
}
