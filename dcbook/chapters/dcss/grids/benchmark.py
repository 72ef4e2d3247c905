"""Tables 1, 2 and 4 and the figures of phase 2; the other grids take their settings from Table 1's.

`quick` is for reading and for CI (seconds), `laptop` for real benchmark sets on two CPU cores (an hour or
two), `paper` for the paper's data and schedule on a GPU. Methods have the names of Table 1.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.dcss.watches import Purity, SelfSupervision
from dcbook.experiments.runs import Method, Run, Scale, Seeds, grid
from dcbook.experiments.watch import Watch
from dcbook.methods import (
    DCN,
    DCSS,
    DEC,
    DKM,
    EDESC,
    GANMM,
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
from dcbook.methods.dcss import PAPER_SIZE

# The paper states one schedule, for its largest set; smaller sets get as many updates.
AS_MNIST = {"schedule_size": PAPER_SIZE}
CONVOLUTIONAL = "convolutional autoencoder"

# A network of two narrow layers, long steps and two seeds, so that it takes seconds. The step of phase 1 is the paper's
# times 70,000 / 1,797. Every third epoch is scored: on data this small, scores take as long as training.
QUICK_PHASE_1 = {"phase1_epochs": 4, "phase1_lr": 3.9e-5, "batch_size": 256, "schedule_size": None}
QUICK_NETWORK = Pretraining(widths=(64, 128), epochs=12, batch_size=64, lr=3e-3)
QUICK = Scale(
    name="quick",
    datasets={"digits": {}},
    seeds=(0, 1),
    starts={"autoencoder": Method(AEKMeans, {"start": QUICK_NETWORK})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF, {"max_iter": 15}),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 120, "update_interval": 12}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 200, "update_interval": 20, "lr": 5e-3}, start="autoencoder"),
        "DCN": Method(DCN, {"epochs": 6}, start="autoencoder"),
        "DKM": Method(DKM, {"epochs": 6}, start="autoencoder"),
        "VaDE": Method(VaDE, {"epochs": 4}, start="autoencoder"),
        "GANMM": Method(GANMM, {"pretraining_rounds": 20, "rounds": 80, "lr": 1e-3}, "autoencoder", Purity()),
        "EDESC": Method(EDESC, {"start": replace(QUICK_NETWORK, latent_dim=50), "epochs": 6, "batch_size": 64}),
        "DCSS_u": Method(DCSS_u, QUICK_PHASE_1, start="autoencoder"),
        "DCSS": Method(
            DCSS,
            {"phase1_epochs": 0, "phase2_epochs": 15, "T2": 8, "batch_size": 256, "schedule_size": None},
            start="DCSS_u",
            watch=SelfSupervision(shown=200),
        ),
    },
    monitor_every=3,
)

# The autoencoder of DEC for all methods. DEC, IDEC, DCN and DKM make about 1,500 updates each. Both phases of DCSS are
# scaled to the size of the data, see `schedule_size`: 5 of the paper's 200 epochs of phase 1, 7 of its 20 of phase 2.
LAPTOP = Scale(
    name="laptop",
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
        "GANMM": Method(GANMM, {"rounds": 10_000}, "autoencoder", Purity()),
        "EDESC": Method(EDESC, {"epochs": 40}),
        "DCSS_u": Method(DCSS_u, {"phase1_epochs": 5, **AS_MNIST}, start="autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0, "phase2_epochs": 7, "T2": 2, **AS_MNIST}, start="DCSS_u"),
    },
    monitor_every=2,
)

PAPER = Scale(
    name="paper",
    datasets={"mnist": {}, "usps": {}, "fashion-mnist": {}, "2mnist": {}},
    seeds=(0, 1, 2, 3, 4),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(epochs=300)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "LSSC": Method(LSSC),
        "LPMF": Method(LPMF),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, start="autoencoder"),
        "IDEC": Method(IDEC, start="autoencoder"),
        "DCN": Method(DCN, start="autoencoder"),
        "DKM": Method(DKM, start="autoencoder"),
        "VaDE": Method(VaDE, start="autoencoder"),
        "GANMM": Method(GANMM, start="autoencoder", watch=Purity()),
        "EDESC": Method(EDESC),
        "DCSS_u": Method(DCSS_u, AS_MNIST, start="autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0, **AS_MNIST}, start="DCSS_u"),
    },
    monitor_every=1,
)


def from_convolutional(
    scale: Scale, recipe: Pretraining, phase1: Mapping[str, Any], phase2: Mapping[str, Any], watch: Watch | None = None
) -> Scale:
    """Table 1 with DCSS and AE + k-means from the convolutional autoencoder, as the paper has it; others as before.

    A batch of phase 1 makes one update on the sum of the K losses.
    """
    ours = {
        "AE+k-means": Method(AEKMeans, start=CONVOLUTIONAL),
        "DCSS_u": Method(DCSS_u, {**phase1, "one_update": True}, start=CONVOLUTIONAL),
        "DCSS": Method(DCSS, {"phase1_epochs": 0, **phase2}, start="DCSS_u", watch=watch),
    }
    starts = {**scale.starts, CONVOLUTIONAL: Method(AEKMeans, {"start": recipe})}
    return replace(scale, starts=starts, methods={**scale.methods, **ours})


def only(scale: Scale, *names: str) -> Scale:
    """Those methods of a scale."""
    return replace(
        scale, starts={**scale.starts, **scale.methods}, methods={name: scale.methods[name] for name in names}
    )


def from_within(scale: Scale) -> Scale:
    """DCSS of a scale, watched in its second phase, as Table 1 has it but at `paper`."""
    dcss = scale.methods["DCSS"]
    return replace(only(scale, "DCSS"), methods={"DCSS": replace(dcss, watch=dcss.watch or SelfSupervision())})


def mnet_on_top(scale: Scale) -> Scale:
    """Table 4: X and X + MNet for the autoencoder methods X, phase 2 as in the DCSS of that scale."""
    below = {name: scale.methods[name] for name in ("DEC", "IDEC", "DCN", "DKM")}
    on_top = {f"{name}+MNet": replace(scale.methods["DCSS"], start=name, watch=None) for name in below}
    return replace(scale, methods=below | on_top)


def with_aggregated(scale: Scale, phase1: Mapping[str, Any]) -> Scale:
    """Table 2: K updates in turn, and one on their sum for K times the epochs."""
    start = scale.methods["DCSS_u"].start
    both = {"DCSS_u": Method(DCSS_u, phase1, start), "DCSS_agg": Method(DCSS_agg, phase1, start)}
    return replace(only(scale, "AE+k-means"), methods={"AE+k-means": scale.methods["AE+k-means"], **both})


CONNECTED = {"quick": QUICK, "laptop": LAPTOP, "paper": PAPER}
# The lengths of the pretraining were chosen without labels, for their time; whether the loss has settled by then is not
# measured.
PRETRAININGS = {
    "laptop": Pretraining("convolutional", epochs=30, batch_size=128),
    "paper": Pretraining("convolutional", epochs=60, batch_size=128),
}
PHASE_1 = {"laptop": {"phase1_epochs": 6, **AS_MNIST}, "paper": AS_MNIST}
PHASE_2 = {"laptop": {"phase2_epochs": 7, "T2": 2, **AS_MNIST}, "paper": AS_MNIST}
TABLE1 = {
    "quick": QUICK,
    "laptop": from_convolutional(
        LAPTOP, PRETRAININGS["laptop"], PHASE_1["laptop"], PHASE_2["laptop"], SelfSupervision()
    ),
    "paper": from_convolutional(PAPER, PRETRAININGS["paper"], PHASE_1["paper"], PHASE_2["paper"]),
}
TABLE2 = {name: with_aggregated(scale, scale.methods["DCSS_u"].params) for name, scale in CONNECTED.items()}
TABLE4 = {name: mnet_on_top(scale) for name, scale in CONNECTED.items()}
TABLE4["quick"] = replace(TABLE4["quick"], seeds=(0,))
PHASE2 = {name: from_within(scale) for name, scale in TABLE1.items()}
PHASE2["laptop"] = replace(PHASE2["laptop"], datasets={"usps": {}})


def table1(scale: str, seeds: Seeds = None) -> list[Run]:
    """Table 1: all methods on all data sets.

    EDESC is scored after every epoch, so that its best one by labels can stand beside its last one. At `laptop` it has
    40 of its 100 epochs, and GANMM 10,000 of its 200,000 rounds.
    """
    return [replace(run, monitor_every=1) if run.method == "EDESC" else run for run in grid(TABLE1)(scale, seeds)]
