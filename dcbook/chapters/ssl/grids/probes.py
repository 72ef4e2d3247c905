"""Probes: methods of all kinds on one trunk, from the same weights, and the linear probes of what they learned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcbook.chapters.ssl.watches.probes import FewLabels
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DEC, IDEC, AEKMeans, DeepCluster, SimCLR, TrunkPretraining

UNTRAINED, AE = "untrained", "AE"


@dataclass(frozen=True)
class Length:
    """Trunk, schedule and probes of some data sets. All methods see the images in `passes` passes, an update a batch.

    `images` is their number, from which the updates of DEC and IDEC follow; `reassign` that of the passes between two
    clusterings of DeepCluster, with `clusters` clusters.
    """

    width: float
    batch_size: int
    passes: int
    images: int
    reassign: int
    clusters: int
    pca_dim: int
    projection_dim: int
    per_class: tuple[int, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Views:
    """Data sets whose images may be changed in the same way; `crop` is the least share of the area that is kept."""

    datasets: Mapping[str, Mapping[str, Any]]
    length: Length
    crop: float
    flip: bool
    jitter: float = 0.4
    grayscale: float = 0.0

    @property
    def settings(self) -> dict[str, Any]:
        """Strengths of the views, as parameters of a method."""
        return {"crop": self.crop, "flip": self.flip, "jitter": self.jitter, "grayscale": self.grayscale}


# Four times the images in a quarter of the passes make as many updates, 376, and have 1,000 labels a class.
# DeepCluster clusters twice in both.
SMALL = Length(0.33, 64, 8, 3000, 4, 100, 64, 32, (10, 100, 200), (0, 1, 2))
LARGER = replace(SMALL, passes=2, images=12_000, reassign=1, per_class=(10, 100, 1000))
QUICK = Length(0.25, 50, 4, 600, 2, 30, 32, 32, (5, 20), (0,))
PAPER = Length(4.0, 256, 200, 70_000, 1, 300, 256, 128, (10, 100, 1000), (0, 1, 2, 3, 4))
VIEWS = {
    "quick": (Views({"digits": {"subset": 600}}, QUICK, 0.5, flip=False),),
    "laptop": (
        Views({"usps": {"subset": 3000}}, SMALL, 0.5, flip=False),
        Views({"fashion-mnist-test": {"subset": 3000}}, SMALL, 0.3, flip=True),
        Views({"mnist": {"subset": 12_000}}, LARGER, 0.5, flip=False),
        Views({"cifar10": {"subset": 12_000}}, LARGER, 0.2, flip=True, grayscale=0.2),
    ),
    "paper": (
        Views({"mnist": {}}, PAPER, 0.5, flip=False),
        Views({"fashion-mnist": {}}, PAPER, 0.3, flip=True),
        Views({"cifar10": {}}, replace(PAPER, images=60_000), 0.2, flip=True, grayscale=0.2),
    ),
}


def deepcluster(views: Views) -> dict[str, Any]:
    """Parameters of DeepCluster on the trunk."""
    length = views.length
    network = {"architecture": "alexnet-small", "width": length.width, "sobel": False, "dropout": 0.0}
    clusters = {"n_clusters": length.clusters, "pca_dim": length.pca_dim, "reassign": length.reassign}
    schedule = {"epochs": length.passes // length.reassign, "batch_size": length.batch_size}
    return network | clusters | schedule | views.settings


def untrained(length: Length, supervised: int = 0) -> Method:
    """The trunk as it begins; `supervised` as in `FewLabels`."""
    recipe = TrunkPretraining(width=length.width, epochs=0, batch_size=length.batch_size)
    return Method(AEKMeans, {"start": recipe}, watch=FewLabels(length.per_class, supervised))


def on_one_trunk(scale: str, views: Views) -> Scale:
    """Every method, with a probe of its trunk; the untrained run also trains a copy of the trunk with labels."""
    length = views.length
    batch = {"batch_size": length.batch_size}
    recipe = TrunkPretraining(width=length.width, epochs=length.passes, batch_size=length.batch_size)
    updates = -(-length.images // length.batch_size)
    schedule = {"max_updates": length.passes * updates, "update_interval": updates, "tol": 0.0, **batch}
    network = {"architecture": "alexnet-small", "width": length.width}
    simclr = {"projection_dim": length.projection_dim, "epochs": length.passes, "lr": 0.4, "temperature": 0.5}
    probe = FewLabels(length.per_class)
    methods = {
        UNTRAINED: untrained(length, 2 * length.passes),
        AE: Method(AEKMeans, start="autoencoder", watch=probe),
        "DEC": Method(DEC, schedule, start="autoencoder", watch=probe),
        "IDEC": Method(IDEC, schedule, start="autoencoder", watch=probe),
        "DeepCluster": Method(DeepCluster, deepcluster(views), watch=probe),
        "SimCLR": Method(SimCLR, {**network, **simclr, **views.settings, **batch}, watch=probe),
    }
    starts = {"autoencoder": Method(AEKMeans, {"start": recipe})}
    return Scale(views.datasets, length.seeds, methods, starts, monitor_every=0, name=scale)


SCALES = {name: tuple(on_one_trunk(name, each) for each in views) for name, views in VIEWS.items()}
PROBES = {
    name: replace(scales[0], datasets={key: how for each in scales for key, how in each.datasets.items()})
    for name, scales in SCALES.items()
}  # for the names of data sets, methods and seeds; `probes` gives each data set its own views


def probes(scale: str, seeds: Seeds = None) -> list[Run]:
    """Every method on every data set, with the views that suit its images."""
    return [run for each in SCALES[scale] for run in runs(each, seeds=seeds)]


def probes_on(dataset: str, seed: int) -> list[Run]:
    """Those of one data set and seed at `laptop`."""
    return [run for run in probes("laptop", [seed]) if run.dataset == dataset]
