"""k-means on the samples themselves: the first row of every table."""

import numpy as np
import torch
from torch import Tensor

from dcbook.clustering import kmeans
from dcbook.losses import squared_distances
from dcbook.training.shallow_clusterer import ShallowClusterer


class KMeans(ShallowClusterer):
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

    def _cluster(self, x: Tensor) -> None:
        settings = {"n_init": self.n_init, "max_iter": self.max_iter, "tol": self.tol}
        self._keep(kmeans(x, self.n_clusters, **settings, random_state=self._stream("k-means")))

    def transform(self, x) -> np.ndarray:
        """Distances to the centers, shape (N, K), as in scikit-learn."""
        x = self._prepare(x)
        return squared_distances(x, torch.as_tensor(self.cluster_centers_).to(x)).sqrt().cpu().numpy()
