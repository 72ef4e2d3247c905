"""Figs. 4 and 5 of the R-DC paper, drawn anew from their captions: what trains the network in each paradigm."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dcbook.plots import PALETTE, STYLE

SELF, PSEUDO = (sns.color_palette(PALETTE)[i] for i in (0, 3))
BOX, GAP, NAME = 2.6, 0.9, 2.2  # widths of a phase, of the way to the next one, and of the paradigm's name


@dataclass(frozen=True)
class Phase:
    """A phase of training: its name, and the signals that it minimizes together.

    `signals`: "self" (reconstruction, views, neighbors: the samples themselves) or "pseudo" (the clusters found so
    far), each with what it is taken from.
    """

    name: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Paradigm:
    """A way to train a deep clustering method: its phases in turn, what goes wrong in it, and who follows it."""

    name: str
    phases: tuple[Phase, ...]
    failures: tuple[str, ...]
    methods: str


INSTANCES, CLUSTERS = ("self", "each instance"), ("pseudo", "clusters found so far")
PARADIGMS = (
    Paradigm(
        "pseudo-supervision alone",
        (Phase("one phase", (CLUSTERS,)),),
        ("Feature Randomness",),
        "DeepCluster, PIC",
    ),
    Paradigm(
        "self-, then pseudo-supervision",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (CLUSTERS,))),
        ("Feature Randomness", "Feature Twist"),
        "DEC",
    ),
    Paradigm(
        "self-, then both jointly",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (INSTANCES, CLUSTERS))),
        ("Feature Randomness", "Feature Drift"),
        "IDEC, DCN, DynAE",
    ),
    Paradigm(
        "self-supervision twice",
        (Phase("phase 1", (INSTANCES,)), Phase("phase 2", (("self", "filtered neighborhoods"),))),
        (),
        "R-DC",
    ),
)


def paradigms(rows: Sequence[Paradigm] = PARADIGMS) -> Figure:
    """One row a paradigm: its phases from left to right, what supervises each, and what the paper says goes wrong.

    Blue boxes are self-supervision, orange ones pseudo-supervision; two in one phase are minimized together.
    """
    most = max(len(row.phases) for row in rows)
    width = NAME + most * (BOX + GAP) + BOX
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(0.85 * width, 1.15 * len(rows)))
        axis.set(xlim=(0, width), ylim=(len(rows) - 0.45, -0.55))
        axis.set_axis_off()
        for place, row in enumerate(rows):
            axis.text(0, place, f"{row.name}\n{row.methods}", va="center", fontsize=8)
            for number, phase in enumerate(row.phases):
                left = NAME + GAP + number * (BOX + GAP)
                _arrow(axis, left - GAP + 0.1, left - 0.1, place, "images" if number == 0 else "weights")
                _phase(axis, left, place, phase)
            failures = "\n".join(row.failures) or "none of these"
            axis.text(width - BOX + 0.3, place, failures, va="center", fontsize=8, style="italic")
        axis.text(width - BOX + 0.3, -0.5, "what fails, says the paper", fontsize=8, weight="bold")
        figure.tight_layout()
    return figure


def _phase(axis: Axes, left: float, place: float, phase: Phase) -> None:
    """A box for each of its signals, and its name above."""
    axis.text(left + BOX / 2, place - 0.36, phase.name, ha="center", va="center", fontsize=8, weight="bold")
    each = BOX / len(phase.signals)
    for number, (kind, source) in enumerate(phase.signals):
        color = {"self": SELF, "pseudo": PSEUDO}[kind]
        corner = left + number * each + 0.03, place - 0.22
        shape = FancyBboxPatch(
            corner, each - 0.06, 0.5, boxstyle="round,pad=0,rounding_size=0.08", fc=color, alpha=0.25
        )
        axis.add_patch(shape)
        narrow = each < BOX
        text = f"{kind}-{'sup.' if narrow else 'supervision'}:\n" + "\n".join(wrap(source, 15 if narrow else 30))
        axis.text(corner[0] + each / 2 - 0.03, place + 0.03, text, ha="center", va="center", fontsize=7)


def _arrow(axis: Axes, start: float, end: float, place: float, name: str) -> None:
    axis.add_patch(FancyArrowPatch((start, place), (end, place), arrowstyle="-|>", mutation_scale=9, color="0.3"))
    axis.text((start + end) / 2, place - 0.12, name, ha="center", fontsize=6.5, color="0.3")
