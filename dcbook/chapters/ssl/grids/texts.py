"""Texts: k-means in several kinds of vectors, cluster ids as the signal of a classifier, and networks on vectors."""

from dataclasses import replace

from dcbook.chapters.ssl.watches import Signal
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled
from dcbook.methods import DEC, IDEC, AEKMeans, KMeans, Pretraining

SETS = ("stackoverflow", "searchsnippets", "biomedical")
# Kinds of vectors (`dcbook.data.vectors`) whose clusters become a signal, and those that are only clustered
STARTS = {"quick": ("svd-20", "words-20"), "laptop": ("svd-20", "words-100", "wordllama-256")}
SPACES = {"quick": ("tfidf-200", "svd-10", "svd-50"), "laptop": ("tfidf-2000", "svd-50", "svd-100", "svd-300")}
K_MEANS = {"n_init": 5}

TEXTS = {
    "quick": Scale({"questions": {}}, (0, 1, 2), {"k-means": Method(KMeans, K_MEANS)}, name="quick"),
    "laptop": Scale({name: {} for name in SETS}, tuple(range(5)), {"k-means": Method(KMeans, K_MEANS)}, name="laptop"),
}
TEXTS["paper"] = replace(TEXTS["laptop"], seeds=tuple(range(10)), name="paper")
SIGNAL = {
    name: replace(
        scale, methods={"k-means": Method(KMeans, K_MEANS, watch=Signal(few=0.1) if name == "quick" else Signal())}
    )
    for name, scale in TEXTS.items()
}

# Self-Train (Hadifar et al., 2019) and its relatives: an autoencoder on text vectors, then a clustering loss
RECIPE = Pretraining(widths=(500, 500, 2000), latent_dim=20, epochs=15, batch_size=64)
INPUTS = {"quick": ("words-20/min-max",), "laptop": ("words-100/min-max", "tfidf-2000/min-max")}


def from_autoencoder(scale: Scale, recipe: Pretraining, updates: int, every: int) -> Scale:
    """DEC, IDEC and DCSS's first phase from one autoencoder with its k-means."""
    start = Method(AEKMeans, {"start": recipe})
    shared = {"max_updates": updates, "update_interval": every, "tol": 0.0}
    methods = {
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DEC": Method(DEC, shared, start="autoencoder"),
        "IDEC": Method(IDEC, shared, start="autoencoder"),
    }
    return replace(scale, methods=methods, starts={"autoencoder": start}, monitor_every=0)


NETWORKS = {
    "quick": from_autoencoder(
        replace(TEXTS["quick"], seeds=(0,)),
        Pretraining(widths=(64, 128), latent_dim=6, epochs=40, batch_size=32),
        40,
        10,
    ),
    "laptop": from_autoencoder(replace(TEXTS["laptop"], seeds=(0, 1, 2)), RECIPE, 1000, 200),
    "paper": from_autoencoder(TEXTS["paper"], RECIPE, 1000, 200),
}


def spaces(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means in each kind of vectors that are only clustered."""
    return _each(TEXTS, SPACES, scale, seeds)


def signal(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means in each kind of vectors whose clusters become the signal of a classifier of words."""
    return _each(SIGNAL, STARTS, scale, seeds)


def networks(scale: str, seeds: Seeds = None) -> list[Run]:
    """Deep methods on vectors brought to [0, 1]."""
    return _each(NETWORKS, INPUTS, scale, seeds)


def _each(scales: dict[str, Scale], kinds: dict[str, tuple[str, ...]], scale: str, seeds: Seeds) -> list[Run]:
    """The runs of a scale on each kind of vectors."""
    grid = runs(scales[scale], seeds=seeds)
    return [sampled(run, vectors=kind) for kind in kinds.get(scale, kinds["laptop"]) for run in grid]
