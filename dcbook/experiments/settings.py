"""The settings of every scale, in one place: plain data, no logic.

`quick` is for reading and for CI (seconds), `laptop` for real benchmark sets on two CPU cores (an hour or
two), `paper` for the paper's data and schedule on a GPU. Methods have the names of DCSS Table 1.
"""

from dcbook.experiments.runs import Method, Scale
from dcbook.methods import DCSS, DEC, IDEC, AEKMeans, DCSS_agg, DCSS_u, KMeans, Pretraining

# Large batches, so that it takes seconds; the step is the paper's times 70,000 / 1,797.
QUICK_PHASE_1 = {"phase1_epochs": 10, "phase1_lr": 3.9e-5, "batch_size": 256, "schedule_size": None}
QUICK = Scale(
    datasets={"digits": {}},
    seeds=(0, 1, 2),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(200, 200, 800), epochs=60, batch_size=128)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 700, "update_interval": 35}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 700, "update_interval": 35}, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, QUICK_PHASE_1, start="autoencoder"),
        "DCSS_agg": Method(DCSS_agg, QUICK_PHASE_1, start="autoencoder"),
        "DCSS": Method(
            DCSS,
            {"phase1_epochs": 0, "phase2_epochs": 60, "T2": 15, "batch_size": 256, "schedule_size": None},
            start="DCSS_u",
        ),
    },
    monitor_every=1,
)

# About 20 minutes of one core for each data set and seed. Both phases of DCSS are scaled to the size of the data, see
# `schedule_size`: 5 of the paper's 200 epochs of phase 1, 7 of 20 of phase 2 (7,000 and 980 updates).
LAPTOP = Scale(
    datasets={"usps": {}, "mnist-test": {}, "fashion-mnist-test": {}},
    seeds=(0, 1, 2),
    starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(epochs=50)})},
    methods={
        "k-means": Method(KMeans, {"n_init": 20}),
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {"max_updates": 1500}, start="autoencoder"),
        "IDEC": Method(IDEC, {"max_updates": 1500}, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, {"phase1_epochs": 5}, start="autoencoder"),
        "DCSS_agg": Method(DCSS_agg, {"phase1_epochs": 5}, start="autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0, "phase2_epochs": 7, "T2": 2}, start="DCSS_u"),
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
        "AE+k-means": Method(AEKMeans, start="convolutional autoencoder"),
        "DEC": Method(DEC, start="autoencoder"),
        "IDEC": Method(IDEC, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, start="convolutional autoencoder"),
        "DCSS_agg": Method(DCSS_agg, start="convolutional autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0}, start="DCSS_u"),
    },
    monitor_every=1,
)

SCALES = {"quick": QUICK, "laptop": LAPTOP, "paper": PAPER}
