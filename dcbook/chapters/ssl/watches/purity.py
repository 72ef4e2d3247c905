"""Whether neighbors share a class, in the space that gives a method its neighbors."""

from typing import Any

import torch

from dcbook.data import Dataset
from dcbook.evaluation import purity
from dcbook.experiments.watch import Watch
from dcbook.methods import KMeans

NEIGHBORS = 5


class Purity(Watch):
    """The portrait has `purity`: the share of an image's 5 nearest neighbors that have its class, in [0, 1].

    Neighbors are by the cosine: of the pixels for k-means, of Z space for a method that has one, of codes for others.
    """

    name = "purity of neighbors"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        if isinstance(model, KMeans):
            space = data.images
        else:
            space = model.project(data.images) if hasattr(model, "project") else model.transform(data.images)
        unit = torch.nn.functional.normalize(torch.tensor(space).flatten(1).float(), dim=1)
        return {"purity": purity(unit.numpy(), data.labels, NEIGHBORS)}
