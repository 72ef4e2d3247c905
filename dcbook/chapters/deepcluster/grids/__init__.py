"""The runs of DeepCluster's tables and figures, and of its settings for small images, at each scale.

A name in capitals holds the settings of each scale; a function takes the name of a scale and, optionally, seeds.
"""

from functools import partial

from dcbook.chapters.deepcluster.grids.paper import (
    ELSEWHERE,
    GUARDED,
    NETWORKS,
    SCALES,
    both_starts,
    filters,
    layers,
    numbers_of_clusters,
    safeguards,
    samplers,
    started_anew,
    ten_thousand_images,
    transfers,
    uncurated,
)
from dcbook.chapters.deepcluster.grids.small_images import ALL, FAMILY, OURS, RECIPE, RELEASED
from dcbook.experiments.runs import grid

GRIDS = {
    "numbers_of_clusters": numbers_of_clusters,
    "started_anew": started_anew,
    "ten_thousand_images": ten_thousand_images,
    "safeguards": safeguards,
    "samplers": samplers,
    "layers": layers,
    "filters": filters,
    "transfers": transfers,
    "uncurated": uncurated,
    "small_images": grid(RECIPE),
    "relatives": grid(FAMILY),
}

# Both starts of k-means, one seed at a time; `make evidence` runs the first of them after DCSS on USPS.
EVIDENCE = [
    (
        rank + seed,
        f"10,000 images, both starts of k-means, k = {' and '.join(map(str, numbers))}",
        partial(ten_thousand_images, "paper", [seed], numbers),
    )
    for numbers, ranks in (((10, 100), (45, 80)), ((30, 300), (65, 85)))
    for rank, seeds in zip(ranks, ((0, 1, 2), (3, 4)), strict=True)
    for seed in seeds
]
