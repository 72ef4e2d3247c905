"""What all pictures share: one style, colors, names of metrics, lines with bands."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "font.size": 9}
PALETTE = "colorblind"
OURS, PAPER = sns.color_palette(PALETTE)[0], sns.color_palette(PALETTE)[3]


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
    """A metric as it is written on an axis: "ACC", "F1-macro"."""
    return metric.upper() if metric in ("acc", "nmi", "ari") else metric.capitalize().replace("_", "-")
