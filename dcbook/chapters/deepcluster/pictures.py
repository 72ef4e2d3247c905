"""Pictures of the preferred inputs of filters, in rows of tiles."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.plots import STYLE

Row = tuple[str, np.ndarray | None, np.ndarray]


def preferred(panels: Mapping[str, Sequence[Row]], columns: int = 2) -> Figure:
    """One row of tiles per filter: the image optimized for the filter, and the images of the set that activate it most.

    `panels` maps the title of a layer to rows of a name, the optimized image (C, H, W), or None to omit it, and the
    images of the set (n, C, H, W), uint8, with 1 or 3 channels. All panels have the same numbers of rows and tiles;
    they are arranged in `columns`.
    """
    names = list(panels)
    lines = -(-len(names) // columns)
    _, _, top = panels[names[0]][0]
    size = columns * (1.2 + 0.4 * (len(top) + 1)), lines * (0.45 + 0.42 * len(panels[names[0]]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(lines, columns, figsize=size, squeeze=False, layout="constrained")
        for axis in axes.flat[len(names) :]:
            axis.set_axis_off()
        for axis, (title, rows) in zip(axes.flat, panels.items(), strict=False):
            picture = np.concatenate([_line(made, top) for _, made, top in rows])
            axis.imshow(picture, interpolation="nearest", aspect="equal")
            height = len(picture) / len(rows)
            axis.set_yticks(height * (np.arange(len(rows)) + 0.5) - 0.5, [name for name, *_ in rows], fontsize=7)
            axis.set(title=title, xticks=[])
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
    return figure


def _line(made: np.ndarray | None, top: np.ndarray) -> np.ndarray:
    """A row of tiles (H + 2, width, 3), separated by white, with a wider gap after the optimized image."""
    images = [np.asarray(image).transpose(1, 2, 0) for image in (*([] if made is None else [made]), *top)]
    images = [np.broadcast_to(image, (*image.shape[:2], 3)) for image in images]
    tiles = [np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=255) for image in images]
    if made is None:
        return np.concatenate(tiles, axis=1)
    gap = np.full((len(tiles[0]), max(2, len(tiles[0]) // 5), 3), 255, np.uint8)
    return np.concatenate([tiles[0], gap, *tiles[1:]], axis=1)
