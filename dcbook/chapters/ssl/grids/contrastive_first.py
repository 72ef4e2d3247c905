"""Contrastive first: SCAN's steps on neighbors from pixels, from an autoencoder's codes and from SimCLR."""

from dataclasses import dataclass

from dcbook.chapters.ssl.watches.purity import Purity
from dcbook.experiments import image_learners
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
    """Settings of the pretext, of SCAN, of the autoencoder and of DEC at a scale. DEC's batches are the pretext's."""

    pretext: dict
    scan: dict
    autoencoder: Pretraining
    dec: dict


LENGTHS = {
    "quick": Length(
        image_learners.PRETEXT["quick"],
        image_learners.SCAN["quick"],
        Pretraining(widths=(64, 128), epochs=12, batch_size=64, lr=3e-3),
        {"max_updates": 60, "update_interval": 10},
    ),
    "laptop": Length(
        image_learners.PRETEXT["laptop"],
        image_learners.SCAN["laptop"],
        Pretraining(epochs=30),
        {"max_updates": 400, "update_interval": 40},
    ),
    "paper": Length(
        {"architecture": "resnet-18", "batch_size": 512},
        {"batch_size": 512, "heads": 10, "head_lr": 1e-3, "lr": 1e-4, "frozen_epochs": 0}
        | {"epochs": 50, "selflabel_epochs": 200},
        Pretraining(),
        {"max_updates": 20_000, "update_interval": 140},
    ),
}


def contrastive(scale: str, datasets: dict, seeds: tuple[int, ...], crop: float, flip: bool) -> Scale:
    """Three spaces, each clustered by k-means and by SCAN, and DEC."""
    how, strong, watch = LENGTHS[scale], Strong(flip=flip), Purity()
    pretext = {**how.pretext, "crop": crop, "flip": flip, "grayscale": 0.0, "fixed_view": strong}
    steps = {**how.scan, "view": strong}
    schedule = {**how.dec, "tol": 0.0, "batch_size": how.pretext["batch_size"]}
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
