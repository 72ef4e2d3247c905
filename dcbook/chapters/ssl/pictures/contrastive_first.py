"""The picture of contrastive first: ACC over the purity of the neighbors."""

import pandas as pd
from matplotlib.figure import Figure

from dcbook.chapters.ssl.grids.contrastive_first import SPACES, kmeans_on, scan_on
from dcbook.chapters.ssl.watches.purity import NEIGHBORS
from dcbook.plots.names import called
from dcbook.plots.style import canvas, legend_beside, looks

MARKERS = "os^"


def steadiness(frame: pd.DataFrame) -> Figure:
    """A panel a data set, a mark a run: k-means hollow, SCAN filled, a color a space; DEC as gray lines, one a seed.

    `frame`: `dcbook.chapters.ssl.tables.steadiness`.
    """
    datasets = list(dict.fromkeys(frame["dataset"]))
    with canvas(1, len(datasets), (2.8 + 3 * len(datasets), 3.4), sharey=True) as (figure, axes):
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            part = frame[frame["dataset"] == dataset]
            for space, color, marker in looks(SPACES, MARKERS):
                for method, fill in ((kmeans_on(space), "none"), (scan_on(space), color)):
                    rows = part[part["method"] == method]
                    axis.plot(rows["purity"], rows["acc"], marker, color=color, markerfacecolor=fill, label=method)
            for number, acc in enumerate(part[part["method"] == "DEC"]["acc"]):
                axis.axhline(acc, color="0.6", linewidth=0.8, label="DEC" if number == 0 else None)
            axis.set(title=called(dataset), xlabel=f"{NEIGHBORS} nearest neighbors of the same class, %")
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel("ACC, %")
        legend_beside(axes)
    return figure
