"""The share of the papers' protocols that the records of a claim have."""

from collections.abc import Mapping, Sequence

import dcbook.methods
from dcbook.book.protocol import Protocol, share_of_images, updates_of
from dcbook.experiments import Record

WITHOUT_NETWORK = ("KMeans",)
TRUNKS = {name: ("dac", "dac-v1", "dac-96") for name in ("DAC", "DAC_star")}  # others have one, the default
NOT_POOLED = {(name, "stl10") for name in ("MiCE", "SimCLRPretext")}  # the released trunks for STL-10 pool early
LAST = ("selflabel_epochs",)  # lengths of the phases that follow those of `updates_of`


def protocol(records: Sequence[Record], last: Sequence[str] = LAST) -> Protocol:
    """The smallest share among the runs that train a network; defaults are those of the released code.

    last : lengths of the last phases that count.
    """
    trained = [record for record in records if record.run["estimator"] not in WITHOUT_NETWORK]
    images = {record.run["dataset"]: share_of_images(record) for record in trained}
    return Protocol(
        images=min(images.values(), default=0.0),
        network=all(_released_network(record.run) for record in trained),
        updates=min((_updates(record.run, images[record.run["dataset"]], last) for record in trained), default=0.0),
        note="shares of the released code's schedules",
    )


def before_self_labeling(records: Sequence[Record]) -> Protocol:
    """The same for a claim about SCAN's step 2, on which the length of step 3 has no effect."""
    return protocol(records, last=())


def _released_network(run: Mapping) -> bool:
    """Whether trunk and width of a run, and of the runs it starts from, are released ones."""
    while run:
        usual = _defaults(run)
        given = {**usual, **run["params"]}
        trunks = TRUNKS.get(run["estimator"], (usual.get("architecture"),))
        if given.get("architecture") not in trunks or given.get("width") != usual.get("width"):
            return False
        if (run["estimator"], run["dataset"]) in NOT_POOLED:
            return False
        run = run["start"]
    return True


def _updates(run: Mapping, images: float, last: Sequence[str]) -> float:
    """As `updates_of`, and also the passes of DAC and DCCM over each block and the `last` phases, if they are run."""
    share, usual = updates_of(run, images), _defaults(run)
    given = {**usual, **run["params"]}
    if "passes" in usual:
        share *= min(1.0, given["passes"] / usual["passes"])
    return min([share, *(images * given[name] / usual[name] for name in last if usual.get(name) and given[name])])


def _defaults(run: Mapping) -> Mapping:
    estimator = getattr(dcbook.methods, run["estimator"], None)
    return estimator().get_params(deep=False) if estimator else {}
