"""The shape of a latent space: dimension and curvature of its clusters, and collapse.

| quantity        | function             | what it says                                                              |
|-----------------|----------------------|---------------------------------------------------------------------------|
| ID              | `two_nn`             | dimension of the manifold that the codes lie on, straight or curved       |
| LID             | `linear_dimension`   | dimension of the flat space that holds most of their variance             |
| LID - ID        | `cluster_dimensions` | curvature gap of the clusters: large where they are curved, 0 if flat     |
| spectral gap    | `spectral_gap`       | gain in ACC if clusters are found from neighbors instead of from centers  |
| effective rank  | `effective_rank`     | dimensions that the codes still use: 1 is collapse to a line              |
| latent variance | `latent_variance`    | spread of the codes: 0 is collapse to a point                             |

Feature twist in the sense of FT-VGAE (Mrabah et al., IJCAI 2022, App. A and K) and R-DC (Fig. 1): ID rises to LID and
the spectral gap falls to 0 while a pseudo-supervised loss flattens the clusters. All functions take codes u (N, d), an
array or a tensor; only `spectral_gap` takes true labels.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dcbook.clustering.kmeans import kmeans
from dcbook.clustering.neighbors import nearest_others
from dcbook.clustering.points import as_matrix
from dcbook.evaluation.scores import accuracy
from dcbook.threads import ignored

LEAST = 20  # smallest number of codes for which a cluster's dimensions are estimated
NEIGHBORS = 10  # number of neighbors of a code in the graph of spectral clustering


@dataclass(frozen=True)
class Dimensions:
    """Dimensions of a latent space's clusters, averaged over the clusters; NaN if no cluster could be measured.

    Attributes
    ----------
    id : intrinsic dimension, above 0.
    lid : linear intrinsic dimension, from 1 to d.
    clusters : number of clusters that were measured.
    """

    id: float
    lid: float
    clusters: int

    @property
    def gap(self) -> float:
        """LID - ID, the curvature gap: large for curved clusters, about 0 for flat ones."""
        return self.lid - self.id


def two_nn(u: ArrayLike | Tensor, share: float = 0.9) -> float:
    """Intrinsic dimension of codes u (N, d) by TwoNN (Facco et al. 2017), NaN if there are too few codes.

    With distances r1 and r2 of a code to its two nearest neighbors, log(r2 / r1) has the distribution function
    F(x) = 1 - exp(-ID x), so ID is the slope of a regression of -log(1 - F) on log(r2 / r1) through the origin. As in
    FT-VGAE (App. K and intrinsic_dimension.py), codes with r1 = 0 or r1 = r2 are left out, F_i = i / N for the i-th
    smallest ratio, the two largest ratios are dropped, and the lowest `share` of the N ratios are used.

    The standard error is about 1.2 ID / sqrt(N). Distances are exact, computed chunk by chunk. Raises ValueError if u
    is not a matrix of finite numbers.

    Near-copies bias it downwards: r2 / r1 of a code with a near-copy says how near the copy is, not what the dimension
    is. Where more than 1 - `share` of the codes have one, these ratios decide. Of 500 normal points in 5 dimensions ID
    is 4.4; with copies of 100 of them at a distance of 0.002, it is 0.3. Equal codes are left out and do no harm.
    BreastMNIST is such a set: 309 of its 780 images have another at a distance below 1 (pixels in [0, 1]; half of the
    others have none within 3). ID of its pixels is 1.1, but 14 without 167 near-copies.
    """
    u = _codes(u)
    if len(u) < 3:
        return math.nan
    first, second = nearest_others(u, 2)[0].double().T
    usable = (first > 0) & (first < second)
    x = ((second / first)[usable].log() / 2).sort().values
    n = len(x)
    y = -(-torch.arange(1, n + 1, device=x.device, dtype=x.dtype) / n).log1p()
    kept = max(0, min(n - 2, int(share * n)))
    x, y = x[:kept], y[:kept]
    return float(x @ y / (x @ x)) if kept else math.nan


def linear_dimension(u: ArrayLike | Tensor, share: float = 0.9, standardize: bool = True) -> int:
    """LID: number of principal components that hold more than `share` of the variance of codes u (N, d), at most d.

    With `standardize`, features are first scaled to unit variance, as in FT-VGAE's code (model_cora.py:87-98); its App.
    K does not mention this. FT-VGAE's code returns the index of the last of these components, one less than their
    number. The result is 0 if all codes are equal.
    """
    u = _centered(u)
    if standardize:
        scale = u.square().mean(0).sqrt()
        u = u / torch.where(scale > 0, scale, 1)
    variances = _variances(u)
    cumulative = variances.cumsum(0) / variances.sum()
    return int((cumulative <= share + 1e-12).sum()) + 1 if variances.sum() > 0 else 0


def cluster_dimensions(
    u: ArrayLike | Tensor, labels: ArrayLike | Tensor, at_most: int = 1000, seed: int = 0
) -> Dimensions:
    """ID and LID of each cluster of codes u (N, d) with `labels` (N,), averaged over the clusters.

    A cluster of more than `at_most` codes is measured on a random sample of that size. Clusters with fewer than `LEAST`
    codes, or with equal codes and hence no ID, are left out. Both dimensions decrease with the number of codes, so
    compare equal numbers. For IDEC's ten clusters on USPS (500 to 1,600 codes in 10 dimensions, ID 7.4, LID 7.1),
    `at_most` 1,000 lowers the mean ID by 0.05 ± 0.02 and does not change LID; a random 400, 200 or 100 codes per
    cluster lower ID by 0.3, 0.5 or 0.6 (± 0.2) and LID by 0.1, 0.2 or 0.4. Raises ValueError for codes that are not
    finite, and unless there is one label for each.
    """
    u = _codes(u)
    labels = (labels if isinstance(labels, Tensor) else torch.tensor(np.asarray(labels))).to(u.device)
    _check_labels(labels.shape, len(u))
    order = torch.randperm(len(u), generator=torch.Generator().manual_seed(seed)).to(u.device)
    clusters = [order[labels[order] == k][:at_most] for k in labels.unique()]
    measured = [(two_nn(u[rows]), linear_dimension(u[rows])) for rows in clusters if len(rows) >= LEAST]
    measured = [(each, linear) for each, linear in measured if math.isfinite(each)]
    means = np.mean(measured, 0).tolist() if measured else (math.nan, math.nan)
    return Dimensions(*means, clusters=len(measured))


def spectral_gap(
    u: ArrayLike | Tensor, labels: ArrayLike, n_clusters: int, at_most: int = 1000, seed: int = 0
) -> float:
    """ACC of spectral clustering minus ACC of k-means on codes u (N, d) with true `labels` (N,), from -1 to 1.

    Spectral clustering is scikit-learn's, on the graph of the `NEIGHBORS` nearest neighbors, with labels by cluster_qr,
    which needs no restarts. At most `at_most` codes, drawn at random, are used; at this size it is as fast as the
    landmarks of `LSSC`. The standard deviation of the gap between draws from USPS is up to 0.05 after one epoch of DEC
    or IDEC and 0.005 after six; with 2,000 codes it is 0.04 and 0.003. NaN if there are fewer codes than `NEIGHBORS` or
    clusters. Raises ValueError for codes that are not finite, and unless there is one label for each.
    """
    from sklearn.cluster import SpectralClustering  # imported here, as it loads a large part of scikit-learn

    u, labels = _codes(u).cpu(), np.asarray(labels)
    _check_labels(labels.shape, len(u))
    rows = np.sort(np.random.default_rng(seed).permutation(len(u))[:at_most])
    u, labels = u[rows], labels[rows]
    if len(u) < max(NEIGHBORS, n_clusters):
        return math.nan
    spectral = SpectralClustering(
        n_clusters, affinity="nearest_neighbors", n_neighbors=NEIGHBORS, assign_labels="cluster_qr", random_state=seed
    )
    found = kmeans(u, n_clusters, random_state=seed, device="cpu").labels.numpy()
    with ignored(UserWarning):  # about a disconnected graph, which occurs if clusters are far apart
        by_neighbors = spectral.fit_predict(u.numpy())
    return accuracy(labels, by_neighbors) - accuracy(labels, found)


def effective_rank(u: ArrayLike | Tensor) -> float:
    """exp of the entropy of the normalized singular values of the centered codes u (N, d): 1 to min(N, d).

    Roy & Vetterli 2007. It is the number of singular values if all are equal, and 0 if all codes are equal. For 2,000
    codes of USPS it differs from the value for all codes, 8 to 9, by at most 0.02.
    """
    values = _variances(_centered(u)).sqrt()
    p = values / values.sum()
    return float(torch.special.entr(p).sum().exp()) if values.sum() > 0 else 0.0


def latent_variance(u: ArrayLike | Tensor) -> float:
    """Variance of the codes u (N, d), averaged over the dimensions."""
    return float(_centered(u).square().mean())


def _codes(u: ArrayLike | Tensor) -> Tensor:
    """The codes as a matrix of finite numbers; tensors keep their device, arrays become tensors on the CPU."""
    u = as_matrix(u, u.device if isinstance(u, Tensor) else "cpu", "u")
    if not u.isfinite().all():
        raise ValueError("u holds NaN or infinite numbers")
    return u


def _check_labels(shape: tuple[int, ...], n: int) -> None:
    if tuple(shape) != (n,):
        raise ValueError(f"there must be one label for each of the {n} codes; labels have shape {tuple(shape)}")


def _centered(u: ArrayLike | Tensor) -> Tensor:
    u = _codes(u).double()
    return u - u.mean(0)


def _variances(centered: Tensor) -> Tensor:
    """Squared singular values, largest first, from the smaller of the two Gram matrices."""
    n, d = centered.shape
    product = centered.T @ centered if d <= n else centered @ centered.T
    return torch.linalg.eigvalsh(product).flip(0).clamp_min(0)
