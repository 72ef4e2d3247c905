"""What all pictures share: one style, colors, legends, lines with bands."""

from collections.abc import Iterable, Iterator, Sequence
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
COLORS, MARKERS = sns.color_palette(PALETTE), "osD^vPX<>*"
OURS, PAPER = COLORS[0], COLORS[3]
Color = tuple[float, float, float]


@contextmanager
def canvas(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[tuple[Figure, np.ndarray]]:
    """A figure in this style and its axes (rows, columns), to be drawn on; laid out tightly at the end.

    `options` are those of `matplotlib.pyplot.subplots`.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
        yield figure, axes
        figure.tight_layout()


def legend_beside(axes: np.ndarray) -> None:
    """One legend for all axes of a figure, to the right of the last one: every label once."""
    found: dict[str, Any] = {}
    for axis in axes.flat:
        for line, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, line)
    axes.flat[-1].legend(found.values(), found, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def looks(
    names: Iterable[Any], markers: Sequence[str] = MARKERS, colors: Sequence[Color] = COLORS
) -> list[tuple[Any, Color, str]]:
    """Each name with a color and a marker of its own; ValueError if there are more names than colors or markers."""
    names, most = list(names), min(len(markers), len(colors))
    if len(names) > most:
        raise ValueError(f"the picture tells {most} names apart, not {len(names)}: {', '.join(map(str, names))}")
    return [(name, colors[place], markers[place]) for place, name in enumerate(names)]


def bands(axis: Axes, curves: pd.DataFrame, names: Sequence[str], value: str, by: str = "method") -> None:
    """A line and a band for each of `names` in the column `by`: the mean and the range of the seeds over `progress`.

    The rows of a run are in the order of its progress. ValueError where a seed has several runs.
    """
    grid = np.linspace(0, 1, 101)
    for name, color, _ in looks(names):
        runs = [run for _, run in curves[curves[by] == name].groupby("seed")]
        if not runs:
            continue
        if not all(run["progress"].is_monotonic_increasing for run in runs):
            raise ValueError(f"a seed of {name} has several runs; choose one")
        lines = np.stack([np.interp(grid, run["progress"], run[value], left=np.nan) for run in runs])
        axis.plot(grid, lines.mean(0), color=color, label=name)
        axis.fill_between(grid, lines.min(0), lines.max(0), color=color, alpha=0.15, linewidth=0)


def over_seeds(axis: Axes, rows: pd.DataFrame, x: str, value: str, **line: Any) -> None:
    """A line and a band: the mean and the range of the column `value` over the seeds, at each value of the column `x`.

    `line`: options of the line; its `color` is also that of the band.
    """
    seeds = rows.groupby(x)[value].agg(["mean", "min", "max"])
    axis.plot(seeds.index, seeds["mean"], **line)
    axis.fill_between(seeds.index, seeds["min"], seeds["max"], color=line["color"], alpha=0.15, linewidth=0)


def at_least(axis: Axes, width: float) -> None:
    """Widen the x axis to `width` where it is narrower, so that small differences look small.

    The data stay in its middle, but an axis without negative values begins at 0.
    """
    low, high = axis.get_xlim()
    if high - low < width:
        middle = (low + high) / 2
        start = middle - width / 2
        start = -0.04 * width if start < 0 <= axis.dataLim.xmin else start
        axis.set_xlim(start, start + width)
