"""How much of DCSS's protocol the records of a claim had."""

from collections.abc import Mapping, Sequence

from dcbook.book.protocol import IMAGES, Protocol, share_of_images, updates_of
from dcbook.experiments import Record

PRETRAINING = 200  # epochs


def protocol(records: Sequence[Record]) -> Protocol | None:
    """The least share among the runs of DCSS; None where none of them is on the paper's data or a part of it."""
    ours = [r for r in records if "DCSS" in r.run["estimator"] and r.run["dataset"] in IMAGES]
    if not ours:
        return None
    recipes = [recipe for record in ours if (recipe := _recipe(record.run))]
    return Protocol(
        images=min(map(share_of_images, ours)),
        network=_network(ours, recipes),
        updates=min(updates_of(record.run, share_of_images(record)) for record in ours),
        note="; ".join(filter(None, (_of_usps(ours, recipes), _pretraining(recipes)))),
        counted="batches" if any(_one_update(record.run) for record in ours) else "updates",
    )


def _network(ours: Sequence[Record], recipes: Sequence[Mapping]) -> bool | None:
    """Whether it is the released convolutional one; None on USPS, whose network the paper describes elsewhere."""
    if not recipes or any(recipe.get("architecture") != "convolutional" for recipe in recipes):
        return False
    return None if any(record.run["dataset"] == "usps" for record in ours) else True


def _one_update(run: Mapping | None) -> bool:
    """Whether a batch of phase 1 makes one update on the sum of the K losses, where the paper makes K."""
    return bool(run) and (run["params"].get("one_update", False) or _one_update(run["start"]))


def _of_usps(ours: Sequence[Record], recipes: Sequence[Mapping]) -> str:
    return "USPS with the network released for MNIST" if _network(ours, recipes) is None else ""


def _recipe(run: Mapping) -> Mapping | None:
    """The settings of the pretraining that a run begins with."""
    while run["start"]:
        run = run["start"]
    recipe = run["params"].get("start")
    return next(iter(recipe.values())) if recipe else None


def _pretraining(recipes: Sequence[Mapping]) -> str:
    epochs = sorted({recipe["epochs"] for recipe in recipes if "epochs" in recipe})
    return f"pretraining {' or '.join(map(str, epochs))} of {PRETRAINING} epochs" if epochs else ""
