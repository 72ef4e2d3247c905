"""Contact sheets: what is in each cluster, for somebody who has no labels."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from dcbook.plots.style import STYLE


def contact_sheet(images: np.ndarray, clusters: np.ndarray, sure: np.ndarray, columns: int = 12) -> Figure:
    """A row of images for each cluster: those with the surest assignment, and after a gap the three least sure ones.

    images : (N, C, H, W), C 1 or 3. clusters : (N,) integers. sure : (N,), larger for surer assignments. columns :
    images in a row, the least sure ones included. Raises ValueError for fewer than 4, and where numbers of images,
    clusters and assignments differ.
    """
    if columns < 4:
        raise ValueError(f"three columns are for the least sure images, so there must be at least 4, not {columns}")
    images, clusters, sure = np.asarray(images), np.asarray(clusters), np.asarray(sure)
    if images.ndim != 4 or clusters.shape != (len(images),) or sure.shape != (len(images),):
        shapes = ", ".join(str(each.shape) for each in (images, clusters, sure))
        raise ValueError(f"images (N, C, H, W), clusters (N,) and sure (N,) must agree, not have the shapes {shapes}")
    rows = np.unique(clusters)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(rows), columns + 1, figsize=(0.55 * columns, 0.6 * len(rows)), squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for place, head in ((0, "surest"), (columns - 2, "least sure")):
            axes[0, place].text(0, 1.2, head, va="bottom", transform=axes[0, place].transAxes)
        for cluster, line in zip(rows, axes, strict=True):
            members = np.flatnonzero(clusters == cluster)
            order = members[np.argsort(-sure[members], kind="stable")]
            most, least = order[: columns - 3], order[columns - 3 :][-3:]
            line[0].text(-0.3, 0.5, f"{cluster} ({len(members)})", ha="right", va="center", transform=line[0].transAxes)
            for places, chosen in ((line[: columns - 3], most), (line[columns - 2 :], least)):
                for axis, index in zip(places, chosen, strict=False):
                    picture = images[index].transpose(1, 2, 0)
                    axis.imshow(picture, cmap="gray_r" if picture.shape[2] == 1 else None, interpolation="nearest")
    return figure
