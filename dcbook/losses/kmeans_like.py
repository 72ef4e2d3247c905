"""DCN and DKM: Yang et al. 2017, arXiv 1610.04794, and Moradi Fard et al. 2020, arXiv 1806.10069.

Written from memory and from the released code; not checked against the papers' texts.
"""

import torch
from torch import Tensor

from dcbook.losses.distances import squared_distances


def dcn_loss(reconstruction: Tensor, clustering: Tensor, lam: float = 2.0) -> Tensor:
    """DCN: ||x_i - x̂_i||^2 + (lambda / 2) ||f(x_i) - M s_i||^2, from two `squared_error`s."""
    return reconstruction + lam / 2 * clustering


def running_means(centers: Tensor, counts: Tensor, u: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """DCN: c_k ← c_k + 1 and m_k ← m_k + (z_i - m_k) / c_k, for the samples i of cluster k one after another.

    The result is a running mean, independent of the order of the samples, so a batch takes one step. Takes `centers`
    (K, d) and `counts` (K,) before the batch, `u` (B, d) and int64 `labels` (B,); returns the new centers and counts.
    """
    hot = torch.nn.functional.one_hot(labels, len(centers)).to(u.dtype)
    sizes = hot.sum(0)
    counts = counts + sizes
    shift = (hot.T @ u - sizes.unsqueeze(1) * centers) / counts.clamp_min(1).unsqueeze(1)
    return centers + shift, counts


def soft_kmeans(u: Tensor, centers: Tensor, alpha: float = 1000.0) -> Tensor:
    """DKM: sum_k softmax_k(-alpha d_ik) d_ik with d_ik = ||z_i - r_k||^2, averaged over the batch."""
    distances = squared_distances(u, centers)
    return (torch.softmax(-alpha * distances, 1) * distances).sum() / len(u)
