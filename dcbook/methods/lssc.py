"""LSSC, large-scale spectral clustering with landmark-based representation: Chen & Cai, AAAI 2011 (there: LSC).

The symbols, what is known of them and the two variants stand in `dcbook.clustering.landmarks`.
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
    """Landmark-based spectral clustering: k-means on the singular vectors of a sparse matrix, samples × landmarks.

    Parameters
    ----------
    Beside those of `ShallowClusterer`:

    n_landmarks : p, at least K (1000; of fewer samples, all).
    n_nearest : r, landmarks that represent a sample, from 1 to p (5).
    landmarks : "k-means" (5 iterations, one start) or "random" samples.
    bandwidth : h of the Gaussian kernel, in the units of x; None is that of the variant.
    variant : "paper" or "released", see `dcbook.clustering.landmarks`.

    The defaults, and 10 starts of at most 100 iterations of the final k-means, are those of copies of the MATLAB code.

    Attributes
    ----------
    Beside those of `ShallowClusterer`:

    landmarks_ : (p, d). projection_ : (p, K), from a sample's weights on the landmarks to its spectral coordinates,
        which `transform` gives, for new samples too. bandwidth_ : h.
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
        embed, b = landmark_embedding(x, self.n_clusters, **self._settings, random_state=self._stream("landmarks"))
        self.landmarks_, self.projection_ = embed.landmarks.cpu().numpy(), embed.projection.cpu().numpy()
        self.bandwidth_ = embed.bandwidth
        self._keep(kmeans(b, self.n_clusters, n_init=self.n_init, max_iter=100, random_state=self._stream("k-means")))

    def _features(self, x: Tensor) -> Tensor:
        landmarks, projection = (torch.as_tensor(array).to(x) for array in (self.landmarks_, self.projection_))
        n_nearest = min(self.n_nearest, len(landmarks))
        return LandmarkEmbedding(landmarks, projection, n_nearest, self.bandwidth_, self.variant == "released")(x)
