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
        network=bool(recipes) and all(recipe.get("architecture") == "convolutional" for recipe in recipes),
        updates=min(updates_of(record.run, share_of_images(record)) for record in ours),
        note=_pretraining(recipes),
    )


def _recipe(run: Mapping) -> Mapping | None:
    """The settings of the pretraining that a run begins with."""
    while run["start"]:
        run = run["start"]
    recipe = run["params"].get("start")
    return next(iter(recipe.values())) if recipe else None


def _pretraining(recipes: Sequence[Mapping]) -> str:
    epochs = sorted({recipe["epochs"] for recipe in recipes if "epochs" in recipe})
    return f"pretraining {' or '.join(map(str, epochs))} of {PRETRAINING} epochs" if epochs else ""
