"""How much of a paper's protocol the runs of a claim had: its images, its network, its number of updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import dcbook.methods
from dcbook.experiments.records import Record

LENGTHS = ("epochs", "phase1_epochs", "phase2_epochs")
UPDATES = "max_updates"
ENOUGH = 0.25  # of the paper's images and of its updates: with less, a claim is not contradicted but undecided

# Images of each data set, and of the public one that it is a part of
IMAGES = {
    "usps": (9298, 9298),
    "mnist": (70_000, 70_000),
    "mnist-test": (10_000, 70_000),
    "fashion-mnist": (70_000, 70_000),
    "fashion-mnist-test": (10_000, 70_000),
    "2mnist": (140_000, 140_000),
    "cifar10": (60_000, 60_000),
    "stl10": (13_000, 13_000),
    "breastmnist": (780, 780),
    "pneumoniamnist": (5856, 5856),
    "bloodmnist": (17_092, 17_092),
    "vesselmnist3d": (1908, 1908),
}


@dataclass(frozen=True)
class Protocol:
    """Shares of a paper's protocol; None for one that cannot be stated, because the paper's side is not known.

    Attributes
    ----------
    images : float, optional
        Training images, as a share of those of the paper's data set: the least of the data sets; 0 for other data.
    network : bool, optional
        Whether the network is the paper's.
    updates : float, optional
        Updates of the methods' own phases, without pretraining, as a share of the paper's: the least of the runs.
    note : str
        What else a reader must know, in a few words.
    counted : str
        What `updates` counts, where a batch makes another number of updates than the paper's: "batches".
    """

    images: float | None
    network: bool | None
    updates: float | None
    note: str = ""
    counted: str = "updates"

    @property
    def enough(self) -> bool:
        """Whether a result against the paper counts as one; never where a share is not known."""
        known = None not in (self.images, self.network, self.updates)
        return known and self.network and min(self.images, self.updates) >= ENOUGH

    def __str__(self) -> str:
        return told(asdict(self))


def told(protocol: Mapping) -> str:
    """A `Protocol`, as a mapping, in words."""
    data = "other data" if protocol["images"] == 0 else f"{_share(protocol['images'])} of the images"
    network = {True: "the paper's network", False: "another network", None: "a network of our choice"}
    words = f"{data}, {network[protocol['network']]}, {_share(protocol['updates'])} of the {protocol['counted']}"
    return f"{words}; {protocol['note']}" if protocol["note"] else words


def _share(share: float | None) -> str:
    return "an unknown share" if share is None else percent(share)


def percent(share: float) -> str:
    """A share in [0, 1] in words: "14 %", "0.3 %"."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def images_of(record: Record) -> int:
    """Number of images that a run has: its subset, or else its data set, before any retention."""
    return record.run["sampling"].get("subset") or IMAGES[record.run["dataset"]][0]


def share_of_images(record: Record) -> float:
    """The same as a share of the public data set that its data is, or is a part of; 0 for other data."""
    return images_of(record) / IMAGES[record.run["dataset"]][1] if record.run["dataset"] in IMAGES else 0.0


def updates_of(run: Mapping, images: float) -> float:
    """The least share of its estimator's default lengths, which are its paper's, among a run and those it starts from.

    images : images it trains on, as a share of the paper's: an epoch of fewer images has fewer updates, unless
        DCSS's `schedule_size` makes up for it. Recipes of pretraining do not count. A phase of 0 epochs counts as
        none of it, except in a run that starts from another, which has trained that phase.

    Raises ValueError for an estimator that `dcbook.methods` lacks.
    """
    shares = []
    while run:
        cls = getattr(dcbook.methods, run["estimator"], None)
        if cls is None:
            raise ValueError(f"the protocol of {run['estimator']} is not known: dcbook.methods has no such estimator")
        usual = cls().get_params(deep=False)
        given = {**usual, **run["params"]}
        stretched = 1.0 if given.get("schedule_size") else images
        epochs = [stretched * given[n] / usual[n] for n in LENGTHS if usual.get(n) and (given[n] or not run["start"])]
        updates = [given[UPDATES] / usual[UPDATES]] if usual.get(UPDATES) else []
        shares += [min(1.0, share) for share in epochs + updates]
        run = run["start"]
    return min(shares, default=1.0)
