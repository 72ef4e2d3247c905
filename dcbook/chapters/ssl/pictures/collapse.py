"""The picture of collapse: how the samples are distributed over the clusters."""

from collections.abc import Iterable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dcbook.plots.names import called
from dcbook.plots.style import OURS, canvas


def shares(frame: pd.DataFrame) -> Figure:
    """A bar for each method, divided into its clusters, the largest first: a single piece is a collapse.

    `frame`: `dcbook.chapters.ssl.tables.shares`. A panel a data set; a gap sets methods of different families apart.
    """
    datasets = list(dict.fromkeys(frame["dataset"]))
    methods, places, families = list(dict.fromkeys(frame["method"])), [], []
    for method in methods:
        family = method.partition(",")[0]
        places.append(places[-1] + (1 if family == families[-1] else 1.6) if places else 0)
        families.append(family)
    size = (3 + 5 * len(datasets), 0.8 + 0.3 * (places[-1] + 1))
    with canvas(1, len(datasets), size, sharey=True) as (figure, axes):
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            part = frame[frame["dataset"] == dataset]
            for place, method in zip(places, methods, strict=True):
                _bar(axis, place, part[part["method"] == method]["share"])
            axis.tick_params(left=False)
            axis.set(xlim=(0, 100), xlabel="share of the samples, %, in each cluster (blue: the largest)")
            axis.set_title(called(dataset) if len(datasets) > 1 else "")
        axes[0, 0].set_yticks(places, methods)
        axes[0, 0].invert_yaxis()
    return figure


def _bar(axis: Axes, place: float, shares: Iterable[float]) -> None:
    left = 0.0
    for share in shares:
        color = OURS if left == 0 else "0.8"
        axis.barh(place, share, left=left, height=0.75, color=color, edgecolor="white", lw=0.4)
        left += share
