"""Inside DeepCluster: k-means by Lloyd's algorithm or in mini-batches, after each pass or after each fourth pass."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.ssl.grids.probes import PAPER, QUICK, SMALL, UNTRAINED, VIEWS, Length, deepcluster, untrained
from dcbook.chapters.ssl.grids.scale import LLOYD, in_batches
from dcbook.chapters.ssl.watches.inside import TargetsAndProbes
from dcbook.experiments.runs import Method, Scale, grid
from dcbook.methods import DeepCluster

BATCH = 256  # codes
EACH, FOURTH = "each pass", "each 4th pass"
ALGORITHMS = {LLOYD: None, in_batches(BATCH): BATCH}
FREQUENCIES = {EACH: 1, FOURTH: 4}  # passes over the images between two clusterings


def variant(algorithm: str, frequency: str) -> str:
    """The name of a variant of DeepCluster: "Lloyd, each pass"."""
    return f"{algorithm}, {frequency}"


def inside(scale: str, dataset: str, length: Length, sampling: Mapping[str, Any]) -> Scale:
    """The untrained network and four variants from its weights; k-means starts from random images, as released."""
    views = next(each for each in VIEWS[scale] if dataset in each.datasets)
    watch = TargetsAndProbes(length.per_class)
    methods = {UNTRAINED: untrained(length)}
    for frequency, reassign in FREQUENCIES.items():
        settings = deepcluster(replace(views, length=replace(length, reassign=reassign))) | {"warm_start": False}
        for algorithm, batch in ALGORITHMS.items():
            name = variant(algorithm, frequency)
            methods[name] = Method(DeepCluster, settings | {"kmeans_batch": batch}, watch=watch)
    return Scale({dataset: sampling}, length.seeds, methods, monitor_every=1, name=scale)


# The released code has 10,000 clusters for 1.28 million images, 128 images a cluster; that gives about 500 for the
# images of CIFAR-10. At `laptop` there are 10 images a cluster, where k-means is heavier than in the released code.
INSIDE = {
    "quick": inside("quick", "digits", QUICK, {"subset": 600}),
    "laptop": inside(
        "laptop",
        "fashion-mnist-test",
        replace(SMALL, clusters=500, per_class=(10, 100)),
        {"subset": 5000},
    ),
    "paper": inside("paper", "cifar10", replace(PAPER, clusters=500), {}),
}
inside_deepcluster = grid(INSIDE)
