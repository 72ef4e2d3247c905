"""Every method of the book by what teaches its network, with the diagnostics of its training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.rdc.grids.phases import ADEC
from dcbook.chapters.rdc.grids.reconstruction import COMPARED, RDC, compared
from dcbook.chapters.rdc.watches import Diagnostics
from dcbook.experiments.image_learners import DEEPCLUSTER, DEEPCLUSTER_V2, SWAV
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DeepCluster, DeepClusterV2, MoCo, SimCLR, SwAV

SELF, JOINT, TWICE = "self", "self, then both", "self, then self"
REALISM = "self, then pseudo and realism"
PARADIGMS = {
    "DeepCluster": "pseudo",
    "DeepCluster-v2": "pseudo, across views",
    "SwAV": "pseudo, across views",
    "SimCLR": SELF,
    "MoCo": SELF,
    "DEC": "self, then pseudo",
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
    """The methods of images that have no phase 1, on the first data set of `compared`, 10 clusters for 10 classes.

    DeepCluster and its relatives are those of the DeepCluster chapter, SimCLR and MoCo learn from the views of the
    relatives. `epochs`: of DeepCluster, which is looked at after each one, and of the others, after every `every`-th.
    `few`: other settings of all but DeepCluster, `moco`: of MoCo alone.
    """
    v2, swav = ({**settings[scale], "epochs": epochs[1], **(few or {})} for settings in (DEEPCLUSTER_V2, SWAV))
    views = {name: value for name, value in v2.items() if name != "prototypes"} | {"temperature": 0.2}
    settings = {
        "DeepCluster": (DeepCluster, {**DEEPCLUSTER[scale], "n_clusters": 10, "epochs": epochs[0]}),
        "DeepCluster-v2": (DeepClusterV2, v2),
        "SwAV": (SwAV, swav),
        "SimCLR": (SimCLR, views),
        "MoCo": (MoCo, {**views, "queue": queue, **moco}),
    }
    methods = {
        name: Method(
            cls,
            params,
            watch=Diagnostics(every=1 if name == "DeepCluster" else every, variants=("dynae", "rdc")),
        )
        for name, (cls, params) in settings.items()
    }
    first = dict(list(COMPARED[scale].datasets.items())[:1])
    return replace(COMPARED[scale], datasets=first, methods=methods, starts={}, monitor_every=1)


SCRATCH = {
    "quick": from_scratch("quick", (3, 3), queue=300, every=1, few={"width": 4}, bn_groups=1),
    "laptop": from_scratch("laptop", (5, 15), queue=800, every=3),
    "paper": from_scratch("paper", (40, 200), queue=4096, every=10),
}


def everyone(scale: str, seeds: Seeds = None) -> list[Run]:
    """All methods of the book that train a network: those without a phase 1, and those of `compared`."""
    return [*runs(SCRATCH[scale], seeds=seeds), *compared(scale, seeds)]
