"""EDESC: Cai et al., CVPR 2022, as released (JinyuCai95/EDESC-pytorch at 3f755da); the paper was not read.

D is `basis` (n_z, K d): K blocks of d columns, one block for each cluster's subspace.
"""

import torch
from torch import Tensor


def subspace_affinity(u: Tensor, basis: Tensor, n_clusters: int, eta: float = 5.0) -> Tensor:
    """EDESC: s_ik ∝ ||D_k' z_i||^2 + eta d, for codes `u` (B, n_z): (B, K), rows sum to 1.

    The printed denominator (eta + 1) d cancels when a row is divided by its sum.
    """
    d = basis.shape[1] // n_clusters
    energy = (u @ basis).unflatten(1, (n_clusters, d)).square().sum(2) + eta * d
    return energy / energy.sum(1, keepdim=True)


def column_lengths(basis: Tensor) -> Tensor:
    """EDESC, L_D1 without its weight: ||D'D ∘ I - I||_F, the deviation of D's columns from length 1; not squared."""
    return torch.linalg.vector_norm(basis.square().sum(0) - 1)


def subspace_overlap(basis: Tensor, n_clusters: int) -> Tensor:
    """EDESC, L_D2 without its weight: ||D'D ∘ O||_F with O = 1 outside the K diagonal blocks, 0 inside; not squared."""
    blocks = torch.arange(basis.shape[1], device=basis.device) // (basis.shape[1] // n_clusters)
    return torch.linalg.vector_norm((basis.T @ basis) * (blocks.unsqueeze(1) != blocks))
