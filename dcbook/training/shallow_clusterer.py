"""The base class of methods without a network: reading data, centers in a feature space, and prediction."""

from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from dcbook.clustering import KMeansResult, assign
from dcbook.training.inputs import (
    as_samples,
    check_n_clusters,
    check_numbers,
    new_fit,
    resolve_device,
    resolve_seed,
    stream,
    warn_of_dead_clusters,
)
from dcbook.training.monitors import check_monitor, told_by
from dcbook.training.saving import save


@dataclass(kw_only=True, repr=False, eq=False)
class ShallowClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Base of the methods that end with k-means, on the samples or on features computed from them.

    Parameters
    ----------
    All methods have:

    n_clusters : K.
    n_init : number of starts of the final k-means; the run with the lowest inertia is kept.
    random_state, device : as in the deep methods.

    Attributes
    ----------
    After `fit`:

    labels_ : (N,) int64 clusters of the training samples.
    cluster_centers_ : (K, f) centers in the feature space.
    inertia_, n_iter_ : sum of squared distances to the centers and iterations of the final k-means.
    history_ : list of dicts: phase, epoch, losses, and in the last entry the numbers that the monitor returned.
    """

    n_clusters: int = field(default=10, kw_only=False)
    n_init: int = 20
    random_state: Any = None
    device: str | torch.device = "auto"

    def fit(self, x, y=None, monitor=None):
        """Cluster x, (N, d) or images (N, C, H, W). `y` is ignored; `monitor(self)` is called once, at the end.

        uint8 is scaled to [0, 1]; floats are not changed. Computation is in float32, or in float64 if float32 cannot
        distinguish the samples. Raises ValueError for bad data or hyperparameters, after which a model that was fitted
        before is as it was, and warns (scikit-learn's ConvergenceWarning) if clusters are empty at the end.
        """
        with new_fit(self):
            check_monitor(monitor)
            x = as_samples(self, x, fitting=True, dtype=None)
            check_n_clusters(self.n_clusters, len(x))
            check_numbers(self)
            self._check(x)
            self.input_shape_ = x.shape[1:]
            self.seed_ = resolve_seed(self.random_state)
            self.history_ = []
            self._cluster(self._matrix(x))
        self.history_[-1] |= told_by(monitor, self)
        warn_of_dead_clusters(self.labels_, self.n_clusters, x)
        return self

    def predict(self, x) -> np.ndarray:
        """Index of the nearest center, shape (N,) int64."""
        return assign(self._features(self._prepare(x)), self.cluster_centers_, device=self._device)[0].cpu().numpy()

    def transform(self, x) -> np.ndarray:
        """Features of x, shape (N, f), in the precision of the fit."""
        return self._features(self._prepare(x)).cpu().numpy()

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to `folder`/model.safetensors; `dcbook.methods.load_model` reads it."""
        save(self, folder)

    def _restore(self, labels: Tensor, centers: Tensor) -> None:
        """Set the results of a fit that are read from a file."""
        self.labels_, self.cluster_centers_ = labels.numpy(), centers.numpy()

    @abstractmethod
    def _cluster(self, x: Tensor) -> None:
        """The method's algorithm on x (N, d); it calls `_keep` at the end and adds entries to `history_`."""

    def _features(self, x: Tensor) -> Tensor:
        """Features (N, f) of training or new samples x (N, d); by default the samples."""
        return x

    def _check(self, x: np.ndarray) -> None:
        """Raise ValueError if a hyperparameter is out of range or x is not suitable for the method."""

    def _keep(self, result: KMeansResult) -> None:
        self.labels_ = result.labels.cpu().numpy()
        self.cluster_centers_ = result.centers.cpu().numpy()
        self.inertia_, self.n_iter_ = result.inertia, result.n_iter
        self.history_.append({"phase": "k-means", "epoch": 1, "inertia": result.inertia})

    def _stream(self, purpose: str) -> torch.Generator:
        return stream(self.seed_, purpose)

    @property
    def _device(self) -> torch.device:
        return resolve_device(self.device)

    def _prepare(self, x) -> Tensor:
        check_is_fitted(self)
        return self._matrix(as_samples(self, x, fitting=False, dtype=self.cluster_centers_.dtype))

    def _matrix(self, x: np.ndarray) -> Tensor:
        return torch.as_tensor(x.reshape(len(x), -1), device=self._device)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`."""
        return self.cluster_centers_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
