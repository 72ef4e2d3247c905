"""The runs of DeepCluster's tables and figures, and of what small images ask of it, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

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
    transfers,
    uncurated,
)
from dcbook.chapters.deepcluster.grids.small_images import ALL, FAMILY, OURS, RECIPE, RELEASED
from dcbook.experiments.runs import grid

GRIDS = {
    "numbers_of_clusters": numbers_of_clusters,
    "started_anew": started_anew,
    "safeguards": safeguards,
    "samplers": samplers,
    "layers": layers,
    "filters": filters,
    "transfers": transfers,
    "uncurated": uncurated,
    "small_images": grid(RECIPE),
    "relatives": grid(FAMILY),
}
