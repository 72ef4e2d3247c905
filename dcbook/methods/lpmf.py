"""LPMF, locality preserving non-negative matrix factorization: Cai, He, Wang, Bao & Han, IJCAI 2009 (there: LPNMF).

The symbols, the updates and what is known of them stand in `dcbook.clustering.nmf`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dcbook.clustering import fold_in, kmeans, locality_preserving_nmf
from dcbook.clustering.nmf import check_factorization
from dcbook.training.shallow_clusterer import ShallowClusterer

ROUNDING = 1e-6  # negative numbers this small beside the largest are taken for 0


@dataclass(kw_only=True, repr=False, eq=False)
class LPMF(ShallowClusterer):
    """k-means on the coefficients V of X ≈ V Uᵀ, all non-negative, with V drawn together along a neighbor graph.

    Needs samples without negative numbers; a ValueError says so otherwise.

    Parameters
    ----------
    Beside those of `ShallowClusterer`:

    lam : lambda, weight of the graph, at least 0 (100; 0 is non-negative matrix factorization alone).
    n_neighbors : of each sample in the graph (5; as recalled, not checked against the paper's text).
    max_iter, tol : at most so many updates (100), fewer if one lowers the objective by less than a share `tol` (1e-5).
    n_init : starts of the k-means that the factors begin from, and of the one at the end (10).

    Attributes
    ----------
    Beside those of `ShallowClusterer`:

    components_ : (K, d), Uᵀ. coefficients_ : (N, K), V of the training samples, on which `labels_` rest.
    history_ : phase "factorization" with its objective at each update, then phase "k-means".

    New samples are folded in: `transform` finds their V with U fixed and no graph, `predict` the nearest center. That
    holds for training samples too, so `predict` may differ from `labels_`: the more, the larger lambda.
    """

    lam: float = 100.0
    n_neighbors: int = 5
    max_iter: int = 100
    tol: float = 1e-5
    n_init: int = 10

    def _check(self, x: np.ndarray) -> None:
        check_factorization(self.lam, self.n_neighbors, self.max_iter, self.tol)

    def _cluster(self, x: Tensor) -> None:
        settings = {name: getattr(self, name) for name in ("lam", "n_neighbors", "max_iter", "tol", "n_init")}
        found = locality_preserving_nmf(x, self.n_clusters, **settings, random_state=self._stream("factorization"))
        self.components_, self.coefficients_ = found.u.T.cpu().numpy(), found.v.cpu().numpy()
        self.history_ += [
            {"phase": "factorization", "epoch": epoch, "objective": value}
            for epoch, value in enumerate(found.objective[1:], 1)
        ]
        self._keep(kmeans(found.v, self.n_clusters, n_init=self.n_init, random_state=self._stream("k-means")))

    def _features(self, x: Tensor) -> Tensor:
        return fold_in(x, torch.as_tensor(self.components_.T, device=x.device))

    def _matrix(self, x: np.ndarray) -> Tensor:
        smallest = x.min()
        if smallest < -ROUNDING * x.max():
            raise ValueError(
                f"Negative values in data passed to LPMF: the smallest is {smallest:.4g}, and it factorizes only "
                f"samples from 0 on; scale them, for example with sklearn.preprocessing.MinMaxScaler"
            )
        return super()._matrix(x.clip(0))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags
