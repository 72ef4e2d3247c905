"""The runs of R-DC's figures and of its reconstruction, at each scale.

A name in capitals holds the settings of each scale; a function takes the name of a scale and, optionally, seeds.
"""

from functools import partial

from dcbook.chapters.rdc.grids.paradigms import JOINT, PARADIGMS, REALISM, SCRATCH, SELF, TWICE, everyone
from dcbook.chapters.rdc.grids.phases import (
    ADEC,
    CONTRASTIVE,
    FIG1,
    FIG2,
    FIG3,
    RECONSTRUCTION,
    RELEASED,
    arcs,
    fig3,
    lengths,
)
from dcbook.chapters.rdc.grids.reconstruction import (
    ABLATED,
    BEFORE,
    CHOICES,
    COMPARED,
    HYPERPARAMETERS,
    METHODS,
    RDC,
    choices,
    compared,
    noisy,
)
from dcbook.experiments.runs import Run, grid, runs

GRIDS = {
    "fig1": grid(FIG1),
    "fig2": grid(FIG2),
    "arcs": arcs,
    "fig3": fig3,
    "lengths": lengths,
    "compared": compared,
    "choices": choices,
    "noisy": noisy,
    "everyone": everyone,
}


def _phases(dataset: str, seed: int) -> list[Run]:
    """Figs. 1 and 3 at their sources' schedules; DynAE's critic frozen, and trained."""
    return [run for scale in (FIG1["paper"], FIG3["paper"]) for run in runs(scale, None, [dataset], [seed])]


def _without_autoencoder(seed: int) -> list[Run]:
    """The runs at `laptop` that complete the picture of all methods: those without an autoencoder."""
    return runs(SCRATCH["laptop"], seeds=[seed])


# Figs. 1 and 3 take hours each, and come late.
EVIDENCE = [
    *[
        (60 + seed, "all methods, those without an autoencoder", partial(_without_autoencoder, seed))
        for seed in range(3)
    ],
    *[
        (rank + seed, f"{dataset}, Figs. 1 and 3", partial(_phases, dataset, seed))
        for rank, dataset in ((95, "mnist-test"), (95, "fashion-mnist"), (105, "mnist"))
        for seed in range(5)
    ],
]
