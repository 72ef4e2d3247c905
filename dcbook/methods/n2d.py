"""N2D, (Not Too) Deep Clustering: McConville, Santos-Rodriguez, Piechocki & Craddock, ICPR 2020.

| symbol    | name in code              | shape              | meaning                                                |
|-----------|---------------------------|--------------------|--------------------------------------------------------|
| z_i       | u                         | (N, d)             | codes of an autoencoder, d = K                         |
| y_i       | self.head_.places         | (N, m)             | their embedding by a manifold learner ("map"), m = K   |
| pi, mu, Σ | self.head_                | (K,), (K, m), (K, m, m) | a mixture of Gaussians on the map                 |

The autoencoder is trained on the reconstruction error and then kept fixed. A manifold learner maps its codes, and EM
fits a mixture with full covariances to the map. The label of a sample is the component with the largest responsibility.

Source: the released code (rymc/n2d at 6c35936: n2d.py, run.sh, datasets.py); the paper was not read. run.sh uses UMAP
with m = K, 20 neighbors and min_dist 0 (the argument parser's defaults are m = 2 and 10 neighbors), the mixture of
scikit-learn with one start, and seed 0 for everything, so each published number is a single draw. No label enters a
run, but UMAP was preferred to other maps by comparing scores across data sets. Not followed: shipped weights of the
autoencoder, and USPS without rescaling.

UMAP comes from the package umap-learn, which dcbook does not install, because it includes a compiler and compiles for
about a minute once in each process, before the training starts; this time is not counted. Isomap, from scikit-learn,
needs N × N distances. Neither of these maps is applied to new samples; their places are interpolated from the nearest
training codes, see `dcbook.models.MappedMixture`.

The contributions of the parts can be separated: `start=IdentityEncoder()` maps the samples themselves,
`manifold="none"` fits the mixture to the codes, and `clusterer="k-means"` replaces the mixture. In trials on the pixels
of USPS, one UMAP map gave accuracies of 0.80, 0.81, 0.83 and 0.95 for different starts of EM, and another map 0.68, so
report several seeds. The likelihood does not indicate which start is better.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from dcbook.clustering import kmeans
from dcbook.models import MappedMixture
from dcbook.threads import ignored
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, stream
from dcbook.training.pretraining import Pretraining

MANIFOLDS = ("umap", "isomap", "none")
CLUSTERERS = ("mixture", "k-means")
KMEANS_STARTS = 20
SMALLEST = 1e-12  # lower bound of a variance


@dataclass(kw_only=True, repr=False, eq=False)
class N2D(DeepClusterer):
    """(Not Too) Deep Clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : as in `DeepClusterer`; None is `Pretraining(latent_dim=n_clusters, epochs=1000)`. It needs no decoder.
    manifold : "umap" as released, "isomap", or "none".
    n_components : dimension of the map, from 1 to N; None is K.
    n_neighbors : number of neighbors of a code on the manifold, at least 1, for UMAP 2 (20, or all others if there are
        fewer).
    min_dist : smallest distance of places on UMAP's map, from 0 to 1 (0); only used by UMAP.
    clusterer : "mixture" of Gaussians with full covariances, or "k-means" with 20 starts, on the map.
    restarts : number of starts of the mixture's EM; the fit with the largest likelihood is kept (1).

    Raises ImportError, before training, for "umap" if umap-learn is not installed.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    head_ : the map and the mixture, a `MappedMixture`; `predict_proba` returns responsibilities. `cluster_centers_` are
        the means of the clusters' codes; `transform` returns codes, and `head_.place(codes)` places on the map.
    history_ : after pretraining, one entry: the mean log likelihood of a place.
    """

    start: Any = None
    manifold: str = "umap"
    n_components: int | None = None
    n_neighbors: int = 20
    min_dist: float = 0.0
    clusterer: str = "mixture"
    restarts: int = 1

    _decoder_for = None

    def _optimize(self) -> None:
        u = self._embed(self._x)
        head = self._empty_head(u)
        for _, log in self._epochs("clustering", 1, head=head):
            places = self._map(u.cpu().numpy())
            if self.manifold != "none":
                head.codes.copy_(u)
                head.places.copy_(torch.from_numpy(places))
            weights, means, factors, likelihood = self._mixture(head.place(u))
            head.weights.copy_(weights)
            head.means.copy_(means)
            head.factors.copy_(factors)
            self.head_ = head
            self._centers = self._cluster_means(u)
            log(log_likelihood=likelihood)
        self.head_ = head

    def _empty_head(self, u: Tensor) -> MappedMixture:
        """An unfitted head for codes u (N, d)."""
        n, latent_dim = u.shape
        map_dim = latent_dim if self.manifold == "none" else self.n_components or self.n_clusters
        mapped = 0 if self.manifold == "none" else n
        return MappedMixture(mapped, latent_dim, map_dim, self.n_clusters, min(self.n_neighbors, n)).to(self._device)

    def _map(self, u: np.ndarray) -> np.ndarray:
        """Codes (N, d) → places (N, m) float64."""
        settings = {"n_components": self.n_components or self.n_clusters}
        settings["n_neighbors"] = min(self.n_neighbors, len(u) - 1)
        if self.manifold == "umap":
            from umap import UMAP  # imports numba

            seed = derived_seed(self.seed_, "manifold") % 2**31
            learner = UMAP(**settings, min_dist=self.min_dist, random_state=seed, n_jobs=1)
        elif self.manifold == "isomap":
            from sklearn.manifold import Isomap  # loads a large part of scikit-learn

            learner = Isomap(**settings, eigen_solver="dense")  # the default uses numpy's global generator
        else:
            return u
        with ignored(Warning):  # about a disconnected graph, which clusters may cause
            return learner.fit_transform(u).astype(np.float64)

    def _mixture(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
        """Weights (K,), means (K, m) and factors (K, m, m) of the mixture, and the mean log likelihood of y (N, m)."""
        if self.clusterer == "k-means":
            return self._equal_balls(y)
        from sklearn.mixture import GaussianMixture

        seed = derived_seed(self.seed_, "mixture") % 2**31
        mixture = GaussianMixture(self.n_clusters, n_init=self.restarts, random_state=seed)
        with ignored(ConvergenceWarning):
            mixture.fit(y.cpu().numpy())
        found = (mixture.weights_, mixture.means_, mixture.precisions_cholesky_)
        return *(torch.from_numpy(part) for part in found), float(mixture.lower_bound_)

    def _equal_balls(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
        """k-means as a mixture with equal weights and one variance for all directions and clusters."""
        purpose = stream(self.seed_, "k-means of the map")
        found = kmeans(y, self.n_clusters, n_init=KMEANS_STARTS, random_state=purpose, device=y.device)
        k, m = found.centers.shape
        variance = max(SMALLEST, found.inertia / y.numel())
        factors = torch.eye(m, dtype=y.dtype).expand(k, m, m) / variance**0.5
        log_density = -0.5 * m * np.log(2 * np.pi * np.e * variance) - np.log(k)
        return torch.full((k,), 1 / k), found.centers, factors, float(log_density)

    def _default_recipe(self) -> Pretraining:
        return Pretraining(latent_dim=self.n_clusters, epochs=1000)

    def _check_samples(self, x: np.ndarray) -> None:
        if self.manifold != "none" and (self.n_components or 1) > len(x):
            raise ValueError(f"n_components must be at most {len(x)}, the number of samples, not {self.n_components}")
        if self.manifold == "umap":
            compile_umap()

    def _check_hyperparameters(self) -> None:
        for name, known in (("manifold", MANIFOLDS), ("clusterer", CLUSTERERS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        components = 1 if self.n_components is None else self.n_components
        least = 2 if self.manifold == "umap" else 1
        if min(components, self.restarts) < 1 or self.n_neighbors < least or not 0 <= self.min_dist <= 1:
            raise ValueError(
                f"n_components and restarts must be at least 1, n_neighbors at least {least} and min_dist in [0, 1], "
                f"not {self.n_components}, {self.restarts}, {self.n_neighbors}, {self.min_dist}"
            )
        if self.manifold == "umap" and find_spec("umap") is None:
            raise ImportError(
                'manifold="umap" needs the package umap-learn, which is not installed: pip install "dcbook[manifold]"; '
                'or use manifold="isomap"'
            )


@cache
def compile_umap() -> None:
    """Have the code of UMAP compiled, all of it that a map of many samples takes, once in a process."""
    from umap import UMAP  # brings numba

    few = np.random.default_rng(0).random((100, 3), dtype=np.float32)
    with ignored(Warning):
        UMAP(5, n_epochs=2, force_approximation_algorithm=True, random_state=0, n_jobs=1).fit_transform(few)
