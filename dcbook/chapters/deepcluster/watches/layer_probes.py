"""Linear probes of a network's layers."""

from typing import Any

import numpy as np
import torch
from torch import nn

from dcbook.chapters.deepcluster.watches.networks import networks
from dcbook.data import Dataset, load
from dcbook.evaluation import activations, linear_probe, mlp_probe, pool_to
from dcbook.experiments.watch import Watch


def halves(data: Dataset) -> list[np.ndarray]:
    """Row indices of two random halves of the images: one to train a probe, one to test it."""
    return np.array_split(np.random.default_rng(0).permutation(len(data)), 2)


class LayerProbes(Watch):
    """Linear probes of a network's layers: untrained, trained, and trained with labels (DeepCluster, Table 1).

    Probes are trained with the labels of a random half of the images and tested on the other half. The network was
    trained on all images without labels. Maps are pooled to at most `dim` numbers, and features are standardized. The
    portrait has `probes`: network ("untrained", "trained") to layer ("conv1", …, "fc7") to accuracy. Optional entries:

    - `supervised`, a number of epochs: the network "supervised", trained for that long with the labels of the first
      half (Adam, no views), from the same initial weights; and the additional layer "mlp", a probe of conv5 with a
      hidden layer of 512 units.
    - `elsewhere`, name and sampling of another data set with images of the same shape: the entry `elsewhere` has the
      probes of the same networks there.
    """

    def __init__(
        self, dim: int = 1024, epochs: int = 30, supervised: int = 0, elsewhere: tuple[str, dict] | None = None
    ):
        self.dim, self.epochs, self.supervised, self.elsewhere = dim, epochs, supervised, elsewhere
        beside = f", {supervised} supervised epochs" if supervised else ""
        there = f", also on {elsewhere[0]} {sorted(elsewhere[1].items())}" if elsewhere else ""
        self.name = f"probes of at most {dim} numbers, {epochs} epochs{beside}{there}"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the model after the last epoch."""
        half = halves(data)[0]
        compared = networks(model, data.images[half], data.labels[half], self.supervised)
        found = {"probes": {name: self._probed(network, data) for name, network in compared.items()}}
        if self.elsewhere:
            name, sampling = self.elsewhere
            other = load(name, **sampling)
            found["elsewhere"] = {name: self._probed(network, other) for name, network in compared.items()}
        return found

    def _probed(self, network: nn.Module, data: Dataset) -> dict[str, float]:
        layers, parts = network.layers | {"fc7": network.encoder.fc7}, halves(data)
        found, test = (activations(network, layers, data.images[half], reduce=self._pooled) for half in parts)
        labels, test_labels = (data.labels[half] for half in parts)
        options = {"epochs": self.epochs, "standardize": True}
        accuracies = {
            layer: linear_probe(found[layer], labels, test[layer], test_labels, **options).accuracy for layer in layers
        }
        if self.supervised:
            sets = (found["conv5"], labels, test["conv5"], test_labels)
            accuracies["mlp"] = mlp_probe(*sets, n_hidden=512, **options).accuracy
        return accuracies

    def _pooled(self, maps: torch.Tensor) -> torch.Tensor:
        return pool_to(maps, self.dim) if maps.ndim == 4 else maps
