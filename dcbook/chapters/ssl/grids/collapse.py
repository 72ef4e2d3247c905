"""Collapse: methods with and without their safeguards against it."""

from dataclasses import replace

from dcbook.chapters.ssl.watches.usage import Usage
from dcbook.experiments.image_learners import FEW, GRAY
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DCN, AEKMeans, DeepCluster, NeighborConsistency, Pretraining, SwAV

WEIGHTS = (0.0, 0.2, 1.0, 2.0, 5.0)
NEIGHBORS = "neighbor consistency"


def weighted(w: float) -> str:
    """The name of neighbor consistency at this weight of the entropy."""
    return f"{NEIGHBORS}, entropy weight {w:g}"


def on_vectors(scale: Scale, recipe: Pretraining, dcn_epochs: int, **perceptron) -> Scale:
    """Neighbor consistency at each weight of the entropy, and DCN from a trained autoencoder and from random weights.

    `recipe` trains the autoencoder, DCN goes on for `dcn_epochs`; `perceptron`: settings of neighbor consistency.
    """
    untrained = replace(recipe, epochs=0)
    methods = {weighted(w): Method(NeighborConsistency, {**perceptron, "entropy": w}) for w in WEIGHTS}
    methods |= {
        "AE+k-means": Method(AEKMeans, start="autoencoder"),
        "DCN, pretrained": Method(DCN, {"epochs": dcn_epochs}, start="autoencoder"),
        "DCN, random weights": Method(DCN, {"epochs": dcn_epochs, "start": untrained}),
    }
    return _watched(replace(scale, methods=methods, starts={"autoencoder": Method(AEKMeans, {"start": recipe})}))


def on_images(scale: Scale, shared: dict, swav: dict, deepcluster: dict) -> Scale:
    """SwAV with Sinkhorn and without, DeepCluster with its two safeguards, with one, and with none.

    Without Sinkhorn, the code of an image is the softmax of its scores / eps.
    """
    swav, deepcluster = {**swav, **shared}, {**deepcluster, **shared}
    methods = {
        "SwAV, Sinkhorn": Method(SwAV, swav),
        "SwAV, no Sinkhorn": Method(SwAV, {**swav, "sinkhorn_iterations": 0}),
        "DeepCluster, both safeguards": Method(DeepCluster, deepcluster),
        "DeepCluster, empty clusters left": Method(DeepCluster, {**deepcluster, "repair": False}),
        "DeepCluster, none": Method(DeepCluster, {**deepcluster, "repair": False, "sampling": "images"}),
    }
    return _watched(replace(scale, methods=methods))


def _watched(scale: Scale) -> Scale:
    return replace(scale, methods={name: replace(method, watch=Usage()) for name, method in scale.methods.items()})


QUICK = Scale({"digits": {"subset": 600}}, (0,), monitor_every=0, name="quick")
# Where every run ends in one cluster nothing scatters, and three runs do not tell a rule from chance; eight do.
LAPTOP = Scale({"usps": {}}, tuple(range(8)), monitor_every=0, name="laptop")
PAPER = Scale({"mnist": {}, "usps": {}}, tuple(range(5)), monitor_every=0, name="paper")
VECTORS = {
    "quick": on_vectors(QUICK, Pretraining(widths=(64,), epochs=10, batch_size=64), 5, epochs=5, batch_size=64),
    "laptop": on_vectors(LAPTOP, Pretraining(widths=(256, 512), epochs=20), 20),
    "paper": on_vectors(PAPER, Pretraining(), 50, epochs=50),
}
# One network and one kind of views for both methods
NETWORK = {"architecture": "alexnet-small", "width": 0.33, "crop": 0.5, "flip": False, "jitter": 0.4, "grayscale": 0.0}
SWAV = {"projection_dim": FEW["projection_dim"], "lr": FEW["lr"], "eps": 0.02}
DEEPCLUSTER = {name: value for name, value in GRAY.items() if name not in ("width", "crop", "batch_size")}
IMAGES = {
    "quick": on_images(
        QUICK,
        {**NETWORK, "width": 0.25, "batch_size": 50},
        {**SWAV, "prototypes": 40, "epochs": 5, "frozen_updates": 12},
        {**DEEPCLUSTER, "hidden": 64, "pca_dim": 24, "n_clusters": 40, "reassign": 1, "epochs": 5},
    ),
    "laptop": on_images(
        replace(LAPTOP, datasets={"usps": {"subset": 2000}}),
        {**NETWORK, "batch_size": 64},
        {**SWAV, "prototypes": 100, "epochs": 10, "frozen_updates": 32},
        {**DEEPCLUSTER, "n_clusters": 100, "epochs": 10, "reassign": 2},
    ),
    "paper": on_images(
        PAPER,
        {**NETWORK, "width": 1.0, "batch_size": 256},
        {**SWAV, "prototypes": 300, "epochs": 100, "frozen_updates": 274},
        {**DEEPCLUSTER, "hidden": 1024, "pca_dim": 256, "n_clusters": 300, "epochs": 40},
    ),
}


def collapse(scale: str, seeds: Seeds = None) -> list[Run]:
    """Each method with and without its safeguard."""
    return runs(VECTORS[scale], seeds=seeds) + runs(IMAGES[scale], seeds=seeds)


def weights(scale: str, seeds: Seeds = None) -> list[Run]:
    """Neighbor consistency at each weight of the entropy: a part of `collapse`."""
    return runs(VECTORS[scale], [weighted(w) for w in WEIGHTS], seeds=seeds)
