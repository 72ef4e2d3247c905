"""Measures of features learned without labels, for any network and method."""

from typing import Any

import numpy as np
from sklearn.base import clone

from dcbook.chapters.deepcluster.watches.layer_probes import halves
from dcbook.data import Dataset
from dcbook.evaluation import accuracy, linear_probe, nmi
from dcbook.experiments.watch import Watch
from dcbook.methods import KMeans


class Representation(Watch):
    """Quality of `transform`'s features before and after training: a linear probe, and k-means with K = classes.

    Features are standardized. The probe is trained with the labels of a random half of the images and tested on the
    other half. The portrait has "untrained" and "trained", each with `probe` (accuracy), `acc` and `nmi` (of k-means
    with 20 starts, on all images). Unlike the NMI of a method's own clusters, these measures do not depend on the
    number of clusters that the method uses.
    """

    name = "representation"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the model after the last epoch, and of the same model after no epochs."""
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
