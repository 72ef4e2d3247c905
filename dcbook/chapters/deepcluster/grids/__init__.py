"""The runs of DeepCluster's tables and figures, and of what small images ask of it, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

from functools import partial

from dcbook.chapters.deepcluster.grids.paper import (
    ELSEWHERE,
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

# Both starts of k-means, a seed at a time; `make evidence` takes them after DCSS on USPS.
EVIDENCE = [
    (45 + seed, f"10,000 images, both starts of k-means, seed {seed}", partial(ten_thousand_images, "paper", [seed]))
    for seed in range(3)
]
