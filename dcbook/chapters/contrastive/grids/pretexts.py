"""SCAN's premise: pretexts of several lengths, and what heads on their frozen codes gain."""

from dataclasses import replace

from dcbook.chapters.contrastive.grids.benchmark import KIND_SCALES, PRETEXT
from dcbook.experiments.runs import Method, Run, Seeds, runs
from dcbook.methods import SCAN, SimCLRPretext

HEADS = "SCAN on frozen codes"
LENGTHS = {"quick": (1, 4), "laptop": (1, 2, 5, 10), "paper": (5, 20, 100)}  # epochs; the longest is the table's
OF_PREMISE = {
    "quick": ["digits"],
    "laptop": ["fashion-mnist-test", "cifar10", "mnist-test", "usps"],
    "paper": ["fashion-mnist", "cifar10"],
}


def longest(scale: str) -> int:
    """Epochs of the pretext of the table."""
    params = KIND_SCALES[scale][0].methods[PRETEXT].params
    return params.get("epochs", SimCLRPretext().epochs)


def premise(scale: str, seeds: Seeds = None) -> list[Run]:
    """Pretexts of several lengths, and SCAN's heads on the frozen codes of each."""
    found = []
    for each in KIND_SCALES[scale]:
        pretext, scan = each.methods[PRETEXT], each.methods["SCAN"]
        heads = {**scan.params, "frozen_epochs": 20, "epochs": 0, "selflabel_epochs": 0, "heads": 10}
        methods = {}
        for n in (*LENGTHS[scale], longest(scale)):
            start = PRETEXT if n == longest(scale) else f"{PRETEXT}, {n} epochs"
            methods[start] = pretext if start == PRETEXT else replace(pretext, params={**pretext.params, "epochs": n})
            methods[f"{HEADS}, {n} epochs"] = Method(SCAN, heads, start=start)
        chosen = [name for name in each.datasets if name in OF_PREMISE[scale]]
        found += runs(replace(each, methods=methods), datasets=chosen, seeds=seeds) if chosen else []
    return found
