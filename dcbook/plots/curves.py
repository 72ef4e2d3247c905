"""Pictures of a training: numbers over its epochs."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from dcbook.plots.names import called
from dcbook.plots.style import bands, canvas, legend_beside


def histories(curves: pd.DataFrame, value: str, label: str) -> Figure:
    """A number over the epochs, one panel per data set, one line per method, a band over the seeds.

    `curves`: rows with dataset, method, seed, progress (share of the method's epochs, in [0, 1]) and `value`.
    """
    datasets, methods = list(dict.fromkeys(curves["dataset"])), list(dict.fromkeys(curves["method"]))
    with canvas(1, len(datasets), (1 + 2.9 * len(datasets), 2.6), sharey=True) as (figure, axes):
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            bands(axis, curves[curves["dataset"] == dataset], methods, value)
            axis.set(title=called(dataset), xlabel="share of the method's epochs")
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel(label)
        legend_beside(axes)
    return figure


def training(panels: Mapping[str, tuple[pd.DataFrame, str]], mark: float | None = None) -> Figure:
    """Numbers over the epochs, one panel each, one line per data set, a band from the lowest to the highest seed.

    `panels`: title to rows with dataset, seed, progress (share of the epochs, in [0, 1]) and the column that is drawn.
    `mark`: a place on the way, drawn as a vertical line.
    """
    with canvas(1, len(panels), (1 + 2.9 * len(panels), 2.6)) as (figure, axes):
        for axis, (title, (frame, value)) in zip(axes.flat, panels.items(), strict=True):
            frame = frame.assign(dataset=frame["dataset"].map(called))
            bands(axis, frame, list(dict.fromkeys(frame["dataset"])), value, "dataset")
            if mark is not None:
                axis.axvline(mark, color="0.6", linestyle=":")
            axis.set(title=title, xlabel="share of the epochs")
            axis.grid(color="0.92")
        legend_beside(axes)
    return figure
