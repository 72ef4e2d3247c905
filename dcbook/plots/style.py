"""What all pictures share: one style, colors, names of metrics, lines with bands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "font.size": 9}
PALETTE = "colorblind"
OURS, PAPER = sns.color_palette(PALETTE)[0], sns.color_palette(PALETTE)[3]


@contextmanager
def canvas(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[tuple[Figure, np.ndarray]]:
    """A figure in this style and its axes (rows, columns), to be drawn on; laid out tightly at the end.

    `options` are those of `matplotlib.pyplot.subplots`.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
        yield figure, axes
        figure.tight_layout()


def legend_beside(axis: Axes) -> None:
    """The legend of an axis, to the right of it."""
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def bands(axis: Axes, curves: pd.DataFrame, names: Sequence[str], value: str, by: str = "method") -> None:
    """A line and a band for each of `names` in the column `by`: the mean and the range of the seeds over `progress`."""
    grid = np.linspace(0, 1, 101)
    for name, color in zip(names, sns.color_palette(PALETTE, len(names)), strict=True):
        runs = [run for _, run in curves[curves[by] == name].groupby("seed")]
        if not runs:
            continue
        lines = np.stack([np.interp(grid, run["progress"], run[value], left=np.nan) for run in runs])
        axis.plot(grid, lines.mean(0), color=color, label=name)
        axis.fill_between(grid, lines.min(0), lines.max(0), color=color, alpha=0.15, linewidth=0)


def named(metric: str) -> str:
    """A metric as it is written on an axis: "ACC", "F1-macro"; any other name, such as a layer's, as it is."""
    known = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "f1_macro": "F1-macro", "f1_micro": "F1-micro"}
    return known.get(metric, metric)
