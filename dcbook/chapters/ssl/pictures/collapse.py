"""The picture of collapse: how the samples are distributed over the clusters."""

import pandas as pd
from matplotlib.figure import Figure

from dcbook.plots.style import OURS, canvas


def shares(frame: pd.DataFrame) -> Figure:
    """A bar for each method, divided into its clusters, the largest first: a single piece is a collapse.

    `frame`: `dcbook.chapters.ssl.tables.shares`. A gap sets methods of different families apart.
    """
    methods, places, families = list(dict.fromkeys(frame["method"])), [], []
    for method in methods:
        family = method.partition(",")[0]
        places.append(places[-1] + (1 if family == families[-1] else 1.6) if places else 0)
        families.append(family)
    with canvas(1, 1, (8, 0.8 + 0.3 * (places[-1] + 1))) as (figure, axes):
        axis = axes[0, 0]
        for place, method in zip(places, methods, strict=True):
            left = 0.0
            for share in frame[frame["method"] == method]["share"]:
                fresh = left == 0
                axis.barh(
                    place, share, left=left, height=0.75, color=OURS if fresh else "0.8", edgecolor="white", lw=0.4
                )
                left += share
        axis.set_yticks(places, methods)
        axis.invert_yaxis()
        axis.tick_params(left=False)
        axis.set(xlim=(0, 100), xlabel="share of the samples, %, in each cluster (blue: the largest)")
    return figure
