"""LSSC, large-scale spectral clustering with landmark-based representation: Chen & Cai, AAAI 2011 (there: LSC).

For the symbols, their sources and the two variants see `dcbook.clustering.landmarks`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dcbook.clustering import LandmarkEmbedding, kmeans, landmark_embedding
from dcbook.clustering.landmarks import check_landmarks
from dcbook.training.shallow_clusterer import ShallowClusterer


@dataclass(kw_only=True, repr=False, eq=False)
class LSSC(ShallowClusterer):
    """Landmark-based spectral clustering: k-means on singular vectors of a sparse matrix of samples and landmarks.

    Parameters
    ----------
    In addition to those of `ShallowClusterer`:

    n_landmarks : p, at least K (1000, or all samples if there are fewer).
    n_nearest : r, number of landmarks that represent a sample, from 1 to p (5).
    landmarks : "k-means" (5 iterations, one start) or "random" samples.
    bandwidth : h of the Gaussian kernel, in the units of x; None takes the variant's h.
    variant : "paper" or "released", see `dcbook.clustering.landmarks`.

    The defaults, and the final k-means with 10 starts and at most 100 iterations, follow copies of the MATLAB code.

    Attributes
    ----------
    In addition to those of `ShallowClusterer`:

    landmarks_ : (p, d). projection_ : (p, K), maps a sample's weights on the landmarks to its spectral coordinates,
        which `transform` returns, also for new samples. bandwidth_ : h.
    """

    n_landmarks: int = 1000
    n_nearest: int = 5
    landmarks: str = "k-means"
    bandwidth: float | None = None
    variant: str = "paper"
    n_init: int = 10

    @property
    def _settings(self) -> dict:
        names = ("n_landmarks", "n_nearest", "landmarks", "bandwidth", "variant")
        return {name: getattr(self, name) for name in names}

    def _check(self, x: np.ndarray) -> None:
        check_landmarks(len(x), self.n_clusters, **self._settings)

    def _cluster(self, x: Tensor) -> None:
        settings = {**self._settings, "random_state": self._stream("landmarks"), "device": x.device}
        embed, b = landmark_embedding(x, self.n_clusters, **settings)
        self.landmarks_, self.projection_ = embed.landmarks.cpu().numpy(), embed.projection.cpu().numpy()
        self.bandwidth_ = embed.bandwidth
        settings = {"random_state": self._stream("k-means"), "device": x.device}
        self._keep(kmeans(b, self.n_clusters, n_init=self.n_init, max_iter=100, **settings))

    def _features(self, x: Tensor) -> Tensor:
        landmarks, projection = (torch.as_tensor(array).to(x) for array in (self.landmarks_, self.projection_))
        n_nearest = min(self.n_nearest, len(landmarks))
        return LandmarkEmbedding(landmarks, projection, n_nearest, self.bandwidth_, self.variant == "released")(x)
