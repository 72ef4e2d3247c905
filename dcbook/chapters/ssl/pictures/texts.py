"""Pictures of texts: clusters over rounds of classification, and criteria that choose a setting without labels."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dcbook.chapters.ssl.tables import named_vectors
from dcbook.chapters.ssl.watches import CONTROL, SIGNAL
from dcbook.plots.names import called
from dcbook.plots.style import canvas, legend_beside, looks, over_seeds

AXES = {
    "silhouette": "silhouette × 100",
    "agreement": "agreement, ARI × 100",
    "loss": "minus the variance left, %",
}


def rounds(frame: pd.DataFrame) -> Figure:
    """ACC over the rounds: a panel for each data set, a line for each kind of vectors (mean and range of seeds).

    `frame`: `dcbook.chapters.ssl.tables.rounds`. The control is one gray line, over all kinds of vectors.
    """
    datasets, kinds = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["vectors"]))
    with canvas(1, len(datasets), (2.6 + 2.6 * len(datasets), 3), sharey=True) as (figure, axes):
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            part = frame[frame["dataset"] == dataset]
            lines = {kind: part[(part["vectors"] == kind) & (part["ids"] == SIGNAL)] for kind in kinds}
            for kind, color, marker in looks(lines):
                look = {"color": color, "marker": marker, "label": named_vectors(kind).replace(" (", "\n(")}
                over_seeds(axis, lines[kind], "round", "acc", markersize=4, **look)
            gray = {"color": "0.5", "linestyle": "--", "label": CONTROL}
            over_seeds(axis, part[part["ids"] == CONTROL], "round", "acc", **gray)
            axis.set(title=called(dataset), xlabel="round", ylim=(0, None))
            axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel("ACC, %")
        legend_beside(axes)
    return figure


def tuning(frame: pd.DataFrame) -> Figure:
    """ACC against each criterion: a row for each data set, a column for each criterion, a mark for each setting.

    `frame`: `dcbook.chapters.ssl.tables.criteria`; means over the seeds. ValueError for more settings than `looks` has.
    """
    datasets, settings = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["setting"]))
    mean = frame.groupby(["dataset", "setting"], sort=False)[["acc", *AXES]].mean()
    size = (2.8 + 2.3 * len(AXES), 0.6 + 1.9 * len(datasets))
    with canvas(len(datasets), len(AXES), size, sharey="row") as (figure, axes):
        for place, (line, dataset) in enumerate(zip(axes, datasets, strict=True)):
            for axis, (criterion, name) in zip(line, AXES.items(), strict=True):
                for setting, color, marker in looks(settings):
                    row = mean.loc[dataset, setting]
                    axis.plot(row[criterion], row["acc"], marker, color=color, label=setting.replace(" (", "\n("))
                axis.grid(color="0.92")
                axis.set(xlabel=name if place == len(datasets) - 1 else "")
            line[0].set_title(called(dataset))
            line[0].set_ylabel("ACC, %")
        legend_beside(axes)
    return figure
