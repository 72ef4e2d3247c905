"""Scale: k-means by Lloyd's algorithm and in mini-batches, on many images and on sparse texts."""

from dataclasses import replace
from typing import Any

from dcbook.chapters.ssl.watches.usage import UsageAndPurity
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled, vary
from dcbook.methods import MiniBatchKMeans

LLOYD = "Lloyd"
BATCHES = (256, 4096)  # samples of an update
CLUSTERS = {"quick": (10, 50), "laptop": (10, 100, 1000), "paper": (10, 100, 1000, 10_000)}
PASSES = 20  # largest number, that of k-means in DeepCluster's released code


def in_batches(size: int, kept: bool = False) -> str:
    """The name of k-means with batches of that size; `kept`: small clusters keep their centers."""
    return f"mini-batch {size:,}" + ", centers kept" * kept


def compared(scale: Scale, pca_dim: int | None, kept: bool = False) -> Scale:
    """Lloyd's algorithm and mini-batches, each from one start of k-means++; `kept`: both kinds of mini-batches."""
    params: dict[str, dict[str, Any]] = {LLOYD: {"batch_size": None}}
    params |= {in_batches(size): {"batch_size": size} for size in BATCHES}
    if kept:
        params |= {in_batches(size, True): {"batch_size": size, "reassignment_ratio": 0.0} for size in BATCHES}
    common, watch = {"passes": PASSES, "pca_dim": pca_dim}, UsageAndPurity()
    methods = {name: Method(MiniBatchKMeans, common | each, watch=watch) for name, each in params.items()}
    return replace(scale, methods=methods)


IN_BATCHES = {
    "quick": compared(Scale({"digits": {}}, (0, 1, 2), name="quick"), 30),
    "laptop": compared(Scale({"mnist": {}}, (0, 1, 2, 3, 4), name="laptop"), 50),
    "paper": compared(Scale({"mnist": {}}, tuple(range(10)), name="paper"), 50),
}
TEXTS = {
    "quick": compared(Scale({"questions": {}}, (0, 1, 2), name="quick"), None, kept=True),
    "laptop": compared(Scale({"stackoverflow": {}}, (0, 1, 2, 3, 4), name="laptop"), None, kept=True),
    "paper": compared(Scale({"stackoverflow": {}}, tuple(range(10)), name="paper"), None, kept=True),
}
WORDS = {"quick": "tfidf-200", "laptop": "tfidf-2000", "paper": "tfidf-2000"}


def speed(scale: str, seeds: Seeds = None) -> list[Run]:
    """Images by principal components, texts by TF-IDF; each number of clusters."""
    texts = [sampled(run, vectors=WORDS[scale]) for run in runs(TEXTS[scale], seeds=seeds)]
    return vary(runs(IN_BATCHES[scale], seeds=seeds) + texts, n_clusters=CLUSTERS[scale])
