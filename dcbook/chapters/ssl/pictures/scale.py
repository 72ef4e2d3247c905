"""The picture of scale: time and inertia of k-means against the number of clusters."""

import pandas as pd
from matplotlib.figure import Figure

from dcbook.plots.names import called
from dcbook.plots.style import canvas, legend_beside, looks

MARKERS = "os^vD"


def speed(frame: pd.DataFrame) -> Figure:
    """A column for each data set: processor time above, inertia over that of Lloyd's algorithm below; means of seeds.

    `frame`: `dcbook.chapters.ssl.tables.speeds`. Bars reach from the lowest to the highest seed.
    """
    datasets, methods = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["method"]))
    rows = {"cpu_seconds": "CPU seconds", "excess": "inertia over Lloyd's, %"}
    with canvas(2, len(datasets), (2.4 + 2.8 * len(datasets), 5), sharex=True, sharey="row") as (figure, axes):
        for line, (value, name) in zip(axes, rows.items(), strict=True):
            for axis, dataset in zip(line, datasets, strict=True):
                for method, color, marker in looks(methods, MARKERS):
                    part = frame[(frame["dataset"] == dataset) & (frame["method"] == method)]
                    seeds = part.groupby("clusters")[value].agg(["mean", "min", "max"])
                    ends = [seeds["mean"] - seeds["min"], seeds["max"] - seeds["mean"]]
                    axis.errorbar(seeds.index, seeds["mean"], ends, color=color, marker=marker, ms=5, label=method)
                axis.set_xscale("log")
                axis.grid(color="0.92")
            line[0].set_ylabel(name)
        for axis, dataset in zip(axes[0], datasets, strict=True):
            axis.set(title=called(dataset), yscale="log")
        for axis in axes[1]:
            axis.set_xlabel("number of clusters K")
        legend_beside(axes)
    return figure
