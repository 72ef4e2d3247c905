"""Pictures of images, of spaces as maps, and of filters."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.evaluation import match, tsne
from dcbook.plots.style import PAPER, STYLE, canvas


def samples(images: np.ndarray, labels: np.ndarray, clusters: np.ndarray, per_cluster: int = 12) -> Figure:
    """The first images of every cluster in a row each, those of another class than the cluster's framed in red.

    `images` (N, C, H, W), `labels` and `clusters` (N,).
    """
    images, labels, clusters = np.asarray(images), np.asarray(labels), np.asarray(clusters)
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
    size = 3.6 * len(rows[0]), 3.6 * len(rows)
    with canvas(len(rows), len(rows[0]), size) as (figure, axes):
        for line, row, label, called in zip(axes, rows, labels, names, strict=True):
            colors = np.array(sns.color_palette("tab20" if len(called) > 10 else "tab10", len(called)))
            for axis, (title, places) in zip(line, row.items(), strict=True):
                axis.scatter(*places.T, s=3, c=colors[label], linewidths=0, rasterized=True)
                for number, name in enumerate(called):
                    if (label == number).any():
                        at = densest(places[label == number])
                        axis.annotate(name, at, (0, 8), textcoords="offset points", **_LABEL)
                axis.set(title=title, xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
    return figure


def densest(places: np.ndarray, neighbors: int = 30) -> np.ndarray:
    """Of some points (n, 2) the one whose nearest others are closest: where a label of them all belongs, (2,).

    A median may lie between two groups, in empty space or among other points.
    """
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    near = np.sort(apart, axis=1)[:, : min(neighbors, len(places))]
    return places[near.mean(1).argmin()]


def filters(panels: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Filters of a layer as tiles, one panel for each network: title to (n, C, k, k), averaged over the channels.

    Gray is 0, as is a filter of zeros; black and white are minus and plus the largest weight of that filter.
    """
    with canvas(1, len(panels), (2.1 * len(panels), 4.4)) as (figure, axes):
        for axis, (title, each) in zip(axes.flat, panels.items(), strict=True):
            each = np.asarray(each).mean(1)
            largest = np.abs(each).max((1, 2), keepdims=True)
            each = each / np.where(largest > 0, largest, 1)
            each = np.pad(each, ((0, -len(each) % columns), (1, 1), (1, 1)), constant_values=np.nan)
            tiles = each.reshape(-1, columns, *each.shape[1:]).transpose(0, 2, 1, 3)
            picture = tiles.reshape(tiles.shape[0] * tiles.shape[1], -1)
            axis.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
            axis.set_title("\n".join(wrap(title, 26)), loc="center")
            axis.set_axis_off()
    return figure


_BOX = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.7, "edgecolor": "none"}
_LABEL = {"ha": "center", "va": "center", "weight": "bold", "fontsize": 8, "bbox": _BOX}
