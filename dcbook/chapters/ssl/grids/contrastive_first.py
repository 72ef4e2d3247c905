"""Contrastive first: SCAN's steps on neighbors from pixels, from an autoencoder's codes and from SimCLR."""

from dataclasses import dataclass

from dcbook.chapters.ssl.watches.purity import Purity
from dcbook.experiments.runs import Method, Scale, grid
from dcbook.methods import DEC, SCAN, AEKMeans, KMeans, PixelNeighbors, Pretraining, SimCLRPretext
from dcbook.training.views import Strong

PIXELS, AE, SIMCLR = "pixels", "AE codes", "SimCLR codes"
SPACES = (PIXELS, AE, SIMCLR)


def kmeans_on(space: str) -> str:
    """The name of k-means in a space."""
    return f"k-means, {space}"


def scan_on(space: str, selflabel: bool = True) -> str:
    """The name of SCAN with neighbors from a space; without its last step, the clustering step alone."""
    return f"SCAN, {space}" if selflabel else f"SCAN's clustering step, {space}"


@dataclass(frozen=True)
class Length:
    """Networks and numbers of epochs of a scale; `updates` and `every` are DEC's, `lr` SCAN's on the whole network."""

    network: dict
    batch_size: int
    autoencoder: Pretraining
    pretext: dict
    head_lr: float
    frozen: int
    clustering: int
    selflabel: int
    updates: int
    every: int
    lr: float


SMALL = {"architecture": "resnet-9", "width": 8}
LENGTHS = {
    "quick": Length(
        {**SMALL, "projection_dim": 32},
        64,
        Pretraining(widths=(64, 128), epochs=12, batch_size=64, lr=3e-3),
        {"epochs": 12, "lr": 0.2, "temperature": 0.5},
        head_lr=1e-2,
        frozen=20,
        clustering=3,
        selflabel=2,
        updates=60,
        every=10,
        lr=1e-3,
    ),
    "laptop": Length(
        {**SMALL, "projection_dim": 64},
        128,
        Pretraining(epochs=30),
        {"epochs": 25, "lr": 0.2, "temperature": 0.5},
        head_lr=1e-3,
        frozen=20,
        clustering=8,
        selflabel=5,
        updates=400,
        every=40,
        lr=1e-3,
    ),
    "paper": Length(
        {"architecture": "resnet-18"},
        512,
        Pretraining(),
        {},
        head_lr=1e-3,
        frozen=0,
        clustering=50,
        selflabel=200,
        updates=20_000,
        every=140,
        lr=1e-4,
    ),
}


def contrastive(scale: str, datasets: dict, seeds: tuple[int, ...], crop: float, flip: bool) -> Scale:
    """Three spaces, each clustered by k-means and by SCAN, and DEC."""
    how, strong, watch = LENGTHS[scale], Strong(flip=flip), Purity()
    batch = {"batch_size": how.batch_size}
    views = {"crop": crop, "flip": flip, "grayscale": 0.0, "fixed_view": strong}
    pretext = {**how.network, **batch, **views, **how.pretext}
    steps = {"view": strong, "heads": 10, "head_lr": how.head_lr, "lr": how.lr, "frozen_epochs": how.frozen, **batch}
    steps |= {"epochs": how.clustering, "selflabel_epochs": how.selflabel}
    schedule = {"max_updates": how.updates, "update_interval": how.every, "tol": 0.0, **batch}
    starts = {PIXELS: Method(PixelNeighbors, {**pretext, "epochs": 0})}
    methods = {
        kmeans_on(PIXELS): Method(KMeans, {"unit_length": True}, watch=watch),
        kmeans_on(AE): Method(AEKMeans, {"start": how.autoencoder}, watch=watch),
        kmeans_on(SIMCLR): Method(SimCLRPretext, pretext, watch=watch),
        "DEC": Method(DEC, schedule, start=kmeans_on(AE)),
    }
    untrained = {**steps, "frozen_epochs": 0}  # there is nothing to learn from frozen codes of an untrained network
    methods |= {
        scan_on(PIXELS): Method(SCAN, untrained, start=PIXELS),
        scan_on(AE): Method(SCAN, steps, start=kmeans_on(AE)),
        scan_on(SIMCLR): Method(SCAN, steps, start=kmeans_on(SIMCLR)),
    }
    methods[scan_on(SIMCLR, selflabel=False)] = Method(SCAN, {**steps, "selflabel_epochs": 0}, start=kmeans_on(SIMCLR))
    return Scale(datasets, seeds, methods, starts, monitor_every=0, name=scale)


FIRST = {
    "quick": contrastive("quick", {"digits": {"subset": 600}}, (0,), 0.5, flip=False),
    "laptop": contrastive("laptop", {"fashion-mnist-test": {"subset": 5000}}, (0, 1, 2), 0.3, flip=True),
    "paper": contrastive("paper", {"fashion-mnist": {}, "cifar10": {}}, (0, 1, 2, 3, 4), 0.2, flip=True),
}
contrastive_first = grid(FIRST)
