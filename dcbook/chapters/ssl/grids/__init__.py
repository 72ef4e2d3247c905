"""The runs of this chapter, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

from functools import partial

from dcbook.chapters.ssl.grids.collapse import VECTORS as COLLAPSE
from dcbook.chapters.ssl.grids.collapse import WEIGHTS, collapse, weighted, weights
from dcbook.chapters.ssl.grids.contrastive_first import FIRST, contrastive_first, kmeans_on, scan_on
from dcbook.chapters.ssl.grids.inside import INSIDE, inside_deepcluster
from dcbook.chapters.ssl.grids.probes import PROBES, VIEWS, probes, probes_on
from dcbook.chapters.ssl.grids.scale import BATCHES, CLUSTERS, IN_BATCHES, LLOYD, in_batches, speed
from dcbook.chapters.ssl.grids.targets import TARGETS, targets
from dcbook.chapters.ssl.grids.texts import (
    INPUTS,
    NETWORKS,
    SIGNALS,
    SPACES,
    STARTS,
    TEXTS,
    networks,
    signal,
    spaces,
    vectors,
)
from dcbook.chapters.ssl.grids.without_labels import (
    AE,
    COMPONENTS,
    DEEP,
    K_MEANS,
    MEDICAL,
    PROBED,
    SOUND,
    medical,
    sound,
    summaries,
)

GRIDS = {
    "spaces": spaces,
    "signal": signal,
    "networks": networks,
    "collapse": collapse,
    "speed": speed,
    "inside_deepcluster": inside_deepcluster,
    "medical": medical,
    "sound": sound,
    "summaries": summaries,
    "probes": probes,
    "targets": targets,
    "contrastive_first": contrastive_first,
}

# About ten minutes each
EVIDENCE = [
    *[(47, "networks on 5,000 texts", partial(networks, "laptop", [seed])) for seed in range(3)],
    *[
        (48, f"{dataset}, probes with up to 1,000 labels a class", partial(probes_on, dataset, seed))
        for dataset in ("mnist", "cifar10")
        for seed in range(3)
    ],
]
