"""Pictures of this chapter: what a second phase makes of a latent space, and the paradigms of Figs. 4 and 5."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dcbook.chapters.rdc.paradigms import FIG4_FIG5, Paradigm, Phase
from dcbook.chapters.rdc.tables import arm
from dcbook.plots.names import called, named
from dcbook.plots.style import PALETTE, STYLE, bands, canvas, legend_beside, looks, over_seeds

CLASSES = (0, 1, 9, 7, 4, 2, 8, 3, 5, 6)  # of the palette: the first four differ for readers who confuse red and green
SHAPES = ("o", "s", "^", "D", "v", "P")
FRAMES = 4  # of a portrait that a picture shows


def snapshots(rows: Mapping[str, Mapping]) -> Figure:
    """One plane of a latent space over the epochs, one row each: title to a portrait of `Snapshots`.

    At most `FRAMES` of its frames are shown, the first and the last among them. Colors are true classes. Each panel has
    a scale of its own, told below it, and both of its axes have the same.
    """
    shown = {title: _some(portrait["frames"]) for title, portrait in rows.items()}
    most = max(map(len, shown.values()))
    with canvas(len(rows), most, (1.9 * most, 2.2 * len(rows))) as (figure, axes):
        for line, (title, portrait) in zip(axes, rows.items(), strict=True):
            labels = np.asarray(portrait["labels"])
            palette = sns.color_palette(PALETTE)
            colors = np.array(sns.color_palette("tab20") if labels.max() > 9 else [palette[i] for i in CLASSES])[labels]
            for axis in line:
                axis.set_axis_off()
            for axis, frame in zip(line, shown[title], strict=False):
                axis.set_axis_on()
                places = np.asarray(frame["places"])
                low, high = places.min(0), places.max(0)
                axis.scatter(*places.T, s=3, c=colors, linewidths=0, rasterized=True)
                half = 0.55 * (high - low).max() or 1
                for limits, middle in zip((axis.set_xlim, axis.set_ylim), (low + high) / 2, strict=True):
                    limits(middle - half, middle + half)
                axis.set(xticks=[], yticks=[], title=f"epoch {frame['epoch']}" if frame["epoch"] else "before phase 2")
                axis.set_xlabel(f"{2 * half / 1.1:.2g} wide", fontsize=7)
            line[0].set_ylabel(title, fontsize=8)
    return figure


def _some(frames: Sequence[Mapping]) -> list[Mapping]:
    """At most `FRAMES` of them at about equal distances, from the first to the last."""
    places = np.linspace(0, len(frames) - 1, min(FRAMES, len(frames))).round().astype(int)
    return [frames[place] for place in places]


def dimensions(frame: pd.DataFrame) -> Figure:
    """Mean ID and LID over the epochs, a panel for each data set (a row) and pretraining (a column).

    `frame`: rows with dataset, start, seed, epoch (0: before phase 2), id and lid. A line is the mean of the seeds, its
    band goes from the lowest to the highest.
    """
    datasets, starts = (list(dict.fromkeys(frame[name])) for name in ("dataset", "start"))
    colors = dict(zip(("id", "lid"), (sns.color_palette(PALETTE)[i] for i in (0, 3)), strict=True))
    size = 1.2 + 3.2 * len(starts), 0.4 + 2.3 * len(datasets)
    with canvas(len(datasets), len(starts), size, sharey=True) as (figure, axes):
        for line, dataset in zip(axes, datasets, strict=True):
            for axis, start in zip(line, starts, strict=True):
                part = frame[(frame["dataset"] == dataset) & (frame["start"] == start)]
                for name, color in colors.items():
                    over_seeds(axis, part, "epoch", name, color=color, label=f"mean {name.upper()}")
                axis.set(title=f"{called(dataset)}, {start}")
                axis.grid(color="0.92")
        for axis in axes[-1]:
            axis.set_xlabel("epoch of DEC")
        axes[0, 0].set_ylim(0, None)
        legend_beside(axes[:1])
    return figure


def phases(frame: pd.DataFrame, metric: str = "acc") -> Figure:
    """A score after phase 1 and after phase 2, a line from one to the other for each seed, one panel per data set.

    `frame`: rows with dataset, method, seed, metric, `phase 1` and `phase 2` (in per cent) and majority, the share of
    the largest class in per cent, which is drawn as a dotted line where the metric is ACC.
    """
    frame = frame[frame["metric"] == metric]
    datasets, methods = (list(dict.fromkeys(frame[name])) for name in ("dataset", "method"))
    first, second = (sns.color_palette(PALETTE)[i] for i in (7, 0))
    columns = min(3, len(datasets))
    lines = -(-len(datasets) // columns)
    size = 1.8 + 2.4 * columns, lines * (1 + 0.5 * len(methods))
    with canvas(lines, columns, size, sharey=True) as (figure, axes):
        for axis in axes.flat[len(datasets) :]:
            axis.set_axis_off()
        for axis, dataset in zip(axes.flat, datasets, strict=False):
            part = frame[frame["dataset"] == dataset]
            places = part["method"].map(methods.index) + _beside(part)
            axis.hlines(places, part["phase 1"], part["phase 2"], color="0.7", linewidth=1, zorder=0)
            for name, color in {"phase 1": first, "phase 2": second}.items():
                axis.scatter(part[name], places, s=16, color=color, linewidths=0, label=f"after {name}")
            if metric == "acc":
                axis.axvline(part["majority"].iloc[0], color="0.6", linestyle=":", label="largest class")
            axis.set(xlabel=f"{named(metric)}, %", yticks=range(len(methods)), yticklabels=methods)
            axis.set_title(called(dataset))
            axis.grid(axis="x", color="0.92")
            axis.set_axisbelow(True)
        axes[0, 0].set_ylim(len(methods) - 0.5, -0.5)
        handles, texts = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=3, frameon=False)
    return figure


def lengths(frame: pd.DataFrame) -> Figure:
    """ACC after phase 1 and after phase 2 over the length of phase 1, a panel for each way to train phase 1.

    `frame`: of `by_length`, with one data set. A line is the mean of the seeds, its band goes from the lowest to the
    highest.
    """
    frame = frame[frame["metric"] == "acc"]
    arms = list(frame.groupby(["critic", "lam"], sort=False))
    methods = list(dict.fromkeys(frame["method"]))
    styles = {method: look for method, *look in looks(methods, "os^Dv")}
    with canvas(1, len(arms), (1.6 + 2.5 * len(arms), 2.9), sharey=True) as (figure, axes):
        for axis, ((critic, lam), part) in zip(axes.flat, arms, strict=True):
            for method, each in part.groupby("method", sort=False):
                color, marker = styles[method]
                seeds = 100 * each.groupby("epochs")["value"].agg(["mean", "min", "max"])
                axis.plot(seeds.index, seeds["mean"], marker=marker, color=color, markersize=4, label=method)
                axis.fill_between(seeds.index, seeds["min"], seeds["max"], color=color, alpha=0.12, lw=0)
            ticks = sorted(set(part["epochs"]))
            axis.set(xscale="log", xticks=ticks, xticklabels=ticks, xlabel="epochs of phase 1")
            axis.set_title(arm(critic, lam))
            axis.minorticks_off()
            axis.margins(x=0.2)
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel(f"ACC, %, {called(frame['dataset'].iloc[0])}")
        handles = {
            text: line for axis in axes.flat for line, text in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        shown = [name for name in methods if name in handles]
        figure.legend(
            [handles[name] for name in shown], shown, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False
        )
    return figure


def courses(frame: pd.DataFrame, panels: Mapping[str, str]) -> Figure:
    """Diagnostics over phase 2: a row a data set, a column a diagnostic, a line a method, a band over the seeds.

    `frame`: rows with dataset, method, seed, progress (share of the method's epochs, in [0, 1]) and the columns that
    `panels` names, column to title, None where there is no number.
    """
    datasets, methods = list(dict.fromkeys(frame["dataset"])), list(dict.fromkeys(frame["method"]))
    size = 1.8 + 2.6 * len(panels), 0.6 + 2 * len(datasets)
    with canvas(len(datasets), len(panels), size, sharex=True) as (figure, axes):
        for line, dataset in zip(axes, datasets, strict=True):
            part = frame[frame["dataset"] == dataset].astype(dict.fromkeys(panels, float))
            for axis, (column, title) in zip(line, panels.items(), strict=True):
                bands(axis, part.dropna(subset=[column]), methods, column)
                axis.set(title=f"{title}, {called(dataset)}")
                axis.grid(color="0.92")
        for axis in axes[-1]:
            axis.set_xlabel("share of the method's epochs")
        handles = [plt.Line2D([], [], color=color) for color in sns.color_palette(PALETTE, len(methods))]
        figure.legend(handles, methods, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def diagnoses(frame: pd.DataFrame, panels: Mapping[str, str], paradigms: Mapping[str, str]) -> Figure:
    """Paradigm by diagnostic: one row a method, one panel a diagnostic, one dot a run.

    `frame`: rows with dataset (a color and a shape each), method, and the columns that `panels` names, column to title;
    `paradigms` has the rows in their order, method to paradigm. A method without a number has no dot; dotted lines are
    at 0.
    """
    datasets, methods = list(dict.fromkeys(frame["dataset"])), list(paradigms)
    size = 2.4 + 1.75 * len(panels), 1.2 + 0.42 * len(methods)
    with canvas(1, len(panels), size, sharey=True) as (figure, axes):
        for axis, (column, title) in zip(axes.flat, panels.items(), strict=True):
            for number, (dataset, color, shape) in enumerate(looks(datasets, SHAPES)):
                part = frame[(frame["dataset"] == dataset) & frame["method"].isin(methods)].dropna(subset=[column])
                beside = 0.5 * (number + 0.5) / len(datasets) - 0.25
                places = part["method"].map(methods.index).astype(float) + beside
                look = {"color": color, "marker": shape, "label": called(dataset)}
                axis.scatter(part[column], places, s=14, alpha=0.7, linewidths=0, **look)
            axis.axvline(0, color="0.6", linestyle=":")
            axis.set(title=title, yticks=range(len(methods)), ylim=(len(methods) - 0.5, -0.5))
            axis.grid(axis="y", color="0.92")
            axis.set_axisbelow(True)
        axes[0, 0].set_yticklabels([f"{method}\n{paradigm}" for method, paradigm in paradigms.items()], fontsize=7)
        handles, texts = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=4, frameon=False)
    return figure


KEPT, FAR, ALONE = (sns.color_palette(PALETTE)[i] for i in (0, 1, 4))
BOTH = (0.2, 0.2, 0.2)
FATES = {(True, True): KEPT, (False, True): FAR, (True, False): ALONE, (False, False): BOTH}


def neighborhoods(portrait: Mapping, images: np.ndarray) -> Figure:
    """Samples (a row each), their nearest neighbors, and the decoded centroid of those that both filters keep.

    `portrait`: of `Filtered`; `images` (N, C, H, W), all of them. A neighbor's frame is blue
    if it is kept, orange if it is too far, purple if it does not agree, dark gray if both.
    """
    samples, neighbors = portrait["samples"], np.asarray(portrait["neighbors"])
    size = 0.62 * (neighbors.shape[1] + 2), 0.66 * len(samples) + 0.4
    with canvas(len(samples), neighbors.shape[1] + 2, size) as (figure, axes):
        for number, line in enumerate(axes):
            own = images[samples[number]]
            tiles = [own, *images[neighbors[number]], np.reshape(portrait["centroids"][number], own.shape) / 255]
            fates = zip(portrait["near"][number], portrait["agree"][number], strict=True)
            colors = ["none", *(FATES[fate] for fate in fates), "none"]
            for axis, tile, color in zip(line, tiles, colors, strict=True):
                axis.imshow(tile.transpose(1, 2, 0), cmap="gray_r", interpolation="nearest")
                (height, width), beside = tile.shape[1:], 0.1 * max(tile.shape[1:])  # so that no frame covers a tile
                axis.set(xlim=(-0.5 - beside, width - 0.5 + beside), ylim=(height - 0.5 + beside, -0.5 - beside))
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set(visible=True, color=color, linewidth=1.5)
        axes[0, 0].set_title("sample", loc="center", fontsize=7)
        axes[0, 1].set_title("neighbors, nearest first", fontsize=7)
        axes[0, -1].set_title("decoded\ncentroid", loc="center", fontsize=7)
        names = {"kept": KEPT, "too far": FAR, "not mutual": ALONE, "both": BOTH}
        handles = [plt.Line2D([], [], color=color, linewidth=2, label=name) for name, color in names.items()]
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.03), ncols=4, frameon=False)
    return figure


def _beside(part: pd.DataFrame) -> Sequence[float]:
    """Where the seeds stand beside their method's line, so that none hides another."""
    seeds = sorted(set(part["seed"]))
    return part["seed"].map(seeds.index) * 0.2 - 0.1 * (len(seeds) - 1)


SELF, PSEUDO = (sns.color_palette(PALETTE)[i] for i in (0, 3))
BOX, GAP, NAME = 2.6, 0.9, 2.2  # widths of a phase, of the way to the next one, and of the paradigm's name


def paradigms(rows: Sequence[Paradigm] = FIG4_FIG5) -> Figure:
    """One row a paradigm: its phases from left to right, what supervises each, and what the paper says goes wrong.

    Blue boxes are self-supervision, orange ones pseudo-supervision; two in one phase are minimized together.
    """
    most = max(len(row.phases) for row in rows)
    width = NAME + most * (BOX + GAP) + BOX
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(0.85 * width, 1.15 * len(rows)))
        axis.set(xlim=(0, width), ylim=(len(rows) - 0.45, -0.55))
        axis.set_axis_off()
        for place, row in enumerate(rows):
            axis.text(0, place, f"{row.name}\n{row.methods}", va="center", fontsize=8)
            for number, phase in enumerate(row.phases):
                left = NAME + GAP + number * (BOX + GAP)
                _arrow(axis, left - GAP + 0.1, left - 0.1, place, "images" if number == 0 else "weights")
                _phase(axis, left, place, phase)
            failures = "\n".join(row.failures) or "none of these"
            axis.text(width - BOX + 0.3, place, failures, va="center", fontsize=8, style="italic")
        axis.text(width - BOX + 0.3, -0.5, "what fails, says the paper", fontsize=8, weight="bold")
        figure.tight_layout()
    return figure


def _phase(axis: Axes, left: float, place: float, phase: Phase) -> None:
    """A box for each of its signals, and its name above."""
    axis.text(left + BOX / 2, place - 0.36, phase.name, ha="center", va="center", fontsize=8, weight="bold")
    each = BOX / len(phase.signals)
    for number, (kind, source) in enumerate(phase.signals):
        color = {"self": SELF, "pseudo": PSEUDO}[kind]
        corner = left + number * each + 0.03, place - 0.22
        shape = FancyBboxPatch(
            corner, each - 0.06, 0.5, boxstyle="round,pad=0,rounding_size=0.08", fc=color, alpha=0.25
        )
        axis.add_patch(shape)
        narrow = each < BOX
        text = f"{kind}-{'sup.' if narrow else 'supervision'}:\n" + "\n".join(wrap(source, 15 if narrow else 30))
        axis.text(corner[0] + each / 2 - 0.03, place + 0.03, text, ha="center", va="center", fontsize=7)


def _arrow(axis: Axes, start: float, end: float, place: float, name: str) -> None:
    axis.add_patch(FancyArrowPatch((start, place), (end, place), arrowstyle="-|>", mutation_scale=9, color="0.3"))
    axis.text((start + end) / 2, place - 0.12, name, ha="center", fontsize=6.5, color="0.3")
