"""Pictures of this chapter alone: scores over settings, one-hot vectors, filters, the bounds of the theorems."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from dcbook.plots.names import called, named
from dcbook.plots.style import OURS, PAPER, STYLE, canvas, looks

MARKERS = ("o", "s", "^", "D")
ROUNDING = 1e-9


def table(values: pd.DataFrame, title: str) -> Figure:
    """Numbers, in per cent, as shades: the frame's index and columns are two settings; blank where there is none."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(1.5 + 0.8 * values.shape[1], 1 + 0.5 * values.shape[0]))
        sns.heatmap(values, annot=True, fmt=".1f", cmap="Blues", cbar=False, ax=axis)
        axis.set(title=title)
        figure.tight_layout()
    return figure


def shares(counts: Mapping[str, np.ndarray], edges: np.ndarray, name: str) -> Figure:
    """Histograms on one logarithmic axis, one panel each: data set to counts (b,) in bins with `edges` (b + 1,)."""
    with canvas(1, len(counts), (3 * len(counts), 2.4), sharey=True) as (figure, axes):
        for axis, (title, count) in zip(axes.flat, counts.items(), strict=True):
            axis.stairs(100 * np.asarray(count) / np.sum(count), edges, fill=True, color=OURS)
            axis.set(title=called(title), xlabel=name, yscale="symlog", ylim=(0, 100))
        axes[0, 0].set_ylabel("% of the samples")
    return figure


def restarts(frame: pd.DataFrame, losses: Mapping[str, str]) -> Figure:
    """Macro F1 of several MNets over losses that need no labels, one panel each; shades tell the outputs in use.

    `frame`: rows with method, f1_macro (in per cent), used, and columns of losses; `losses`: name of an axis to column.
    """
    with plt.rc_context(STYLE):
        size = 3.6 * len(losses) + 1, 3
        figure, axes = plt.subplots(1, len(losses), figsize=size, sharey=True, squeeze=False, layout="constrained")
        shades = {"cmap": "viridis", "vmin": frame["used"].min(), "vmax": frame["used"].max()}
        for axis, (name, column) in zip(axes.flat, losses.items(), strict=True):
            for method, _, marker in looks(frame["method"].unique(), MARKERS):
                rows = frame[frame["method"] == method]
                options = {"c": rows["used"], "marker": marker, "s": 34, "edgecolors": "0.3", "label": method}
                found = axis.scatter(rows[column], rows["f1_macro"], **options, **shades)
            axis.set(xlabel=name)
            axis.grid(color="0.92")
            axis.set_axisbelow(True)
        axes[0, 0].set_ylabel("macro F1, %")
        axes[0, 0].legend(frameon=False)
        figure.colorbar(found, ax=axes, label="outputs in use", ticks=sorted(set(frame["used"])))
    return figure


def vectors(panels: Mapping[str, np.ndarray]) -> Figure:
    """Rows of probabilities as shades, one panel each, sorted by their largest entry: data set to (n, K)."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(2.6 * len(panels), 3.4), squeeze=False)
        for axis, (title, q) in zip(axes.flat, panels.items(), strict=True):
            q = np.asarray(q)
            shade = axis.imshow(q[np.argsort(q.argmax(1), kind="stable")], **_SHADES)
            axis.set(title=called(title), xlabel="cluster", ylabel="sample", yticks=[], xticks=range(q.shape[1]))
        figure.colorbar(shade, ax=axes, fraction=0.03, label="q")
    return figure


def bounds(panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, str, str]]) -> Figure:
    """Values beside what bounds them, one panel each: shades say how many draws fall into a cell (logarithmic).

    `panels`: title to x (n,), values (n,), a curve (m, 2) of the bound, and the names of both axes.
    """
    with canvas(1, len(panels), (3.5 * len(panels), 3.2)) as (figure, axes):
        shades = {"gridsize": 50, "extent": (0, 1, 0, 1), "cmap": "Blues", "linewidths": 0}
        for axis, (title, (x, values, curve, name, of)) in zip(axes.flat, panels.items(), strict=True):
            if any(np.min(each) < -ROUNDING or np.max(each) > 1 + ROUNDING for each in (x, values)):
                raise ValueError(f"{title}: the picture has no place for values outside [0, 1]")
            cells = axis.hexbin(x, values, norm=LogNorm(1), rasterized=True, **shades)
            axis.plot(*np.asarray(curve).T, color=PAPER, linewidth=2, label="bound")
            axis.set(xlabel=name, ylabel=of, xlim=(0, 1), ylim=(0, 1), title=title, aspect="equal")
            figure.colorbar(cells, ax=axis, fraction=0.046, label="draws")
        axes[0, 0].legend(frameon=False, loc="upper left")
    return figure


def gains_at(frame: pd.DataFrame, setting: str, base: str, metrics: Sequence[str], name: str) -> Figure:
    """What methods gain over `base` at each value of a setting, a panel a score, a line a method.

    A dot is the mean over the seeds at one value, its bar goes from the lowest seed to the highest; the values stand
    below each other, the lowest at the top. `frame`: rows with method, seed, metric, value (in [0, 1]) and the column
    of the setting, whose `name` stands in the legend.
    """
    methods = [method for method in dict.fromkeys(frame["method"]) if method != base]
    values = sorted(frame[setting].unique())
    wide = 100 * frame.pivot(index=["metric", setting, "seed"], columns="method", values="value")
    gains = wide[methods].sub(wide[base], axis=0)
    colors = plt.get_cmap("cividis")(np.linspace(0, 0.9, len(values)))
    size = (1.6 + 2.6 * len(metrics), 1 + 0.45 * len(methods))
    with canvas(1, len(metrics), size, sharey=True) as (figure, axes):
        for axis, metric in zip(axes.flat, metrics, strict=True):
            axis.axvline(0, color="0.6", linewidth=0.8)
            for color, shift, value in zip(colors, np.linspace(-0.3, 0.3, len(values)), values, strict=True):
                found = gains.loc[metric, value]
                rows = np.arange(len(methods)) + shift
                axis.hlines(rows, found.min(), found.max(), color=color, linewidth=1)
                axis.plot(found.mean(), rows, "o", color=color, markersize=4, label=f"{name} = {value:g}")
            axis.set(xlabel=f"{named(metric)} over {base}, points", ylim=(len(methods) - 0.5, -0.5))
            axis.set_yticks(range(len(methods)), methods)
            axis.hlines(np.arange(len(methods) - 1) + 0.5, *axis.get_xlim(), color="0.92", linewidth=0.8)
            axis.margins(x=0)
        axes[0, -1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def over_clusters(frame: pd.DataFrame, classes: int, metrics: Sequence[str] = ("acc", "nmi")) -> Figure:
    """Scores over the number of clusters, a panel a score, a line a method: means of the seeds, bars lowest to highest.

    `frame`: rows of one data set with method, n_clusters, metric and value (in [0, 1]); a vertical line marks the
    number of `classes`.
    """
    methods, numbers = list(dict.fromkeys(frame["method"])), sorted(frame["n_clusters"].unique())
    shifts = 0.2 * (np.arange(len(methods)) - 1)
    with canvas(1, len(metrics), (1.2 + 2.9 * len(metrics), 2.9)) as (figure, axes):
        for axis, metric in zip(axes.flat, metrics, strict=True):
            axis.axvline(classes, color="0.6", linestyle=":", label=f"{classes} classes")
            for (method, color, marker), shift in zip(looks(methods, MARKERS), shifts, strict=True):
                part = frame[(frame["method"] == method) & (frame["metric"] == metric)]
                seeds = 100 * part.groupby("n_clusters")["value"].agg(["mean", "min", "max"])
                axis.vlines(seeds.index + shift, seeds["min"], seeds["max"], color=color, linewidth=1)
                axis.plot(seeds.index + shift, seeds["mean"], marker=marker, color=color, markersize=5, label=method)
            axis.set(xlabel="number of clusters K", ylabel=f"{named(metric)}, %", xticks=numbers)
            axis.set_title(called(frame["dataset"].iloc[0]))
            axis.grid(axis="y", color="0.92")
        axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def matched_filters(rows: Mapping[str, np.ndarray], titles: Sequence[str]) -> Figure:
    """Filters (n, C, k, k) of several networks, a line each, a column for those that belong together.

    Averaged over the channels; gray is 0, black and white are minus and plus the largest weight of that filter.
    """
    with plt.rc_context(STYLE):
        size = (2.1 + 0.72 * len(titles), 0.35 + 0.72 * len(rows))
        figure, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False)
        for line, (name, filters) in zip(axes, rows.items(), strict=True):
            for axis, each in zip(line, np.asarray(filters).mean(1), strict=True):
                axis.imshow(each / np.abs(each).max(), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis, title in zip(axes[0], titles, strict=True):
            axis.set_title(title, loc="center", fontsize=9)
        figure.tight_layout(pad=0.4)
    return figure


def over_steps(frame: pd.DataFrame, panels: Mapping[str, tuple[str, bool]]) -> Figure:
    """Measures over the step of phase 1, a line a network with a dot a seed.

    `frame` : columns network, step, metric, value. `panels` : metric to its name, and whether its axis is
    logarithmic.
    """
    steps = sorted(frame["step"].unique())
    with canvas(1, len(panels), (3.1 * len(panels), 2.8)) as (figure, axes):
        for axis, (metric, (name, logarithmic)) in zip(axes.flat, panels.items(), strict=True):
            for network, color, _ in looks(sorted(frame["network"].unique()), colors=(OURS, PAPER)):
                of = frame[(frame["network"] == network) & (frame["metric"] == metric)]
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
    shapes = {name: marker for name, _, marker in looks(frame["dataset"].unique(), MARKERS)}
    if not (frame["share"] > 0).all():
        raise ValueError("a share of 0 has no place on a logarithmic axis")
    with canvas(1, len(gains), (3.6 * len(gains) + 1.6, 3)) as (figure, axes):
        for axis, (column, name) in zip(axes.flat, gains.items(), strict=True):
            axis.axhline(0, color="0.7", linewidth=0.8)
            for network, color, _ in looks(sorted(frame["network"].unique()), colors=(OURS, PAPER)):
                part = frame[frame["network"] == network]
                for dataset, runs in part.groupby("dataset"):
                    label = f"{network}, {called(dataset)}"
                    axis.plot(runs["share"], runs[column], shapes[dataset], color=color, label=label, markersize=6)
            axis.set(xscale="log", xlabel="share of centering in the loss, %", ylabel=name)
            axis.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
            axis.xaxis.set_minor_formatter(NullFormatter())
        axes[0, -1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


_SHADES = {"aspect": "auto", "cmap": "Blues", "vmin": 0, "vmax": 1, "interpolation": "nearest"}


def races(frame: pd.DataFrame, metric: str, of: str) -> Figure:
    """A score over computing time, a panel a method, a line a seed; behind it in gray the lines of the method `of`.

    `frame` : `dcbook.chapters.dcss.tables.timed` rows of one data set. A vertical line marks the mean end of `of`; a
    run that ends before keeps its last score, dotted.
    """
    methods = [of, *(name for name in dict.fromkeys(frame["method"]) if name != of)]
    columns = min(3, len(methods))
    lines = -(-len(methods) // columns)
    end = frame[frame["method"] == of].groupby("seed")["seconds"].max().mean()
    with canvas(lines, columns, (2.9 * columns, 0.4 + 2.2 * lines), sharex=True, sharey=True) as (figure, axes):
        for axis, method in zip(axes.flat, methods, strict=False):
            for name, color in ((of, "0.75"), (method, OURS)):
                for _, run in frame[frame["method"] == name].groupby("seed"):
                    axis.plot(run["seconds"], run[metric], color=color, linewidth=1)
                    last = run.iloc[-1]
                    axis.plot(last["seconds"], last[metric], MARKERS[0], color=color, markersize=3)
                    axis.hlines(last[metric], last["seconds"], max(end, last["seconds"]), color=color, linestyle=":")
            axis.axvline(end, color="0.6", linestyle="--", linewidth=0.8)
            axis.set(title=method)
            axis.grid(color="0.92")
        for axis in axes.flat[len(methods) :]:
            axis.set_axis_off()
        for axis in axes[:, 0]:
            axis.set_ylabel(f"{named(metric)}, %")
        for axis in axes[-1]:
            axis.set_xlabel("core-seconds after the start")
    return figure
