"""The share of the papers' protocols that the records of a claim have."""

from collections.abc import Mapping, Sequence

import dcbook.methods
from dcbook.book.protocol import Protocol, share_of_images, updates_of
from dcbook.experiments import Record

WITHOUT_NETWORK = ("KMeans",)


def protocol(records: Sequence[Record]) -> Protocol:
    """The smallest share among the runs that train a network; defaults are those of the released code."""
    trained = [record for record in records if record.run["estimator"] not in WITHOUT_NETWORK]
    images = {record.run["dataset"]: share_of_images(record) for record in trained}
    return Protocol(
        images=min(images.values(), default=0.0),
        network=all(_released_network(record.run) for record in trained),
        updates=min((_updates(record.run, images[record.run["dataset"]]) for record in trained), default=0.0),
        note="shares of the released code's schedules",
    )


def _released_network(run: Mapping) -> bool:
    """Whether trunk and width of a run, and of the runs it starts from, are the estimators' defaults."""
    while run:
        usual = _defaults(run)
        if any(run["params"].get(name, usual.get(name)) != usual.get(name) for name in ("architecture", "width")):
            return False
        run = run["start"]
    return True


def _updates(run: Mapping, images: float) -> float:
    """As `updates_of`, and for DAC and DCCM also the passes over each block."""
    share, usual = updates_of(run, images), _defaults(run)
    return (
        share * min(1.0, run["params"].get("passes", usual["passes"]) / usual["passes"]) if "passes" in usual else share
    )


def _defaults(run: Mapping) -> Mapping:
    estimator = getattr(dcbook.methods, run["estimator"], None)
    return estimator().get_params(deep=False) if estimator else {}
