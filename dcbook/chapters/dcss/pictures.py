"""Pictures of this chapter alone: pairs of settings, one-hot vectors, the bounds of the theorems."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from dcbook.plots.style import OURS, PAPER, STYLE, canvas

MARKERS = ("o", "s", "^", "D")


def table(values: pd.DataFrame, title: str) -> Figure:
    """Numbers, in per cent, as shades: the frame's index and columns are two settings; blank where there is none."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(1.5 + 0.8 * values.shape[1], 1 + 0.5 * values.shape[0]))
        sns.heatmap(values, annot=True, fmt=".1f", cmap="Blues", cbar=False, ax=axis)
        axis.set(title=title)
        figure.tight_layout()
    return figure


def shares(counts: Mapping[str, np.ndarray], edges: np.ndarray, name: str) -> Figure:
    """Histograms on one logarithmic axis, one panel each: title to counts (b,) in bins with `edges` (b + 1,)."""
    with canvas(1, len(counts), (3 * len(counts), 2.4), sharey=True) as (figure, axes):
        for axis, (title, count) in zip(axes.flat, counts.items(), strict=True):
            axis.stairs(100 * np.asarray(count) / np.sum(count), edges, fill=True, color=OURS)
            axis.set(title=title, xlabel=name, yscale="symlog", ylim=(0, 100))
        axes[0, 0].set_ylabel("% of the samples")
    return figure


def vectors(panels: Mapping[str, np.ndarray]) -> Figure:
    """Rows of probabilities as shades, one panel each, sorted by their largest entry: title to (n, K)."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(2.6 * len(panels), 3.4), squeeze=False)
        for axis, (title, q) in zip(axes.flat, panels.items(), strict=True):
            q = np.asarray(q)
            shade = axis.imshow(q[np.argsort(q.argmax(1), kind="stable")], **_SHADES)
            axis.set(title=title, xlabel="cluster", ylabel="sample", yticks=[], xticks=range(q.shape[1]))
        figure.colorbar(shade, ax=axes, fraction=0.03, label="q")
    return figure


def bounds(panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, str, str]]) -> Figure:
    """Values beside what bounds them, one panel each.

    `panels`: title to x (n,), values (n,), a curve (m, 2) of the bound, and the names of both axes.
    """
    with canvas(1, len(panels), (3.4 * len(panels), 3.2)) as (figure, axes):
        for axis, (title, (x, values, curve, name, of)) in zip(axes.flat, panels.items(), strict=True):
            axis.scatter(x, values, s=2, color=OURS, alpha=0.25, linewidths=0, rasterized=True)
            axis.plot(*np.asarray(curve).T, color=PAPER)
            axis.set(xlabel=name, ylabel=of, xlim=(0, 1), ylim=(0, 1), title=title, aspect="equal")
    return figure


def over_steps(frame: pd.DataFrame, panels: Mapping[str, tuple[str, bool]]) -> Figure:
    """Measures over the step of phase 1, a line a network with a dot a seed.

    `frame` : columns network, step, metric, value. `panels` : metric to its name, and whether its axis is
    logarithmic.
    """
    steps = sorted(frame["step"].unique())
    with canvas(1, len(panels), (3.1 * len(panels), 2.8)) as (figure, axes):
        for axis, (metric, (name, logarithmic)) in zip(axes.flat, panels.items(), strict=True):
            for color, (network, of) in zip((OURS, PAPER), frame.groupby("network"), strict=False):
                of = of[of["metric"] == metric]
                axis.plot(of["step"], of["value"], "o", color=color, markersize=4, alpha=0.6)
                means = of.groupby("step")["value"].mean()
                axis.plot(means.index, means, color=color, label=network)
            axis.set(xscale="log", xlabel="step of phase 1", ylabel=name, yscale="log" if logarithmic else "linear")
            axis.set_xticks(steps, [f"{step:g}" for step in steps])
            axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
            if logarithmic:
                axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
                axis.yaxis.set_minor_formatter(NullFormatter())
        axes[0, 0].legend(frameon=False, fontsize=8)
    return figure


def gains_by_share(frame: pd.DataFrame, gains: Mapping[str, str]) -> Figure:
    """Gains over the share of centering in the loss: a dot a run, a color a network, a shape a data set.

    `frame` : columns network, dataset, share (%) and those of `gains`, a column to the name of its axis.
    """
    shapes = dict(zip(frame["dataset"].unique(), MARKERS, strict=False))
    with canvas(1, len(gains), (3.6 * len(gains) + 1.6, 3)) as (figure, axes):
        for axis, (column, name) in zip(axes.flat, gains.items(), strict=True):
            axis.axhline(0, color="0.7", linewidth=0.8)
            for color, (network, part) in zip((OURS, PAPER), frame.groupby("network"), strict=False):
                for dataset, runs in part.groupby("dataset"):
                    label = f"{network}, {dataset}"
                    axis.plot(runs["share"], runs[column], shapes[dataset], color=color, label=label, markersize=6)
            axis.set(xscale="log", xlabel="share of centering in the loss, %", ylabel=name)
            axis.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
            axis.xaxis.set_minor_formatter(NullFormatter())
        axes[0, -1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


_SHADES = {"aspect": "auto", "cmap": "Blues", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
