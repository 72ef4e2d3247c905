"""How much of DCSS's protocol the records of a claim had."""

from collections.abc import Mapping, Sequence

from dcbook.book.protocol import Protocol, images_of, updates_of
from dcbook.experiments import Record

# Images of ours and of the paper's set that each stands beside
IMAGES = {
    "usps": (9298, 9298),
    "mnist": (70_000, 70_000),
    "mnist-test": (10_000, 70_000),
    "fashion-mnist": (70_000, 70_000),
    "fashion-mnist-test": (10_000, 70_000),
    "2mnist": (70_000, 70_000),
    "cifar10": (60_000, 60_000),
}
PRETRAINING = 200  # epochs


def protocol(records: Sequence[Record]) -> Protocol | None:
    """The least share among the runs of DCSS; None where none of them is on the paper's data or a part of it."""
    ours = [r for r in records if "DCSS" in r.run["estimator"] and r.run["dataset"] in IMAGES]
    if not ours:
        return None
    recipes = [recipe for record in ours if (recipe := _recipe(record.run))]
    return Protocol(
        images=min(map(_images, ours)),
        network=bool(recipes) and all(recipe.get("architecture") == "convolutional" for recipe in recipes),
        updates=min(updates_of(record.run, _images(record)) for record in ours),
        note=_pretraining(recipes),
    )


def _images(record: Record) -> float:
    ours, paper = IMAGES[record.run["dataset"]]
    return images_of(record, {record.run["dataset"]: ours}) / paper


def _recipe(run: Mapping) -> Mapping | None:
    """The settings of the pretraining that a run begins with."""
    while run["start"]:
        run = run["start"]
    recipe = run["params"].get("start")
    return next(iter(recipe.values())) if recipe else None


def _pretraining(recipes: Sequence[Mapping]) -> str:
    epochs = sorted({recipe["epochs"] for recipe in recipes if "epochs" in recipe})
    return f"pretraining {' or '.join(map(str, epochs))} of {PRETRAINING} epochs" if epochs else ""
