"""One function per kind of picture, one style. Each takes data and returns a matplotlib figure."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from dcbook.evaluation import UNMATCHED, match, tsne

STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "font.size": 9}
PALETTE = "colorblind"
OURS, PAPER = sns.color_palette(PALETTE)[0], sns.color_palette(PALETTE)[3]


def samples(images: np.ndarray, labels: np.ndarray, clusters: np.ndarray, per_cluster: int = 12) -> Figure:
    """The first images of every cluster in a row each, those of another class than the cluster's framed in red.

    `images` (N, C, H, W), `labels` and `clusters` (N,).
    """
    matched, rows = match(labels, clusters), np.unique(clusters)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(rows), per_cluster, figsize=(0.5 * per_cluster, 0.5 * len(rows)), squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for cluster, line in zip(rows, axes, strict=True):
            for index, axis in zip(np.flatnonzero(clusters == cluster), line, strict=False):
                axis.imshow(images[index].transpose(1, 2, 0), cmap="gray_r", interpolation="nearest")
                if matched[index] != labels[index]:
                    axis.set_axis_on()
                    axis.set(xticks=[], yticks=[])
                    axis.spines[:].set(visible=True, color=PAPER, linewidth=2)
    return figure


def spaces(codes: Mapping[str, np.ndarray], labels: np.ndarray, names: Sequence[str], seed: int = 0) -> Figure:
    """t-SNE maps of several spaces side by side, as in `maps`; `codes`: title to an array (N, d)."""
    return maps([{title: tsne(space, seed) for title, space in codes.items()}], [labels], [names])


def maps(
    rows: Sequence[Mapping[str, np.ndarray]], labels: Sequence[np.ndarray], names: Sequence[Sequence[str]]
) -> Figure:
    """Maps that are there already, one row for each data set, colored by true class.

    `rows`: title to places (n, 2); `labels`: for each row (n,), indices of its `names`. Maps of different spaces share
    no axes, and distances between far groups mean nothing in them.
    """
    with plt.rc_context(STYLE):
        size = 3.6 * len(rows[0]), 3.6 * len(rows)
        figure, axes = plt.subplots(len(rows), len(rows[0]), figsize=size, squeeze=False)
        for line, row, label, called in zip(axes, rows, labels, names, strict=True):
            colors = np.array(sns.color_palette("tab20" if len(called) > 10 else "tab10", len(called)))
            for axis, (title, places) in zip(line, row.items(), strict=True):
                axis.scatter(*places.T, s=3, c=colors[label], linewidths=0, rasterized=True)
                for number, name in enumerate(called):
                    center = np.median(places[label == number], axis=0)
                    axis.annotate(name, center, ha="center", va="center", weight="bold", bbox=_LABEL)
                axis.set(title=title, xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
        figure.tight_layout()
    return figure


def confusion(labels: np.ndarray, clusters: np.ndarray, names: Sequence[str]) -> Figure:
    """How many samples of each class (rows) are in the cluster matched to each (columns), in % of the row."""
    matched = match(labels, clusters)
    classes = [*range(len(names)), *([UNMATCHED] if (matched == UNMATCHED).any() else [])]
    share = 100 * confusion_matrix(labels, matched, labels=classes, normalize="true")[: len(names)]
    columns = [*names, *(["no class"] if UNMATCHED in classes else [])]
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(1.5 + 0.4 * len(columns), 0.8 + 0.35 * len(names)))
        text = np.where(share >= 0.5, np.char.mod("%.0f", share), "")
        sns.heatmap(share, annot=text, fmt="", cmap="Blues", cbar=False, ax=axis, vmin=0, vmax=100)
        axis.set_xticklabels(columns, rotation=0 if max(map(len, columns)) < 4 else 90)
        axis.set_yticklabels(names, rotation=0)
        axis.set(xlabel="cluster, by the class it is matched to", ylabel="class", title="% of each class")
    return figure


def comparison(frame: pd.DataFrame, seeds: pd.DataFrame, metric: str = "acc") -> Figure:
    """Every seed of ours beside the paper's value, one panel per data set, one line per method.

    Parameters
    ----------
    frame : the comparison (`dcbook.experiments.compare`).
    seeds : one row per run and metric (`dcbook.experiments.to_frame`): method, dataset, metric, value in [0, 1].
    metric : "acc", "nmi", …

    The paper's marker is hollow where its data is other than ours.
    """
    frame, seeds = frame[frame["metric"] == metric], seeds[seeds["metric"] == metric]
    datasets, methods = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["method"]))
    with plt.rc_context(STYLE):
        size = (1.2 + 2.6 * len(datasets), 1.1 + 0.32 * len(methods))
        figure, axes = plt.subplots(1, len(datasets), figsize=size, sharey=True, squeeze=False)
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            rows = frame[frame["dataset"] == dataset].set_index("method").reindex(methods)
            ours = seeds[seeds["dataset"] == dataset]
            comparable = rows["difference"].notna()
            ends = rows["reported"].where(comparable)
            axis.hlines(range(len(methods)), rows["mean"], ends, color="0.8", linewidth=1, zorder=0)
            places = ours["method"].map(methods.index)
            axis.scatter(
                100 * ours["value"], places, s=14, color=OURS, alpha=0.6, linewidths=0, label="ours, each seed"
            )
            axis.scatter(rows["mean"], range(len(methods)), marker="|", s=120, color=OURS, label="ours, mean")
            faces = [PAPER if same else "none" for same in comparable]
            axis.scatter(
                rows["reported"], range(len(methods)), marker="D", s=22, c=faces, edgecolors=PAPER, label="paper"
            )
            beside = next((str(name) for name in rows["reported_on"] if isinstance(name, str) and name), "")
            axis.set_title(
                "\n".join([dataset, *(wrap(f"paper: {beside}", 32) if beside != dataset else [])]), fontsize=8
            )
            axis.set(xlabel=f"{metric.upper()}, %", yticks=range(len(methods)), yticklabels=methods)
            axis.grid(axis="x", color="0.92")
            axis.set_axisbelow(True)
        axes[0, 0].invert_yaxis()
        figure.tight_layout()
        handles, texts = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False)
    return figure


def luck(values: np.ndarray, marks: Mapping[str, Iterable[float]], metric: str = "ACC, %") -> Figure:
    """How far single starts of k-means scatter on one fixed embedding, and where methods stand beside that.

    `values`: the score of every start; `marks`: name to the scores of its seeds; all in the same unit.
    """
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6, 1.6 + 0.3 * len(marks)))
        jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(values))
        axis.scatter(values, jitter, s=8, color="0.6", linewidths=0)
        axis.vlines(np.percentile(values, [5, 95]), -0.4, 0.4, color="0.3")
        for line, (scores, color) in enumerate(zip(marks.values(), sns.color_palette(PALETTE), strict=False), 1):
            scores = list(scores)
            axis.scatter(scores, [line] * len(scores), s=22, color=color)
        axis.set(yticks=range(len(marks) + 1), xlabel=metric, ylim=(len(marks) + 0.6, -0.6))
        axis.set_yticklabels([f"{len(values)} single starts\n(5-95 % marked)", *marks])
        axis.grid(axis="x", color="0.92")
        axis.set_axisbelow(True)
        figure.tight_layout()
    return figure


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


def sensitivity(panels: Mapping[str, tuple[pd.DataFrame, str]]) -> Figure:
    """Scores over the values of one setting, one panel each: the mean of the seeds and a band from lowest to highest.

    `panels`: title to rows with metric (a line each), value (in [0, 1]) and the column of the setting, and that
    column's name. The values stand at equal distances, in the order of the rows.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(1 + 2.5 * len(panels), 2.6), squeeze=False)
        for axis, (title, (frame, setting)) in zip(axes.flat, panels.items(), strict=True):
            settings = list(dict.fromkeys(frame[setting]))
            for metric, color in zip(dict.fromkeys(frame["metric"]), sns.color_palette(PALETTE), strict=False):
                seeds = 100 * frame[frame["metric"] == metric].groupby(setting)["value"].agg(["mean", "min", "max"])
                seeds = seeds.loc[settings]
                axis.plot(range(len(settings)), seeds["mean"], "o-", color=color, markersize=4, label=named(metric))
                axis.fill_between(range(len(settings)), seeds["min"], seeds["max"], color=color, alpha=0.15, lw=0)
            axis.set(title=title, xlabel=setting, xticks=range(len(settings)), xticklabels=settings)
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel("%")
        axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
    return figure


def contest(frame: pd.DataFrame, setting: str, metric: str = "acc") -> Figure:
    """A score of several methods over the values of one setting: means over the seeds, bands from lowest to highest.

    `frame`: rows with method, metric, value (in [0, 1]) and the column of the setting.
    """
    frame = frame[frame["metric"] == metric]
    methods = list(dict.fromkeys(frame["method"]))
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.4, 3.4))
        for method, color in zip(methods, sns.color_palette(PALETTE, len(methods)), strict=True):
            seeds = 100 * frame[frame["method"] == method].groupby(setting)["value"].agg(["mean", "min", "max"])
            axis.plot(seeds.index, seeds["mean"], "o-", color=color, markersize=4, label=method)
            axis.fill_between(seeds.index, seeds["min"], seeds["max"], color=color, alpha=0.12, lw=0)
        axis.set(xlabel=setting, ylabel=f"{metric.upper()}, %")
        axis.grid(color="0.92")
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
    return figure


def layers(frame: pd.DataFrame, label: str = "accuracy of a probe, %") -> Figure:
    """A number over the layers of a network, one panel per data set, one line per network, a band over the seeds.

    `frame`: rows with dataset, network, layer and value (in per cent); the layers stand in the order of the rows.
    """
    datasets, networks = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["network"]))
    names = list(dict.fromkeys(frame["layer"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(datasets), figsize=(1.2 + 4 * len(datasets), 2.8), sharey=True, squeeze=False
        )
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            for network, color in zip(networks, sns.color_palette(PALETTE), strict=False):
                part = frame[(frame["dataset"] == dataset) & (frame["network"] == network)]
                seeds = part.groupby("layer")["value"].agg(["mean", "min", "max"]).loc[names]
                axis.plot(range(len(names)), seeds["mean"], "o-", color=color, markersize=4, label=network)
                axis.fill_between(range(len(names)), seeds["min"], seeds["max"], color=color, alpha=0.15, lw=0)
            axis.set(title=dataset, xticks=range(len(names)), xticklabels=names)
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel(label)
        axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
    return figure


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
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(counts), figsize=(3 * len(counts), 2.4), sharey=True, squeeze=False)
        for axis, (title, count) in zip(axes.flat, counts.items(), strict=True):
            axis.stairs(100 * np.asarray(count) / np.sum(count), edges, fill=True, color=OURS)
            axis.set(title=title, xlabel=name, yscale="symlog", ylim=(0, 100))
        axes[0, 0].set_ylabel("% of the samples")
        figure.tight_layout()
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


def filters(panels: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Filters of a layer as tiles, one panel for each network: title to (n, C, k, k), averaged over the channels.

    Gray is 0; black and white are minus and plus the largest weight of that filter.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(2.1 * len(panels), 4.4), squeeze=False)
        for axis, (title, each) in zip(axes.flat, panels.items(), strict=True):
            each = np.asarray(each).mean(1)
            each = each / np.abs(each).max((1, 2), keepdims=True)
            each = np.pad(each, ((0, -len(each) % columns), (1, 1), (1, 1)), constant_values=np.nan)
            tiles = each.reshape(-1, columns, *each.shape[1:]).transpose(0, 2, 1, 3)
            picture = tiles.reshape(tiles.shape[0] * tiles.shape[1], -1)
            axis.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
            axis.set_title("\n".join(wrap(title, 26)), loc="center")
            axis.set_axis_off()
        figure.tight_layout()
    return figure


def dots(panels: Mapping[str, Mapping[str, Sequence[float]]], name: str, mark: float | None = None) -> Figure:
    """Every seed as a dot and their mean as a bar, one line for each row, one panel each on axes of their own.

    `panels`: title to row to the values of its seeds; all panels have the same rows. `name` is that of the values,
    `mark` one that is drawn as a vertical line.
    """
    rows = list(next(iter(panels.values())))
    with plt.rc_context(STYLE):
        size = (1.6 + 2.6 * len(panels), 1 + 0.32 * len(rows))
        figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
        for axis, (title, lines) in zip(axes.flat, panels.items(), strict=True):
            for place, row in enumerate(rows):
                values = np.asarray(lines[row])
                axis.scatter(values, np.full(len(values), place), s=18, color=OURS, alpha=0.6, linewidths=0)
                axis.scatter(values.mean(), place, marker="|", s=140, color=OURS)
            if mark is not None:
                axis.axvline(mark, color="0.6", linestyle=":")
            axis.set(title=title, xlabel=name, yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
            axis.grid(axis="x", color="0.92")
            axis.set_axisbelow(True)
        figure.tight_layout()
    return figure


def bounds(panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, str, str]]) -> Figure:
    """Values beside what bounds them, one panel each.

    `panels`: title to x (n,), values (n,), a curve (m, 2) of the bound, and the names of both axes.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 3.2), squeeze=False)
        for axis, (title, (x, values, curve, name, of)) in zip(axes.flat, panels.items(), strict=True):
            axis.scatter(x, values, s=2, color=OURS, alpha=0.25, linewidths=0, rasterized=True)
            axis.plot(*np.asarray(curve).T, color=PAPER)
            axis.set(xlabel=name, ylabel=of, xlim=(0, 1), ylim=(0, 1), title=title, aspect="equal")
        figure.tight_layout()
    return figure


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


_SHADES = {"aspect": "auto", "cmap": "Blues", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
_LABEL = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.7, "edgecolor": "none"}
