"""Mini-batch k-means (Sculley, WWW 2010) and Lloyd's algorithm, both as scikit-learn has them, to compare their speed.

| symbol | in code          | shape  | meaning                                                                       |
|--------|------------------|--------|-------------------------------------------------------------------------------|
| x_i    | x                | (N, d) | samples, or their first `pca_dim` principal components                        |
| mu_k   | cluster_centers_ | (K, d) | centers; in mini-batches the running mean of all samples that they were given |
| b      | batch_size       |        | samples of an update, drawn with replacement; None: Lloyd's algorithm         |
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn.cluster
import torch
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from torch import Tensor

from dcbook.training.shallow_clusterer import ShallowClusterer

SPARSE = 0.1  # share of numbers other than 0 up to which samples are clustered as a sparse matrix
LOST = 0.01  # largest rounding error of a squared length, as a share of the samples' variance


@dataclass(kw_only=True, repr=False, eq=False)
class MiniBatchKMeans(ShallowClusterer):
    """k-means by scikit-learn, batch by batch or, for `batch_size=None`, by Lloyd's algorithm.

    Parameters
    ----------
    Beside those of `ShallowClusterer`:

    batch_size : samples of an update, at least 1 (1,024), or None.
    passes : most passes over the samples, at least 1 (100). Either algorithm may stop before, as scikit-learn decides.
    n_init : starts of k-means++ (1), of which the best is kept; mini-batch compares them on a part of the samples.
    pca_dim : principal components that are clustered, at least 1; None: the samples as they are.
    reassignment_ratio : mini-batches move a center to a random sample of the batch when it was given less than this
        share of the samples of the largest one, in [0, 1] (0.01, scikit-learn's default). At 0 only a center without
        any sample is moved. Sculley's algorithm moves none.

    Attributes
    ----------
    Beside those of `ShallowClusterer`:

    history_ : one entry with inertia, passes, and cpu_seconds, the processor time of the start and the iterations, all
        threads together; PCA and the last assignment of all samples are not in it.

    Samples with few numbers other than 0, such as texts by TF-IDF, are clustered as rows of a sparse matrix.
    scikit-learn finds distances from squared lengths: a fit raises ValueError for samples whose mean is so large beside
    their spread, or whose numbers are so large or small, that rounding would decide the clusters.
    """

    n_init: int = 1
    batch_size: int | None = 1024
    passes: int = 100
    pca_dim: int | None = None
    reassignment_ratio: float = 0.01

    def _cluster(self, x: Tensor) -> None:
        samples = self._reduced(x.cpu().numpy())
        if np.count_nonzero(samples) <= SPARSE * samples.size:
            samples = csr_array(samples)
        settings: dict[str, Any] = {"n_init": self.n_init, "max_iter": self.passes, "random_state": self.seed_ % 2**32}
        if self.batch_size is None:
            learner = sklearn.cluster.KMeans(self.n_clusters, algorithm="lloyd", **settings)
        else:
            settings |= {"batch_size": self.batch_size, "reassignment_ratio": self.reassignment_ratio}
            settings["compute_labels"] = False
            learner = sklearn.cluster.MiniBatchKMeans(self.n_clusters, **settings)
        began = time.process_time()
        learner.fit(samples)
        seconds = time.process_time() - began
        self.labels_ = learner.predict(samples).astype(np.int64)
        self.cluster_centers_ = np.asarray(learner.cluster_centers_)
        self.inertia_, self.n_iter_ = -float(learner.score(samples)), int(learner.n_iter_)
        entry = {"phase": "k-means", "epoch": 1, "inertia": self.inertia_, "passes": self.n_iter_}
        self.history_.append(entry | {"cpu_seconds": seconds})

    def _reduced(self, x: np.ndarray) -> np.ndarray:
        """The principal components of the samples of a fit, which keeps the projection."""
        if self.pca_dim is None:
            return x
        solver = "arpack" if self.pca_dim < len(x) < x.shape[1] else "covariance_eigh"  # no matrix larger than x
        pca = PCA(self.pca_dim, svd_solver=solver, random_state=0).fit(x)
        self.whitening_mean_, self.whitening_projection_ = pca.mean_, pca.components_.T
        return self._features(torch.as_tensor(x)).numpy()

    def _features(self, x: Tensor) -> Tensor:
        """Principal components, or the samples themselves."""
        if self.pca_dim is None:
            return x
        mean, projection = (torch.as_tensor(each).to(x) for each in (self.whitening_mean_, self.whitening_projection_))
        return (x - mean) @ projection

    def _check(self, x: np.ndarray) -> None:
        if min(self.batch_size or 1, self.passes, self.n_init) < 1 or self.batch_size == 0:
            raise ValueError(
                f"batch_size, passes and n_init must be at least 1, not {self.batch_size}, {self.passes}, {self.n_init}"
            )
        if not 0 <= self.reassignment_ratio <= 1:
            raise ValueError(f"reassignment_ratio must be in [0, 1], not {self.reassignment_ratio}")
        most = min(len(x), int(np.prod(x.shape[1:])))
        if self.pca_dim is not None and not 1 <= self.pca_dim <= most:
            raise ValueError(f"pca_dim must be from 1 to {most}, or None, not {self.pca_dim}")
        _check_precision(x.reshape(len(x), -1))


def _check_precision(x: np.ndarray) -> None:
    """Raise ValueError if rounding of squared lengths hides differences between the samples x (N, d)."""
    if not np.ptp(x, axis=0).any():
        return  # equal samples
    with np.errstate(over="ignore", invalid="ignore"):
        rounding = np.finfo(x.dtype).eps * float(np.vdot(x, x)) / len(x)
        lost = not rounding < LOST * float(x.var(axis=0).sum())
    if lost:
        raise ValueError(
            f"scikit-learn's k-means cannot distinguish these samples in {x.dtype}: subtract their mean and scale "
            "them, for example with sklearn.preprocessing.StandardScaler, or use dcbook.methods.KMeans"
        )
