"""What the chapter keeps of a run beside its scores: how pure the neighborhoods of a pretext are."""

from typing import Any

import torch

from dcbook.data import Dataset
from dcbook.evaluation import purity
from dcbook.experiments.watch import Watch

NEIGHBORS = 20


class NeighborPurity(Watch):
    """SCAN's premise: the share of an image's 20 nearest neighbors that have its class, in [0, 1].

    The portrait has it for the pretext's Z space, its codes, and the pixels, each scaled to length 1.
    """

    name = "purity of neighborhoods"

    def portrait(self, model: Any, data: Dataset) -> dict[str, float]:
        spaces = {"z": model.project(data.images), "h": model.transform(data.images), "pixels": data.images}
        return {name: _purity(torch.tensor(space), data.labels) for name, space in spaces.items()}


def _purity(x: torch.Tensor, labels: Any) -> float:
    unit = torch.nn.functional.normalize(x.flatten(1).float(), dim=1)
    return purity(unit.numpy(), labels, NEIGHBORS)
