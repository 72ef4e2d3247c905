"""Linear probes with few labels on the trunk that all methods share, and on the codes of an autoencoder."""

from copy import deepcopy
from typing import Any

import numpy as np
from torch import nn

from dcbook.data import Dataset
from dcbook.evaluation import activations, few_label_probe, split, train_with_labels
from dcbook.experiments.watch import Watch

TRUNK, CODES, LABELED = "trunk", "codes", "with labels"
BATCH = 64  # samples in an update of the training with labels


class FewLabels(Watch):
    """Accuracy of a linear probe that learns from few labels, on frozen features (`dcbook.evaluation.few_label_probe`).

    Parameters
    ----------
    per_class : numbers of labels a class on average. The samples whose labels a probe may see are drawn with the run's
        seed and are the same for all methods; all other samples test it.
    supervised : epochs of training a copy of the trunk with all these labels (Adam), as a ceiling; 0 for none.

    The portrait has `probes`: space to number of labels a class (as text) to accuracy. The space "trunk" is fc7 before
    its ReLU in every method; methods with an autoencoder have "codes" as well, the latent space that they cluster. With
    `supervised` there is "with labels", the trunk that was trained with labels from the model's weights.
    """

    def __init__(self, per_class: tuple[int, ...] = (10, 100), supervised: int = 0):
        self.per_class, self.supervised = tuple(per_class), supervised
        beside = f", {supervised} epochs with labels" if supervised else ""
        self.name = f"probes with {', '.join(map(str, self.per_class))} labels a class{beside}"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """See the class."""
        network, seed = model.autoencoder_, model.seed_
        trunk = trunk_of(network)
        layers = {TRUNK: trunk} | ({CODES: network.encoder} if trunk is not network.encoder else {})
        features = activations(network, layers, data.images)
        if self.supervised:
            twin, (pool, _) = deepcopy(trunk), split(data.labels, max(self.per_class), seed)
            train_with_labels(
                twin,
                data.images[pool],
                data.labels[pool],
                epochs=self.supervised,
                batch_size=BATCH,
                seed=seed,
            )
            features[LABELED] = activations(twin, {"whole": twin}, data.images)["whole"]
        probes = {
            space: few_label_probe(u.cpu().numpy(), np.asarray(data.labels), self.per_class, seed=seed)
            for space, u in features.items()
        }
        return {"probes": {space: {str(n): value for n, value in each.items()} for space, each in probes.items()}}


def trunk_of(network: nn.Module) -> nn.Module:
    """The trunk of a `BottleneckConvNet`; of other networks, the whole encoder."""
    return getattr(network.encoder, "trunk", network.encoder)
