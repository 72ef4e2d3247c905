"""DEC and IDEC: Xie et al. 2016, arXiv 1511.06335, and Guo et al. 2017; IDECF's kernel as released."""

import torch
from torch import Tensor

from dcbook.losses.distances import squared_distances


def student_t(u: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """DEC Eq. (1): q_ik ∝ (1 + ||z_i - mu_k||^2 / alpha)^(-(alpha+1)/2), shape (B, K), rows sum to 1."""
    return torch.softmax((squared_distances(u, centers) / alpha).log1p() * (-(alpha + 1) / 2), dim=1)


def student_t_by_dimension(u: Tensor, centers: Tensor) -> Tensor:
    """IDECF as released: q_ik ∝ sum_j 1 / (1 + (u_ij - mu_kj)^2), summing the kernels of the dimensions."""
    kernel = (1 + (u.unsqueeze(1) - centers).square()).reciprocal().sum(2)
    return kernel / kernel.sum(1, keepdim=True)


def target_distribution(q: Tensor) -> Tensor:
    """DEC Eq. (3): p_ik ∝ q_ik^2 / sum_i q_ik, shape (N, K), rows sum to 1; computed over the whole data set.

    A cluster without weight, where all q_ik are 0 in the precision of q, has p_ik = 0.
    """
    weight = q.square() / q.sum(0).clamp_min(torch.finfo(q.dtype).tiny)
    return weight / weight.sum(1, keepdim=True)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """DEC Eq. (2): KL(P || Q), summed over clusters and averaged over the batch, as the released codes do."""
    return torch.nn.functional.kl_div(q.clamp_min(1e-12).log(), p, reduction="batchmean")
