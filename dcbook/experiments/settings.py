"""The settings of every scale, in one place.

`quick` is for reading and for CI (seconds), `laptop` for real benchmark sets on two CPU cores (an hour or
two), `paper` for the paper's data and schedule on a GPU. Methods have the names of DCSS Tables 1, 2 and 4.
"""

from dataclasses import replace

from dcbook.experiments.runs import Method, Scale
from dcbook.experiments.watch import SelfSupervision
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
    MoCo,
    Pretraining,
    SimCLR,
    VaDE,
)

# A quarter of the paper's widths and large batches, so that it takes seconds; the step is the paper's times
# 70,000 / 1,797.
QUICK_PHASE_1 = {"phase1_epochs": 10, "phase1_lr": 3.9e-5, "batch_size": 256, "schedule_size": None}
QUICK = Scale(
    datasets={"digits": {}},
    seeds=(0, 1, 2),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=60, batch_size=128)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF, {"max_iter": 30}),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 700, "update_interval": 35}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 700, "update_interval": 35}, start="autoencoder"),
        "DCN": Method(DCN, {"epochs": 20}, start="autoencoder"),
        "DKM": Method(DKM, {"epochs": 20}, start="autoencoder"),
        "VaDE": Method(VaDE, {"epochs": 10}, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, QUICK_PHASE_1, start="autoencoder"),
        "DCSS_agg": Method(DCSS_agg, QUICK_PHASE_1, start="autoencoder"),
        "DCSS": Method(
            DCSS,
            {"phase1_epochs": 0, "phase2_epochs": 60, "T2": 15, "batch_size": 256, "schedule_size": None},
            start="DCSS_u",
            watch=SelfSupervision(shown=400),
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


# Tables 3 and 5 need color images and a network that learns from them without labels: on a CPU a narrow one, from few
# images. Features are not confined to [0, 1] as pixels are, so phase 1 takes shorter steps: its losses must not rise.
QUICK_VIEWS = {"width": 8, "projection_dim": 32, "flip": False, "crop": 0.5, "jitter": 1.0, "batch_size": 100}
QUICK_COLOR = replace(
    QUICK,
    datasets={"digits-rgb": {"subset": 600}},
    seeds=(0,),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=24, batch_size=128)})},
    features={"simclr": Method(SimCLR, {**QUICK_VIEWS, "epochs": 16, "lr": 0.2, "temperature": 0.2})},
    monitor_every=10,
)
LAPTOP_COLOR = replace(
    LAPTOP,
    datasets={"cifar10": {"subset": 2000}},
    starts=QUICK.starts,
    features={"simclr": Method(SimCLR, {"width": 8, "epochs": 55, "lr": 0.1, "batch_size": 100, "temperature": 0.2})},
)
PAPER_COLOR = replace(
    PAPER,
    datasets={"cifar10": {}, "cifar100-20": {}, "stl10": {}},
    features={"simclr": Method(SimCLR, {"architecture": "resnet-34"})},
)
ON_FEATURES = ("AE+k-means", "DEC", "IDEC", "DCN", "DKM", "DCSS_u")


def on_features(scale: Scale, **changes: dict) -> Scale:
    """Table 3, and k-means: methods of a scale, some parameters changed, on features and from one autoencoder."""
    methods = {name: replace(scale.methods[name], start="autoencoder") for name in ON_FEATURES}
    methods["DCSS"] = replace(scale.methods["DCSS"], watch=None)
    methods["k-means"] = scale.methods["k-means"]
    changed = {name: replace(methods[name], params={**methods[name].params, **new}) for name, new in changes.items()}
    return replace(scale, methods=methods | changed)


def on_moco(scale: Scale, moco: dict, phase2: dict) -> Scale:
    """Table 5: k-means on pixels and on the H space of MoCo, and MNet on its encoder, which phase 2 trains along."""
    methods = {
        "k-means": scale.methods["k-means"],
        "MoCo+k-means": Method(MoCo, moco),
        "MoCo+MNet": Method(DCSS, {"phase1_epochs": 0, **phase2}, start="MoCo+k-means"),
    }
    return replace(scale, methods=methods, features={})


SHORT = {"max_updates": 90, "update_interval": 15}
TABLE3 = {
    "quick": on_features(
        QUICK_COLOR,
        DEC=SHORT,
        IDEC=SHORT,
        DCN={"epochs": 10},
        DKM={"epochs": 10},
        DCSS_u={"phase1_epochs": 3, "phase1_lr": 1e-6},
        DCSS={"phase2_epochs": 24, "T2": 6, "batch_size": 100},
    ),
    "laptop": on_features(LAPTOP_COLOR, DCSS_u={"phase1_epochs": 5, "phase1_lr": 2e-7}),
    "paper": on_features(PAPER_COLOR),
}
TABLE5 = {
    "quick": on_moco(
        QUICK_COLOR,
        {**QUICK_VIEWS, "epochs": 6, "queue": 600, "bn_groups": 1, "temperature": 0.1},
        {"phase2_epochs": 4, "T2": 2, "batch_size": 100, "schedule_size": None},
    ),
    "laptop": on_moco(
        LAPTOP_COLOR,
        {
            "width": 8,
            "epochs": 40,
            "batch_size": 64,
            "queue": 512,
            "bn_groups": 1,
            "momentum": 0.99,
            "temperature": 0.1,
        },
        {"phase2_epochs": 20, "T2": 5, "batch_size": 200, "schedule_size": None},
    ),
    "paper": on_moco(PAPER_COLOR, {"architecture": "resnet-34"}, {}),
}

# What has run so far: at `laptop` DCN, DKM and VaDE, two to five minutes a run, wait for their turn in Table 1, and the
# two larger sets in Table 4.
RAN = ("k-means", "LSSC", "LPMF", "AE+k-means", "DEC", "IDEC", "DCSS_u", "DCSS_agg", "DCSS")
SCALES = {"quick": QUICK, "laptop": only(LAPTOP, *RAN), "paper": PAPER}

GRIDS = {
    "table1": SCALES,
    "table2": {name: only(scale, "AE+k-means", "DCSS_u", "DCSS_agg") for name, scale in SCALES.items()},
    "table3": TABLE3,
    "table4": {
        "quick": replace(mnet_on_top(QUICK), seeds=(0,)),
        "laptop": replace(mnet_on_top(LAPTOP), datasets={"usps": {}}),
        "paper": mnet_on_top(PAPER),
    },
    "table5": TABLE5,
    "phase2": {name: only(scale, "DCSS") for name, scale in SCALES.items()},
}

# Sweeps over many settings (Figs. 7, 10, 11(b), 12): small stratified subsets, and the network of `quick` at `laptop`.
SWEEPS = {
    "quick": replace(QUICK, datasets={"digits": {"subset": 600}}, seeds=(0,)),
    "laptop": replace(LAPTOP, datasets={name: {"subset": 2000} for name in LAPTOP.datasets}, starts=QUICK.starts),
    "paper": PAPER,
}
