"""Scale: k-means by Lloyd's algorithm and in mini-batches, on many images and on sparse texts."""

from dataclasses import replace

from dcbook.chapters.ssl.watches.usage import UsageAndPurity
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled, vary
from dcbook.methods import MiniBatchKMeans

LLOYD = "Lloyd"
BATCHES = (256, 4096)  # samples of an update
CLUSTERS = {"quick": (10, 50), "laptop": (10, 100, 1000), "paper": (10, 100, 1000, 10_000)}
PASSES = 20  # largest number, that of k-means in DeepCluster's released code


def in_batches(size: int) -> str:
    """The name of k-means with batches of that size."""
    return f"mini-batch {size:,}"


def both(scale: Scale, pca_dim: int | None) -> Scale:
    """Lloyd's algorithm and mini-batches, each from one start of k-means++."""
    settings = {"passes": PASSES, "pca_dim": pca_dim}
    sizes = {LLOYD: None} | {in_batches(size): size for size in BATCHES}
    watch = UsageAndPurity()
    methods = {n: Method(MiniBatchKMeans, {**settings, "batch_size": size}, watch=watch) for n, size in sizes.items()}
    return replace(scale, methods=methods)


IN_BATCHES = {
    "quick": both(Scale({"digits": {}}, (0, 1, 2), name="quick"), 30),
    "laptop": both(Scale({"mnist": {}}, (0, 1, 2), name="laptop"), 50),
    "paper": both(Scale({"mnist": {}}, tuple(range(10)), name="paper"), 50),
}
TEXTS = {
    "quick": both(Scale({"questions": {}}, (0, 1, 2), name="quick"), None),
    "laptop": both(Scale({"stackoverflow": {}}, (0, 1, 2), name="laptop"), None),
    "paper": both(Scale({"stackoverflow": {}}, tuple(range(10)), name="paper"), None),
}
WORDS = {"quick": "tfidf-200", "laptop": "tfidf-2000", "paper": "tfidf-2000"}


def speed(scale: str, seeds: Seeds = None) -> list[Run]:
    """Images by principal components, texts by TF-IDF; each number of clusters."""
    texts = [sampled(run, vectors=WORDS[scale]) for run in runs(TEXTS[scale], seeds=seeds)]
    return vary(runs(IN_BATCHES[scale], seeds=seeds) + texts, n_clusters=CLUSTERS[scale])
