"""Methods without a component, the one that their papers introduce or the guard against one cluster; warm starts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.contrastive.grids.benchmark import KIND_SCALES, PRETEXT, of_kinds
from dcbook.chapters.contrastive.watches import KMeansOnCodes
from dcbook.experiments.runs import Run, Scale, Seeds, runs

ALONE = "CC, instance head alone"  # k-means gives its clusters, since its cluster head is not trained


def _changed(kinds: tuple[Scale, ...], variants: Mapping[str, tuple[str, Mapping[str, Any]]]) -> tuple[Scale, ...]:
    """Scales with variants of their methods: name to the method and its changed parameters."""
    found = []
    for each in kinds:
        methods = {
            name: replace(
                each.methods[of],
                params={**each.methods[of].params, **changes},
                watch=WATCHES.get(name, each.methods[of].watch),
            )
            for name, (of, changes) in variants.items()
        }
        found.append(replace(each, methods=methods, starts={PRETEXT: each.methods[PRETEXT]}))
    return tuple(found)


PARTS = {
    "CC, cluster head alone": ("CC", {"instance": 0.0}),
    ALONE: ("CC", {"cluster": 0.0, "balance": 0.0}),
    "DAC, thresholds at rest": ("DAC", {"growing": False}),
    "DCCM, graph alone": ("DCCM", {"label": 0.0, "local": 0.0}),
    "DCCM, pairs as released": ("DCCM", {"pairs": "released"}),
    "IDFD, instances alone": ("IDFD", {"decorrelation": 0.0}),
}
WATCHES = {ALONE: KMeansOnCodes()}  # in place of the method's own
COLLAPSE = {
    "CC, no balance": ("CC", {"balance": 0.0}),
    "PICA, no balance": ("PICA", {"balance": 0.0}),
    "SCAN, no entropy": ("SCAN", {"entropy": 0.0}),
    "DAC, no pairs apart": ("DAC", {"lower": 0.0, "growing": False}),
    "MiCE, prototypes never reset": ("MiCE", {"reset": False}),
    "TEMI, marginals taken for equal": ("TEMI", {"marginal_momentum": 1.0}),
    "IMSAT, no entropy of sizes": ("IMSAT", {"mu": 0.0}),
}
BESIDE = {"DAC, no pairs apart": "DAC, thresholds at rest"}  # what is compared with another variant, not the method
WARM = {f"{name}, from SimCLR": name for name in ("CC", "PICA", "IDFD", "MiCE")}
QUICKLY = ("CC", "TEMI", "IMSAT")  # methods of `collapse` at `quick`: those that train in seconds
FIRST = {"quick": ["digits"], "laptop": ["fashion-mnist-test"], "paper": ["cifar10"]}  # for `parts` and `collapse`


def _variants(variants: Mapping, scale: str, seeds: Seeds = None) -> list[Run]:
    found = []
    for each in _changed(KIND_SCALES[scale], variants):
        chosen = [name for name in each.datasets if name in FIRST[scale]]
        found += runs(each, datasets=chosen, seeds=seeds) if chosen else []
    return found


def parts(scale: str, seeds: Seeds = None) -> list[Run]:
    """Methods without the component that their papers introduce, on the first data set."""
    return _variants(PARTS, scale, seeds)


def collapse(scale: str, seeds: Seeds = None) -> list[Run]:
    """Methods without their term or step against collapse, on the first data set; at `quick` only some methods."""
    return _variants(_taken_away(scale), scale, seeds)


def warm(scale: str, seeds: Seeds = None) -> list[Run]:
    """Methods that train from scratch, here from SimCLR's trunk, on the first data set: variants, not the methods."""
    found = []
    for each in KIND_SCALES[scale]:
        methods = {name: replace(each.methods[of], start=PRETEXT) for name, of in WARM.items()}
        chosen = [name for name in each.datasets if name in FIRST[scale]]
        started = replace(each, methods=methods, starts={PRETEXT: each.methods[PRETEXT]})
        found += runs(started, datasets=chosen, seeds=seeds) if chosen else []
    return found


def _taken_away(scale: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The variants of `COLLAPSE` that are run at a scale."""
    return {name: how for name, how in COLLAPSE.items() if scale != "quick" or how[0] in QUICKLY}


def guarded(scale: str, seeds: Seeds = None) -> list[Run]:
    """The variants of `collapse` and what they are compared with, on the first data set."""
    whole = dict.fromkeys(BESIDE.get(name, of) for name, (of, _) in _taken_away(scale).items())
    unchanged = of_kinds(scale, seeds, [name for name in whole if name not in PARTS], FIRST[scale])
    return [*unchanged, *(run for run in parts(scale, seeds) if run.method in whole), *collapse(scale, seeds)]
