"""The grids of DCSS Tables 3 and 5: features of SimCLR and MoCo in place of color images.

They need a network that learns from color images without labels: on a CPU a narrow one, from few images. Features are
not confined to [0, 1] as pixels are, so the step of phase 1 was chosen among those of `steps`: the one with the lowest
total loss at the end, over both spaces. It is the paper's own.
"""

from dataclasses import replace

from dcbook.chapters.dcss.grids.benchmark import AS_MNIST, LAPTOP, PAPER, QUICK, QUICK_NETWORK
from dcbook.chapters.dcss.grids.sensitivity import small
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, vary
from dcbook.methods import DCSS, AEKMeans, MoCo, Pretraining, SimCLR

QUICK_VIEWS = {"width": 8, "projection_dim": 32, "flip": False, "crop": 0.5, "jitter": 1.0, "batch_size": 100}
QUICK_COLOR = replace(
    QUICK,
    datasets={"digits-rgb": {"subset": 600}},
    seeds=(0,),
    starts={"autoencoder": Method(AEKMeans, {"start": replace(QUICK_NETWORK, epochs=16)})},
    features={"simclr": Method(SimCLR, {**QUICK_VIEWS, "epochs": 16, "lr": 0.2, "temperature": 0.2})},
    monitor_every=0,
)
LAPTOP_COLOR = replace(
    LAPTOP,
    datasets={"cifar10": {"subset": 2000}},
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=60, batch_size=128)})},
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
    methods = small(scale, changes).methods
    deep = {name: replace(methods[name], start="autoencoder") for name in ON_FEATURES}
    return replace(scale, methods=deep | {name: methods[name] for name in ("DCSS", "k-means")})


def on_moco(scale: Scale, moco: dict, phase2: dict) -> Scale:
    """Table 5: k-means on pixels and on the H space of MoCo, and MNet on its encoder, which phase 2 trains along."""
    methods = {
        "k-means": scale.methods["k-means"],
        "MoCo+k-means": Method(MoCo, moco),
        "MoCo+MNet": Method(DCSS, {"phase1_epochs": 0, **phase2}, start="MoCo+k-means"),
    }
    return replace(scale, methods=methods, features={})


SHORT = {"max_updates": 60, "update_interval": 12}
TABLE3 = {
    "quick": on_features(
        QUICK_COLOR,
        DEC=SHORT,
        IDEC={**SHORT, "lr": 1e-3},
        DCSS_u={"phase1_epochs": 2, "phase1_lr": 1e-6},
        DCSS={"phase2_epochs": 16, "T2": 4, "batch_size": 100},
    ),
    "laptop": on_features(LAPTOP_COLOR, DCSS_u={"phase1_epochs": 30}),
    "paper": on_features(PAPER_COLOR),
}
STEPS = (2e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 2e-5)
TRIAL = {"quick": 2, "laptop": 5, "paper": 5}  # epochs


def steps(scale: str, seeds: Seeds = (0,)) -> list[Run]:
    """Phase 1 on features for a few epochs, at each step that was considered."""
    grid = vary(runs(TABLE3[scale], ["DCSS_u"], seeds=seeds), phase1_epochs=(TRIAL[scale],))
    return vary(grid, phase1_lr=STEPS[::3] if scale == "quick" else STEPS)


TABLE5 = {
    "quick": on_moco(
        QUICK_COLOR,
        {**QUICK_VIEWS, "epochs": 6, "queue": 600, "bn_groups": 1, "temperature": 0.1},
        {"phase2_epochs": 2, "T2": 1, "batch_size": 100, "schedule_size": None},
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
    "paper": on_moco(PAPER_COLOR, {"architecture": "resnet-34"}, AS_MNIST),
}
