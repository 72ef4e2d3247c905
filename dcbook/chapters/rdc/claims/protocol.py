"""How much of a protocol the records of a claim had.

R-DC's own protocol is not public to us. Where a claim is about methods and measures that are defined elsewhere, the
protocol of their sources stands for it; where it is about R-DC itself, or about what the paper does not tell, the share
of the network and of the updates is not known.
"""

from collections.abc import Mapping, Sequence

from dcbook.book.protocol import Protocol, images_of, share_of_images, updates_of
from dcbook.experiments import Record

WIDTHS = [500, 500, 2000]  # of the autoencoder of DEC, IDEC and DynAE
OURS = ("RDCReconstruction", "ContrastivePretraining")  # that stand for what the paper does not tell
BATCH = 256  # of a pretraining that names none


def protocol(records: Sequence[Record]) -> Protocol:
    """The least share among the runs; never `enough` where a part of the runs is our choice."""
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
    """The pretraining that a run begins with, by its name; empty if there is none."""
    while run["start"]:
        run = run["start"]
    return run["params"].get("start") or {}


def _pretraining(records: Sequence[Record]) -> str:
    """The fewest and the most updates of the pretrainings."""
    updates = set()
    for record in records:
        images = images_of(record)
        for settings in _recipe(record.run).values():
            updates.add(settings["epochs"] * -(-images // (settings["batch_size"] or BATCH)))
    told = " to ".join(f"{number:,}" for number in sorted({min(updates), max(updates)})) if updates else ""
    return f"; {told} updates of pretraining" if told else ""
