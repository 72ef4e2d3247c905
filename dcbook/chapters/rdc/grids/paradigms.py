"""Twenty-two methods by what teaches their networks, with the diagnostics of their training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.rdc.grids.phases import ADEC
from dcbook.chapters.rdc.grids.reconstruction import COMPARED, RDC, compared
from dcbook.chapters.rdc.watches import Diagnostics
from dcbook.experiments.image_learners import DEEPCLUSTER, DEEPCLUSTER_V2, SWAV
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import (
    CC,
    DAC,
    DCCM,
    IDFD,
    IMSAT,
    PICA,
    SCAN,
    DeepCluster,
    DeepClusterV2,
    MiCE,
    MoCo,
    SimCLR,
    SwAV,
)
from dcbook.training.augment import Augmentation
from dcbook.training.views import Distortion, Strong

SELF, THEN, JOINT, TWICE = "self", "self, then pseudo", "self, then both", "self, then self"
REALISM = "self, then pseudo and realism"
PARADIGMS = {
    "DeepCluster": "pseudo",
    "DeepCluster-v2": "pseudo, across views",
    "SwAV": "pseudo, across views",
    "PICA": "pseudo, across views",
    "MiCE": "pseudo, across views",
    "IMSAT": "pseudo, across views",
    "DAC": "pseudo",
    "DCCM": "pseudo, with mutual information",
    "CC": "self and pseudo, across views",
    "SimCLR": SELF,
    "MoCo": SELF,
    "IDFD": SELF,
    "SCAN": THEN,
    "DEC": THEN,
    "DCSS": "self, then both, then pseudo",
    "IDEC": JOINT,
    "DCN": JOINT,
    "DKM": JOINT,
    "VaDE": JOINT,
    "DynAE": JOINT,
    ADEC: REALISM,
    RDC: TWICE,
}


def from_scratch(
    scale: str, epochs: tuple[int, int], queue: int, every: int, few: Mapping[str, Any] | None = None, **moco: Any
) -> Scale:
    """The methods for images that have no autoencoder, on the first data set of `compared`, 10 clusters for 10 classes.

    DeepCluster and its relatives are those of the DeepCluster chapter. The others see the views of the relatives or,
    where their papers have views of another kind, those without mirroring. SCAN starts from SimCLR's network.
    `epochs`: of DeepCluster, which is looked at after each one, and of the others, after every `every`-th. `few`:
    other settings of all but DeepCluster and the cluster heads; `moco`: of MoCo alone. Cosines are taken of 128
    samples at `quick`, and of 1,024 otherwise.
    """
    v2, swav = ({**settings[scale], "epochs": epochs[1], **(few or {})} for settings in (DEEPCLUSTER_V2, SWAV))
    views = {name: value for name, value in v2.items() if name != "prototypes"} | {"temperature": 0.2}
    settings = {
        "DeepCluster": (DeepCluster, {**DEEPCLUSTER[scale], "n_clusters": 10, "epochs": epochs[0]}),
        "DeepCluster-v2": (DeepClusterV2, v2),
        "SwAV": (SwAV, swav),
        "SimCLR": (SimCLR, views),
        "MoCo": (MoCo, {**views, "queue": queue, **moco}),
        **cluster_heads(epochs[1], queue, HEADS[scale]),
    }
    looks = {"variants": ("dynae", "rdc"), "n_gradients": 128 if scale == "quick" else 1024}
    methods = {
        name: Method(
            cls,
            params,
            start="SimCLR" if cls is SCAN else None,
            watch=Diagnostics(every=1 if name == "DeepCluster" else every, **looks),
        )
        for name, (cls, params) in settings.items()
    }
    first = dict(list(COMPARED[scale].datasets.items())[:1])
    return replace(COMPARED[scale], datasets=first, methods=methods, starts={}, monitor_every=1)


SMALL = {"architecture": "resnet-9", "batch_size": 50}
HEADS = {"quick": {**SMALL, "width": 4}, "laptop": {**SMALL, "width": 8}, "paper": None}


def cluster_heads(epochs: int, queue: int, small: Mapping[str, Any] | None) -> dict[str, tuple[type, dict]]:
    """The methods of the contrastive chapter that train a network: with a cluster head, and IDFD.

    `small` None: with the released settings, but for the views.
    """
    crop, mild = {"view": Augmentation(crop=0.3, flip=False, jitter=0.4)}, {"view": Distortion.mild(flip=False)}
    found = {"PICA": (PICA, crop), "MiCE": (MiCE, crop), "IMSAT": (IMSAT, {}), "DAC": (DAC, mild)}
    found |= {"DCCM": (DCCM, mild), "CC": (CC, crop), "IDFD": (IDFD, crop)}
    found |= {"SCAN": (SCAN, {"view": Strong(flip=False)})}
    shorter = {} if small is None else _shorter(epochs, queue, small)
    return {name: (cls, {**view, **shorter.get(name, {})}) for name, (cls, view) in found.items()}


def _shorter(epochs: int, queue: int, small: Mapping[str, Any]) -> dict[str, dict]:
    """The settings of the methods on small networks and short schedules; SCAN's three steps share the epochs."""
    trained, batch = {**small, "epochs": epochs}, {"batch_size": small["batch_size"]}
    in_blocks = {**trained, "passes": 2, "block": 200}
    memory = {**trained, "embedding_dim": 32, "lr": 0.1, "schedule": "cosine"}
    third = epochs // 3
    steps = {"frozen_epochs": -(-epochs // 3), "epochs": epochs - 2 * third, "selflabel_epochs": third}
    return {
        "PICA": {**trained, "lr": 1e-3, "copies": 1, "overclusters": 30},
        "MiCE": {**memory, "queue": queue, "teacher_momentum": 0.99},
        "IMSAT": {**batch, "epochs": epochs, "width": 200},
        "DAC": in_blocks,
        "DCCM": {**in_blocks, "lr": 1e-3, "discriminator": 32},
        "CC": {**trained, "lr": 3e-3, "projection_dim": 32},
        "IDFD": memory,
        "SCAN": {**batch, **steps, "lr": 1e-3, "heads": 5, "n_neighbors": 10},
    }


SCRATCH = {
    "quick": from_scratch("quick", (3, 2), queue=300, every=1, few={"width": 4}, bn_groups=1),
    "laptop": from_scratch("laptop", (5, 15), queue=800, every=3),
    "paper": from_scratch("paper", (40, 200), queue=4096, every=10),
}


def everyone(scale: str, seeds: Seeds = None) -> list[Run]:
    """The methods of `PARADIGMS`, and their phase 1: those without an autoencoder, and those of `compared`."""
    return [*runs(SCRATCH[scale], seeds=seeds), *compared(scale, seeds)]
