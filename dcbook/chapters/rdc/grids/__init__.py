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


def _phases(seed: int) -> list[Run]:
    """Figs. 1 and 3 at their sources' schedules, on MNIST and Fashion-MNIST; DynAE's critic frozen, and trained."""
    return [*runs(FIG1["paper"], seeds=[seed]), *runs(FIG3["paper"], None, ["mnist", "fashion-mnist"], [seed])]


def _without_autoencoder(seed: int) -> list[Run]:
    """The runs at `laptop` that complete the picture of all methods: those without an autoencoder."""
    return runs(SCRATCH["laptop"], seeds=[seed])


# Figs. 1 and 3 take hours each, and come last.
EVIDENCE = [
    *[
        (60 + seed, f"all methods, those without an autoencoder, seed {seed}", partial(_without_autoencoder, seed))
        for seed in range(3)
    ],
    *[(95 + seed, f"Figs. 1 and 3, seed {seed}", partial(_phases, seed)) for seed in range(3)],
]
