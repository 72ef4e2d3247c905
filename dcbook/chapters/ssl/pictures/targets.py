"""The picture of passing targets: how many images change their cluster, and how close clusters come to classes."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dcbook.plots.style import canvas, legend_beside, looks, over_seeds

MARKERS = "os^"
PANELS = {
    "moved": "images that change cluster, %",
    "renumbered": "targets with another number, %",
    "class_nmi": "NMI of targets and classes, %",
}


def passing(frame: pd.DataFrame) -> Figure:
    """A panel a measure over the epochs, a line a method: mean of the seeds, with a band of all of them.

    `frame`: `dcbook.chapters.ssl.tables.passing` of one data set.
    """
    methods = list(dict.fromkeys(frame["method"]))
    with canvas(1, len(PANELS), (10.5, 3)) as (figure, axes):
        for axis, (value, name) in zip(axes.flat, PANELS.items(), strict=True):
            for method, color, marker in looks(methods, MARKERS):
                part = frame[(frame["method"] == method) & frame[value].notna()]
                over_seeds(axis, part, "epoch", value, color=color, marker=marker, markersize=4, label=method)
            axis.set(title=name, xlabel="epoch", ylim=(0, 102))
            axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axis.grid(color="0.92")
        legend_beside(axes)
    return figure
