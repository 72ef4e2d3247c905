"""Transfer of a network's features to other images: DeepCluster's Tables 2 to 5 with small images."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcbook.chapters.deepcluster.watches.networks import networks
from dcbook.data import Dataset, load
from dcbook.data.sampling import draw
from dcbook.evaluation import describe_by, finding_copies, transferred
from dcbook.experiments.watch import Watch

INSTANCES = 200  # number of images whose copies are retrieved
WHITENED = 1000  # number of other images to which the whitening of regions is fitted
PROTOCOLS = {"frozen": True, "fine-tuned": False}


class Transfer(Watch):
    """Transfer of networks to another labeled data set: classification from few labels, and retrieval of copies.

    Parameters
    ----------
    to : name and sampling of the data set; its images have the shape of the training images.
    labeled : number of its images that train the classifier, stratified by class; all other images test it.
    epochs : number of epochs of the classifier.
    supervised : number of epochs of the network "supervised", trained with the labels of all training images; 0 for
        none.

    The portrait has, for the networks "untrained", "trained" and "supervised",

    - `transfer`: network to protocol ("frozen", "fine-tuned", see `dcbook.evaluation.transferred`) to accuracy;
    - `retrieval`: network to mAP of retrieving five distorted copies of each of `INSTANCES` images
      (`dcbook.evaluation.finding_copies`) by R-MAC of the last convolution; and "pixels", by the cosine of the images.

    All draws depend on the run's seed and are the same for all its networks. The model is not changed.
    """

    def __init__(self, to: tuple[str, dict], labeled: int = 1000, epochs: int = 20, supervised: int = 20):
        if labeled < 1 or epochs < 1 or supervised < 0:
            raise ValueError(
                f"labeled and epochs must be at least 1, supervised at least 0, not {labeled}, {epochs}, {supervised}"
            )
        self.to, self.labeled, self.epochs, self.supervised = to, labeled, epochs, supervised
        there = f"{to[0]} {sorted(to[1].items())}"
        self.name = f"transfer to {there}, {labeled} labels, {epochs} epochs, {supervised} supervised epochs"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the model after the last epoch; ValueError if the set has too few images or another shape."""
        target = load(self.to[0], **self.to[1])
        if target.images.shape[1:] != data.images.shape[1:] or len(target) <= max(self.labeled, INSTANCES + 1):
            raise ValueError(
                f"{target!r} must have more than {max(self.labeled, INSTANCES + 1)} images of the shape "
                f"{data.images.shape[1:]}, which the network was trained on"
            )
        compared = networks(model, data.images, data.labels, self.supervised)
        few = draw(target.labels, self.labeled, model.seed_, stratified=True)
        rest = np.setdiff1d(np.arange(len(target)), few)
        sets = [(target.images[rows], target.labels[rows]) for rows in (few, rest)]
        options = {"epochs": self.epochs, "seed": model.seed_}
        return {
            "transfer": {
                name: {how: transferred(each, *sets, frozen=frozen, **options) for how, frozen in PROTOCOLS.items()}
                for name, each in compared.items()
            },
            "retrieval": _retrieved(compared, target.images, model.seed_),
        }


def _retrieved(compared: dict, images: np.ndarray, seed: int) -> dict[str, float]:
    order = np.random.default_rng(seed).permutation(len(images))
    instances, others = (
        _floats(images[np.sort(rows)]) for rows in np.split(order[: INSTANCES + WHITENED], [INSTANCES])
    )
    describe = {name: describe_by(each, others) for name, each in compared.items()} | {"pixels": lambda x: x.flatten(1)}
    return {name: finding_copies(how, instances, seed=seed) for name, how in describe.items()}


def _floats(images: np.ndarray) -> Tensor:
    return torch.tensor(images, dtype=torch.float32) / (255 if images.dtype == np.uint8 else 1)
