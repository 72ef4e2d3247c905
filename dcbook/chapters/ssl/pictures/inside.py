"""The picture of k-means inside DeepCluster: parts of the time, and what the features are worth."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from dcbook.chapters.ssl.grids.probes import UNTRAINED
from dcbook.chapters.ssl.tables.inside import FEATURES, K_MEANS, TRAINING
from dcbook.plots.style import OURS, PALETTE, at_least, canvas

COLORS = {TRAINING: "0.8", FEATURES: sns.color_palette(PALETTE)[9], K_MEANS: OURS}


def inside(times: pd.DataFrame, probed: pd.DataFrame) -> Figure:
    """A row a variant: a bar of CPU seconds, means of the seeds; the probe's accuracy of each seed, means filled.

    `times`, `probed`: `times` and `probed_trunks` of `dcbook.chapters.ssl.tables`, of one data set. The dashed line is
    the mean of the untrained network.
    """
    variants, numbers = list(dict.fromkeys(times["method"])), sorted(set(probed["labels"]))
    mean = times.groupby(["method", "part"])["seconds"].mean()
    size = (4.4 + 2.2 * len(numbers), 1.4 + 0.35 * len(variants))
    with canvas(1, 1 + len(numbers), size, sharey=True) as (figure, axes):
        bars, *dots = axes[0]
        for place, variant in enumerate(variants):
            left = 0.0
            for part, color in COLORS.items():
                width = mean[variant, part]
                bars.barh(place, width, left=left, color=color, height=0.6, label=part if place == 0 else None)
                left += width
        bars.set_yticks(range(len(variants)), variants)
        bars.invert_yaxis()
        bars.set_xlabel("CPU seconds")
        bars.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=1, handlelength=1)
        for axis, number in zip(dots, numbers, strict=True):
            rows = probed[probed["labels"] == number].set_index("method")["accuracy"]
            for place, variant in enumerate(variants):
                seeds = rows.loc[[variant]]
                axis.plot(seeds, [place] * len(seeds), "o", color="0.6", markerfacecolor="none", markersize=5)
                axis.plot(seeds.mean(), place, "o", color=OURS, markersize=6)
            axis.axvline(rows.loc[[UNTRAINED]].mean(), color="0.5", linestyle="--", linewidth=0.9)
            at_least(axis, 8)
            axis.set_xlabel(f"probe with {number} labels\na class, %")
            axis.tick_params(left=False)
            axis.grid(axis="x", color="0.92")
    return figure
