"""The runs of the contrastive chapter, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.

Views depend on the images: clothes and photographs are mirrored, digits are not; gray images have no color to lose. So
each scale has a `Scale` for each kind of images. Methods of one kind share trunk, batch size and, where they take it,
the view. The pretext is one run for each data set and seed, `PRETEXT`: SCAN and DCSS go on from its weights.
"""

from functools import partial

from dcbook.chapters.contrastive.grids.benchmark import (
    KIND_SCALES,
    OURS,
    PIXELS,
    PRETEXT,
    TABLE1,
    of_kinds,
    table1,
)
from dcbook.chapters.contrastive.grids.pretexts import HEADS, LENGTHS, longest, premise
from dcbook.chapters.contrastive.grids.variants import (
    ALONE,
    BESIDE,
    COLLAPSE,
    FIRST,
    PARTS,
    QUICKLY,
    WARM,
    collapse,
    guarded,
    parts,
    warm,
)
from dcbook.experiments.runs import Run

GRIDS = {"table1": table1, "parts": parts, "collapse": collapse, "premise": premise, "warm": warm}


def _evidence(seed: int, dataset: str) -> list[Run]:
    """All runs on one data set with one seed, at `laptop`."""
    grids = (table1, premise, parts, collapse, warm)
    found = [run for grid in grids for run in grid("laptop", [seed]) if run.dataset == dataset]
    return list({str(run.identity): run for run in found}.values())


# Order: the data set on which the premise is most likely to hold comes first; three seeds of each set before the rest.
EVIDENCE = [
    (60 + 20 * (seed // 3) + 3 * place + seed % 3, f"{dataset}, all methods", partial(_evidence, seed, dataset))
    for place, dataset in enumerate(("fashion-mnist-test", "cifar10", "mnist-test", "usps"))
    for seed in range(5)
]
