"""Pictures of scores: beside the paper's, seed by seed, over the values of a setting or the layers of a network."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.plots.names import called, named
from dcbook.plots.style import OURS, PAPER, STYLE, at_least, canvas, legend_beside, looks

LEAST = 5.0  # points that an axis of scores spans, so that differences of tenths don't fill it


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
            if rows["reported"].notna().any():
                faces = [PAPER if same else "none" for same in comparable]
                axis.scatter(
                    rows["reported"], range(len(methods)), marker="D", s=22, c=faces, edgecolors=PAPER, label="paper"
                )
            beside = next((str(name) for name in rows["reported_on"] if isinstance(name, str) and name), dataset)
            other = wrap(f"paper: {called(beside)}", 32) if beside != dataset else []
            axis.set_title("\n".join([called(dataset), *other]), fontsize=8)
            axis.set(xlabel=f"{named(metric)}, %", yticks=range(len(methods)), yticklabels=methods)
            at_least(axis, LEAST)
            axis.grid(axis="x", color="0.92")
            axis.set_axisbelow(True)
        axes[0, 0].invert_yaxis()
        figure.tight_layout()
        shown = {
            text: handle for axis in axes.flat for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shown.values(), shown, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False)
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
        for line, (name, color, _) in enumerate(looks(marks), 1):
            scores = list(marks[name])
            axis.scatter(scores, [line] * len(scores), s=22, color=color)
        axis.set(yticks=range(len(marks) + 1), xlabel=metric, ylim=(len(marks) + 0.6, -0.6))
        axis.set_yticklabels([f"{len(values)} single starts\n(5-95 % marked)", *marks])
        axis.grid(axis="x", color="0.92")
        axis.set_axisbelow(True)
        figure.tight_layout()
    return figure


def sensitivity(panels: Mapping[str, tuple[pd.DataFrame, str]], marks: Mapping[str, float] | None = None) -> Figure:
    """Scores over the values of one setting, one panel each: the mean of the seeds and a band from lowest to highest.

    `panels`: title to rows with metric (a line each), value (in [0, 1]) and the column of the setting, and that
    column's name. The values stand at equal distances, in the order of the rows. `marks`: a panel's title to the
    paper's value of the setting, drawn as a dotted line where it is among them.
    """
    with canvas(1, len(panels), (1 + 2.5 * len(panels), 2.7)) as (figure, axes):
        for axis, (title, (frame, setting)) in zip(axes.flat, panels.items(), strict=True):
            settings = list(dict.fromkeys(frame[setting]))
            for metric, color, _ in looks(dict.fromkeys(frame["metric"])):
                scores = frame[frame["metric"] == metric].groupby(setting, dropna=False)["value"]
                seeds = 100 * scores.agg(["mean", "min", "max"]).reindex(settings)
                axis.plot(range(len(settings)), seeds["mean"], "o-", color=color, markersize=4, label=named(metric))
                axis.fill_between(range(len(settings)), seeds["min"], seeds["max"], color=color, alpha=0.15, lw=0)
            if marks and title in marks and marks[title] in settings:
                axis.axvline(settings.index(marks[title]), color="0.6", linestyle=":", label="paper's setting")
            axis.set(xlabel=setting, xticks=range(len(settings)), xticklabels=map(str, settings))
            axis.set_title("\n".join(wrap(title, 24)), fontsize=8)
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel("%")
        legend_beside(axes)
    return figure


def contest(frame: pd.DataFrame, setting: str, metric: str = "acc") -> Figure:
    """A score of several methods over the values of one setting: means over the seeds, bands from lowest to highest.

    `frame`: rows with method, metric, value (in [0, 1]) and the column of the setting.
    """
    frame = frame[frame["metric"] == metric]
    methods = list(dict.fromkeys(frame["method"]))
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.4, 3.4))
        for method, color, _ in looks(methods):
            seeds = 100 * frame[frame["method"] == method].groupby(setting)["value"].agg(["mean", "min", "max"])
            axis.plot(seeds.index, seeds["mean"], "o-", color=color, markersize=4, label=method)
            axis.fill_between(seeds.index, seeds["min"], seeds["max"], color=color, alpha=0.12, lw=0)
        axis.set(xlabel=setting, ylabel=f"{named(metric)}, %")
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
    with canvas(1, len(datasets), (1.2 + 4 * len(datasets), 2.8), sharey=True) as (figure, axes):
        for axis, dataset in zip(axes.flat, datasets, strict=True):
            for network, color, _ in looks(networks):
                part = frame[(frame["dataset"] == dataset) & (frame["network"] == network)]
                seeds = part.groupby("layer")["value"].agg(["mean", "min", "max"]).reindex(names)
                axis.plot(range(len(names)), seeds["mean"], "o-", color=color, markersize=4, label=network)
                axis.fill_between(range(len(names)), seeds["min"], seeds["max"], color=color, alpha=0.15, lw=0)
            axis.set(title=called(dataset), xticks=range(len(names)), xticklabels=names)
            axis.grid(color="0.92")
        axes[0, 0].set_ylabel(label)
        legend_beside(axes)
    return figure


def dots(
    panels: Mapping[str, Mapping[str, Sequence[float]]], name: str, mark: float | None = None, least: float = 0
) -> Figure:
    """Every seed as a dot and their mean as a bar, one line for each row, one panel each on axes of their own.

    `panels`: title to row to the values of its seeds; all panels have the same rows. `name` is that of the values,
    `mark` one that is drawn as a vertical line, `least` the smallest width of an axis.
    """
    rows = list(next(iter(panels.values())))
    size = (1.6 + 2.6 * len(panels), 1 + 0.32 * len(rows))
    with canvas(1, len(panels), size, sharey=True) as (figure, axes):
        for axis, (title, lines) in zip(axes.flat, panels.items(), strict=True):
            for place, row in enumerate(rows):
                values = np.asarray(lines[row])
                axis.scatter(values, np.full(len(values), place), s=18, color=OURS, alpha=0.6, linewidths=0)
                axis.scatter(values.mean(), place, marker="|", s=140, color=OURS)
            if mark is not None:
                axis.axvline(mark, color="0.6", linestyle=":")
            axis.set(title=title, xlabel=name, yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
            at_least(axis, least)
            axis.grid(axis="x", color="0.92")
            axis.set_axisbelow(True)
    return figure
