"""Pictures of a training: numbers over its epochs."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.plots.style import STYLE, bands


def histories(curves: pd.DataFrame, value: str, label: str) -> Figure:
    """A number over the epochs, one panel per data set, one line per method, a band over the seeds.

    `curves`: rows with dataset, method, seed, progress (share of the method's epochs, in [0, 1]) and `value`.
    """
    datasets, methods = list(dict.fromkeys(curves["dataset"])), list(dict.fromkeys(curves["method"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(datasets), figsize=(1 + 2.9 * len(datasets), 2.6), sharey=True, squeeze=False
        )
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            bands(axis, curves[curves["dataset"] == dataset], methods, value)
            axis.set(title=dataset, xlabel="share of the method's epochs", ylabel=label)
            axis.grid(color="0.92")
        axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
    return figure


def training(panels: Mapping[str, tuple[pd.DataFrame, str]], mark: float | None = None) -> Figure:
    """Numbers over the epochs, one panel each, one line per data set, a band from the lowest to the highest seed.

    `panels`: title to rows with dataset, seed, progress (share of the epochs, in [0, 1]) and the column that is drawn.
    `mark`: a place on the way, drawn as a vertical line.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(1 + 2.9 * len(panels), 2.6), squeeze=False)
        for axis, (title, (frame, value)) in zip(axes.flat, panels.items(), strict=True):
            bands(axis, frame, list(dict.fromkeys(frame["dataset"])), value, "dataset")
            if mark is not None:
                axis.axvline(mark, color="0.6", linestyle=":")
            axis.set(title=title, xlabel="share of the epochs")
            axis.grid(color="0.92")
        axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
    return figure
