"""k-means on the samples themselves, the baseline of every table."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dcbook.clustering import assign, kmeans
from dcbook.losses import squared_distances
from dcbook.training.shallow_clusterer import ShallowClusterer


@dataclass(kw_only=True, repr=False, eq=False)
class KMeans(ShallowClusterer):
    """Lloyd's algorithm from the best of several k-means++ starts, on any device.

    Parameters
    ----------
    n_clusters : K.
    n_init : number of starts; the run with the lowest inertia is kept.
    max_iter, tol : as in scikit-learn.
    unit_length : whether each sample is scaled to length 1 first, so that the contrast of an image does not count.
    random_state, device : as in the deep methods.

    Attributes
    ----------
    labels_ (N,) int64, cluster_centers_ (K, d) with images flattened, inertia_, n_iter_, history_ (one entry).
    """

    max_iter: int = 300
    tol: float = 1e-4
    unit_length: bool = False

    def _cluster(self, x: Tensor) -> None:
        settings = {"n_init": self.n_init, "max_iter": self.max_iter, "tol": self.tol, "device": x.device}
        self._keep(kmeans(x, self.n_clusters, **settings, random_state=self._stream("k-means")))

    def transform(self, x) -> np.ndarray:
        """Distances to the centers, shape (N, K), as in scikit-learn."""
        x = self._prepare(x)
        return squared_distances(x, torch.as_tensor(self.cluster_centers_).to(x)).sqrt().cpu().numpy()

    def score(self, x, y=None) -> float:
        """Minus the inertia of x, the sum of squared distances to the nearest centers, as in scikit-learn."""
        x = self._prepare(x)
        _, distances = assign(x, self.cluster_centers_, device=self._device)
        return -float(distances.double().sum())

    def _matrix(self, x: np.ndarray) -> Tensor:
        x = super()._matrix(x)
        return torch.nn.functional.normalize(x, dim=1) if self.unit_length else x

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)
