"""The picture of the probes: what training adds to an untrained network, over the number of labels."""

import pandas as pd
from matplotlib.figure import Figure

from dcbook.chapters.ssl.watches.probes import LABELED
from dcbook.plots.names import called
from dcbook.plots.style import canvas, legend_beside, looks, over_seeds

MARKERS = "osD^v"


def gains(frame: pd.DataFrame) -> Figure:
    """A panel a data set, a line a method: points over the untrained trunk, mean of the seeds and all of them.

    `frame`: `dcbook.chapters.ssl.tables.gains`. The trunk trained with labels is gray and dashed.
    """
    datasets, methods = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["method"]))
    methods = [method for method in methods if method != LABELED]
    columns = min(2, len(datasets))
    lines = -(-len(datasets) // columns)
    with canvas(lines, columns, (2.4 + 2.8 * columns, 0.4 + 2.8 * lines), sharey=True) as (figure, axes):
        for axis in axes.flat[len(datasets) :]:
            axis.set_axis_off()
        for axis, dataset in zip(axes.flat, datasets, strict=False):
            part = frame[frame["dataset"] == dataset]
            axis.axhline(0, color="0.6", linewidth=0.8)
            for method, color, marker in looks(methods, MARKERS):
                look = {"color": color, "marker": marker, "label": method}
                over_seeds(axis, part[part["method"] == method], "labels", "gain", markersize=5, **look)
            gray = {"color": "0.5", "linestyle": "--", "label": LABELED}
            over_seeds(axis, part[part["method"] == LABELED], "labels", "gain", **gray)
            axis.set(xscale="log", title=called(dataset), xlabel="labels a class")
            numbers = sorted(set(part["labels"]))
            axis.set_xticks(numbers, [f"{n:,}" for n in numbers])
            axis.minorticks_off()
            axis.grid(color="0.92")
        for axis in axes[:, 0]:
            axis.set_ylabel("accuracy of the probe over\nthe untrained network's, points")
        legend_beside(axes)
    return figure
