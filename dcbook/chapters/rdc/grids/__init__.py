"""The runs of R-DC's figures and of its reconstruction, at each scale.

A name in capitals holds the settings of each scale; a function takes the name of a scale and, optionally, seeds.
"""

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
from dcbook.experiments.runs import grid

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
