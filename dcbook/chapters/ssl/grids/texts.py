"""Texts: k-means in several kinds of vectors, cluster ids as the signal of a classifier, and networks on vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dcbook.chapters.ssl.watches import Signal, Unlabeled, Usage
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled
from dcbook.methods import DCSS, DEC, IDEC, AEKMeans, DCSS_u, KMeans, Pretraining
from dcbook.methods.dcss import PAPER_SIZE

SETS = ("stackoverflow", "searchsnippets", "biomedical")
# Kinds of vectors (`dcbook.data.vectors`): those whose clusters train a classifier, and those that are only clustered
STARTS = {"quick": ("svd-20", "words-20")}
STARTS["laptop"] = STARTS["paper"] = ("tfidf-2000", "svd-20", "words-100", "wordllama-256")
SPACES = {"quick": ("svd-10", "svd-50")}
SPACES["laptop"] = SPACES["paper"] = ("svd-10", "svd-50", "svd-100", "svd-200", "svd-300")


def k_means(watch: Unlabeled) -> dict[str, Method]:
    """The method that is run on each kind of vectors."""
    return {"k-means": Method(KMeans, {"n_init": 5}, watch=watch)}


TEXTS = {
    "quick": Scale({"questions": {}}, (0, 1, 2), k_means(Unlabeled()), name="quick"),
    "laptop": Scale({name: {} for name in SETS}, (0, 1, 2), k_means(Unlabeled()), name="laptop"),
    "paper": Scale({name: {} for name in SETS}, tuple(range(10)), k_means(Unlabeled()), name="paper"),
}
SIGNALS = {
    name: replace(scale, methods=k_means(Signal(few=0.1) if name == "quick" else Signal()))
    for name, scale in TEXTS.items()
}

# Self-Train (Hadifar et al., 2019): its network, its length of pretraining, and the SGD step of its DEC. Its code sets
# 100 to 1,500 updates, a number for each data set; here it is one number
RECIPE = Pretraining(widths=(500, 500, 2000), latent_dim=20, epochs=15, batch_size=64)
STEP = 0.1
INPUTS = {"quick": ("words-20/min-max",)}
INPUTS["laptop"] = INPUTS["paper"] = ("words-100/min-max", "tfidf-2000/min-max")

# DCSS as in its own chapter: at `laptop`, 6 of the paper's 200 epochs of phase 1, with one update a batch (one update
# for each of 20 clusters would take about ten minutes a run), and 4 of its 20 of phase 2, a quarter of them before T2,
# like the paper's. The numbers of epochs were chosen for their time, before any score was seen.
AS_MNIST = {"schedule_size": PAPER_SIZE}
PHASES = {
    "quick": (
        {"phase1_epochs": 4, "phase1_lr": 1e-4, "batch_size": 32},
        {"phase2_epochs": 15, "T2": 4, "batch_size": 64},
    ),
    "laptop": ({"phase1_epochs": 6, **AS_MNIST}, {"phase2_epochs": 4, "T2": 1, **AS_MNIST}),
    "paper": (AS_MNIST, AS_MNIST),
}


def from_autoencoder(
    scale: Scale, recipe: Pretraining, updates: int, every: int, phase1: Mapping[str, Any], phase2: Mapping[str, Any]
) -> Scale:
    """DEC, IDEC and both phases of DCSS from one autoencoder with its k-means."""
    start = Method(AEKMeans, {"start": recipe})
    schedule = {"max_updates": updates, "update_interval": every, "tol": 0.0, "batch_size": recipe.batch_size}
    methods = {
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, {**schedule, "lr": STEP}, start="autoencoder"),
        "IDEC": Method(IDEC, schedule, start="autoencoder"),
        "DCSS_u": Method(DCSS_u, {**phase1, "one_update": True}, start="autoencoder"),
        "DCSS": Method(DCSS, {"phase1_epochs": 0, **phase2}, start="DCSS_u", watch=Usage()),
    }
    return replace(scale, methods=methods, starts={"autoencoder": start})


NETWORKS = {
    "quick": from_autoencoder(
        replace(TEXTS["quick"], seeds=(0,)),
        Pretraining(widths=(64, 128), latent_dim=6, epochs=30, batch_size=32),
        40,
        10,
        *PHASES["quick"],
    ),
    "laptop": from_autoencoder(
        replace(TEXTS["laptop"], datasets={"stackoverflow": {"subset": 5000}}), RECIPE, 1000, 200, *PHASES["laptop"]
    ),
    "paper": from_autoencoder(TEXTS["paper"], RECIPE, 1500, 200, *PHASES["paper"]),
}


def spaces(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means in each kind of vectors that are only clustered."""
    return _in_each(SPACES[scale], runs(TEXTS[scale], seeds=seeds))


def signal(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means on each kind of vectors whose clusters train a classifier of words."""
    return _in_each(STARTS[scale], runs(SIGNALS[scale], seeds=seeds))


def vectors(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means in every kind of vectors: both of the above."""
    return signal(scale, seeds) + spaces(scale, seeds)


def networks(scale: str, seeds: Seeds = None) -> list[Run]:
    """Deep methods on vectors scaled to [0, 1]; at `laptop` on 5,000 texts of StackOverflow."""
    return _in_each(INPUTS[scale], runs(NETWORKS[scale], seeds=seeds))


def _in_each(kinds: Sequence[str], runs: Sequence[Run]) -> list[Run]:
    return [sampled(run, vectors=kind) for kind in kinds for run in runs]
