"""k-means on the samples themselves: the first row of every table."""

from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from dcbook.clustering import assign, kmeans
from dcbook.losses import squared_distances
from dcbook.methods.inputs import as_samples, check_n_clusters, resolve_device, resolve_seed, stream


class KMeans(TransformerMixin, ClusterMixin, BaseEstimator):
    """Lloyd's algorithm from the best of several k-means++ starts, on any device.

    Parameters
    ----------
    n_clusters : K.
    n_init : number of starts, of which the one with the lowest inertia is kept.
    max_iter, tol : as in scikit-learn.
    random_state, device : as in the deep methods.

    Attributes
    ----------
    labels_ (N,) int64, cluster_centers_ (K, d) with images flattened, inertia_, n_iter_, history_ (one entry).
    """

    def __init__(
        self,
        n_clusters: int = 10,
        *,
        n_init: int = 20,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state=None,
        device: str = "auto",
    ):
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.device = device

    def fit(self, x, y=None, monitor=None) -> "KMeans":
        """Cluster x, (N, d) or images (N, C, H, W). `y` is ignored; `monitor(self)` is called once, at the end."""
        x = as_samples(self, x, fitting=True)
        check_n_clusters(self.n_clusters, len(x))
        self.input_shape_ = x.shape[1:]
        result = kmeans(
            x.reshape(len(x), -1),
            self.n_clusters,
            n_init=self.n_init,
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=stream(resolve_seed(self.random_state), "k-means"),
            device=resolve_device(self.device),
        )
        self.labels_ = result.labels.cpu().numpy()
        self.cluster_centers_ = result.centers.cpu().numpy()
        self.inertia_, self.n_iter_ = result.inertia, result.n_iter
        self.history_ = [{"phase": "k-means", "epoch": 1, "inertia": result.inertia}]
        if monitor:
            self.history_[0].update(monitor(self) or {})
        return self

    def predict(self, x) -> np.ndarray:
        """Index of the nearest center, shape (N,)."""
        x = self._prepare(x)
        return assign(x, self.cluster_centers_, device=resolve_device(self.device))[0].cpu().numpy()

    def transform(self, x) -> np.ndarray:
        """Distances to the centers, shape (N, K), as in scikit-learn."""
        x = torch.as_tensor(self._prepare(x))
        return squared_distances(x, torch.as_tensor(self.cluster_centers_)).sqrt().numpy()

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to `folder` (safetensors and JSON); `dcbook.methods.load_model` reads it."""
        from dcbook.methods.saving import save

        save(self, folder)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _prepare(self, x) -> np.ndarray:
        check_is_fitted(self)
        x = as_samples(self, x, fitting=False)
        return x.reshape(len(x), -1)
