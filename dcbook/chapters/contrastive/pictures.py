"""Pictures of this chapter alone."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.plots.names import called
from dcbook.plots.style import OURS, PAPER, STYLE, canvas, looks

MARKERS = ("o", "s", "^", "D", "v")


def premise(frame: pd.DataFrame) -> Figure:
    """Gain of SCAN's heads over k-means against the purity of neighborhoods, a panel a data set, a marker a length.

    `frame` : `tables.premise`. A gray line marks the purity of unit-length pixels.
    """
    sets, lengths = list(dict.fromkeys(frame["dataset"])), sorted(frame["epochs"].unique())
    with canvas(1, len(sets), (1.4 + 3.0 * len(sets), 3.0)) as (figure, axes):
        for axis, name in zip(axes.flat, sets, strict=True):
            rows = frame[frame["dataset"] == name]
            for length, color, marker in looks(lengths, MARKERS):
                some = rows[rows["epochs"] == length]
                label = "1 epoch" if length == 1 else f"{length} epochs"
                axis.scatter(some["purity"], some["acc"], s=28, color=color, marker=marker, label=label, zorder=2)
            axis.axhline(0, color="0.6", linewidth=1)
            axis.axvline(rows["pixels"].mean(), color="0.6", linewidth=1, linestyle=":")
            axis.set(title=called(name), xlabel="20 neighbors of the same class, %")
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel("gain in ACC over k-means, points")
        axes[0, -1].legend(title="pretext", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def printed(frame: pd.DataFrame, marked: str) -> Figure:
    """Printed ACC of methods, a line each from low to high; the row `marked` in the paper's color, the others in ours.

    `frame` : columns row, ACC.
    """
    frame = frame.sort_values("ACC").reset_index(drop=True)
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6, 0.6 + 0.26 * len(frame)))
        colors = [PAPER if row == marked else OURS for row in frame["row"]]
        axis.hlines(frame.index, frame["ACC"].min() - 2, frame["ACC"], color="0.85", linewidth=1)
        axis.scatter(frame["ACC"], frame.index, c=colors, s=28, zorder=2)
        axis.set(yticks=frame.index, yticklabels=frame["row"], xlabel="printed ACC on CIFAR-10, %")
        axis.grid(axis="x", color="0.92")
        axis.set_axisbelow(True)
        figure.tight_layout()
    return figure
