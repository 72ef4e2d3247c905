"""What a run may keep of features that were learned without labels, whatever network and method they come from."""

from typing import Any

import numpy as np
from sklearn.base import clone

from dcbook.chapters.deepcluster.watches.layer_probes import halves
from dcbook.data import Dataset
from dcbook.evaluation import accuracy, linear_probe, nmi
from dcbook.experiments.watch import Watch
from dcbook.methods import KMeans


class Representation(Watch):
    """What `transform` gives, before and after the training: a linear probe, and k-means with the number of classes.

    Both take standardized features. The probe learns from the labels of one half of the images, drawn at random, and is
    tested on the other half. The portrait has "untrained" and "trained", each with `probe` (its accuracy), `acc` and
    `nmi` (of k-means with 20 starts, on all images): numbers that do not depend on how many clusters a method itself
    works with, as the NMI of its own clusters does.
    """

    name = "representation"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch, and the same one with no epochs."""
        untrained = clone(model).set_params(epochs=0).fit(data.images)
        return {name: _worth(each, data) for name, each in (("untrained", untrained), ("trained", model))}


def _worth(model: Any, data: Dataset) -> dict[str, float]:
    u, labels = model.transform(data.images), data.labels
    u = (u - u.mean(0)) / np.where(u.std(0) > 0, u.std(0), 1)
    train, test = halves(data)
    clusters = KMeans(data.n_classes, random_state=0, device=model.device).fit_predict(u)
    return {
        "probe": linear_probe(u[train], labels[train], u[test], labels[test], epochs=30).accuracy,
        "acc": float(accuracy(labels, clusters)),
        "nmi": float(nmi(labels, clusters)),
    }
