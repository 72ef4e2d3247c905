"""LPMF, locality preserving non-negative matrix factorization: Cai, He, Wang, Bao & Han, IJCAI 2009 (there: LPNMF).

For the symbols, the updates and their sources see `dcbook.clustering.nmf`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dcbook.clustering import fold_in, kmeans, locality_preserving_nmf
from dcbook.clustering.nmf import check_factorization
from dcbook.training.shallow_clusterer import ShallowClusterer

ROUNDING = 1e-6  # negative numbers below this share of the largest count as 0


@dataclass(kw_only=True, repr=False, eq=False)
class LPMF(ShallowClusterer):
    """k-means on the coefficients V of X ≈ V Uᵀ, all non-negative, with V smoothed over a neighbor graph.

    Samples must not have negative numbers; a ValueError is raised otherwise.

    Parameters
    ----------
    In addition to those of `ShallowClusterer`:

    lam : lambda, weight of the graph, at least 0 (100; 0 is non-negative matrix factorization alone).
    n_neighbors : neighbors of each sample in the graph (5; from memory, not checked against the paper's text).
    max_iter, tol : maximum number of updates (100, ours; the released code has no limit); they end when one lowers the
        objective by less than the share `tol` (1e-5).
    n_init : number of starts of the k-means that initializes the factors, and of the final k-means (10).

    Attributes
    ----------
    In addition to those of `ShallowClusterer`:

    components_ : (K, d), Uᵀ. coefficients_ : (N, K), V of the training samples, from which `labels_` are computed.
    history_ : phase "factorization" with its objective at each update, then phase "k-means".

    New samples are folded in: `transform` computes V with U fixed and without the graph, and `predict` finds the
    nearest center. The same holds for training samples, so `predict` may differ from `labels_`, the more so the larger
    lambda is.
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
        settings |= {"random_state": self._stream("factorization"), "device": x.device}
        found = locality_preserving_nmf(x, self.n_clusters, **settings)
        self.components_, self.coefficients_ = found.u.T.cpu().numpy(), found.v.cpu().numpy()
        self.history_ += [
            {"phase": "factorization", "epoch": epoch, "objective": value}
            for epoch, value in enumerate(found.objective[1:], 1)
        ]
        settings = {"n_init": self.n_init, "random_state": self._stream("k-means"), "device": x.device}
        self._keep(kmeans(found.v, self.n_clusters, **settings))

    def _features(self, x: Tensor) -> Tensor:
        return fold_in(x, torch.as_tensor(self.components_.T, device=x.device))

    def _matrix(self, x: np.ndarray) -> Tensor:
        smallest = x.min()
        if smallest < -ROUNDING * x.max():
            raise ValueError(
                f"Negative values in data passed to LPMF, which factorizes only non-negative samples; the smallest is "
                f"{smallest:.4g}; scale them, for example with sklearn.preprocessing.MinMaxScaler"
            )
        return super()._matrix(x.clip(0))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags
