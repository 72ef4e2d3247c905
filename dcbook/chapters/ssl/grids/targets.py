"""Passing targets: DeepCluster, DeepCluster-v2 and SwAV on the same images, network, kind of views and passes."""

from dcbook.chapters.ssl.watches.targets import Targets
from dcbook.experiments.runs import Method, Scale, grid
from dcbook.methods import DeepCluster, DeepClusterV2, SwAV


def passing(name: str, datasets: dict, seeds: tuple[int, ...], shared: dict, prototypes: int, later: dict) -> Scale:
    """The three methods with equally many clusters; a pass over the images is an epoch for each.

    DeepCluster starts k-means from random images in each epoch, as released. `shared`: network, views, batches and
    epochs; `later`: settings of the two later methods. SwAV's prototypes rest for the full batches of the first
    epoch.
    """
    images = next(iter(datasets.values())).get("subset", 60_000)
    watch = Targets()
    deepcluster = {"n_clusters": prototypes, "sobel": False, "dropout": 0.0, "warm_start": False}
    deepcluster |= {"pca_dim": 64 if name != "paper" else 256}
    swav = {"eps": 0.02, "frozen_updates": images // shared["batch_size"]}
    methods = {
        "DeepCluster": Method(DeepCluster, {**deepcluster, **shared}, watch=watch),
        "DeepCluster-v2": Method(DeepClusterV2, {"prototypes": prototypes, **later, **shared}, watch=watch),
        "SwAV": Method(SwAV, {"prototypes": prototypes, **later, **swav, **shared}, watch=watch),
    }
    return Scale(datasets, seeds, methods, monitor_every=1, name=name)


NETWORK = {"architecture": "alexnet-small"}
DIGITS = {"crop": 0.5, "flip": False, "jitter": 0.4, "grayscale": 0.0}
TARGETS = {
    "quick": passing(
        "quick",
        {"digits": {"subset": 600}},
        (0,),
        {**NETWORK, **DIGITS, "width": 0.25, "batch_size": 50, "epochs": 5},
        30,
        {"projection_dim": 32, "lr": 0.1},
    ),
    "laptop": passing(
        "laptop",
        {"usps": {"subset": 2000}},
        (0, 1, 2),
        {**NETWORK, **DIGITS, "width": 0.33, "batch_size": 64, "epochs": 15},
        100,
        {"projection_dim": 32, "lr": 0.1},
    ),
    "paper": passing(
        "paper",
        {"cifar10": {}},
        (0, 1, 2, 3, 4),
        {**NETWORK, "crop": 0.2, "flip": True, "jitter": 0.5, "grayscale": 0.2}
        | {"width": 4.0, "batch_size": 256, "epochs": 200},
        300,
        {},
    ),
}
targets = grid(TARGETS)
