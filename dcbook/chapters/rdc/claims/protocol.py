"""The share of a protocol that the records of a claim have.

R-DC's own protocol is not available to us. For claims about methods of others the protocol of their sources is used.
Where R-DC's own method, the contrastive pretraining or made points take part, the share of the network and of the
updates is unknown.
"""

from collections.abc import Mapping, Sequence

from dcbook.book.protocol import Protocol, images_of, share_of_images, updates_of
from dcbook.experiments import Record

WIDTHS = [500, 500, 2000]  # hidden layers of the autoencoder of DEC, IDEC and DynAE
OURS = ("RDCReconstruction", "ContrastivePretraining")  # our choices for what the paper does not state
BATCH = 256  # default batch size of a pretraining


def protocol(records: Sequence[Record]) -> Protocol:
    """The smallest share among the runs; never `enough` if a part of the runs is our choice."""
    runs = [record.run for record in records]
    recipes = [recipe for run in runs if (recipe := _recipe(run))]
    images = {record.run["dataset"]: share_of_images(record) for record in records}
    least = min(images.values())
    if least == 0 or any(name in OURS for run in runs for name in (run["estimator"], *_recipe(run))):
        return Protocol(least, None, None, "R-DC's protocol is not public")
    return Protocol(
        images=least,
        network=bool(recipes) and all(settings["widths"] == WIDTHS for each in recipes for settings in each.values()),
        updates=min(updates_of(run, images[run["dataset"]]) for run in runs),
        note=f"shares of the protocols of the methods' sources{_pretraining(records)}",
    )


def _recipe(run: Mapping) -> Mapping[str, Mapping]:
    """The pretraining of a run: name → parameters; empty if there is none."""
    while run["start"]:
        run = run["start"]
    return run["params"].get("start") or {}


def _pretraining(records: Sequence[Record]) -> str:
    """The smallest and the largest number of updates in pretraining, as text."""
    updates = set()
    for record in records:
        images = images_of(record)
        for settings in _recipe(record.run).values():
            updates.add(settings["epochs"] * -(-images // (settings["batch_size"] or BATCH)))
    told = " to ".join(f"{number:,}" for number in sorted({min(updates), max(updates)})) if updates else ""
    return f"; {told} updates of pretraining" if told else ""
