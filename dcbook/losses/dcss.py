"""DCSS, Eqs. (1) to (5): Sadeghi & Armanfard 2024, arXiv 2405.03590.

The equations are reconstructed from the paper's text and the released code, which agree.
"""

import torch
from torch import Tensor

from dcbook.losses.distances import squared_distances


def weighted_reconstruction(x: Tensor, x_hat: Tensor, weights: Tensor) -> Tensor:
    """DCSS Eq. (1b): sum_i p_ik^m ||x_i - x̂_i||^2, summed over the batch and not averaged.

    `weights` (B, k) holds p^m: one column for the loss of one cluster, all K columns for the sum of all (DCSS_agg).
    """
    return weights.sum(1) @ (x.flatten(1) - x_hat.flatten(1)).square().sum(1)


def weighted_centering(u: Tensor, centers: Tensor, weights: Tensor) -> Tensor:
    """DCSS Eq. (1c): sum_i p_ik^m ||u_i - mu_k||^2 for `centers` (k, d) and `weights` (B, k), as in Eq. (1b)."""
    return (weights * squared_distances(u, centers)).sum()


def cluster_loss(reconstruction: Tensor, centering: Tensor, alpha: float = 0.1) -> Tensor:
    """DCSS Eq. (1a): L_u^(k) = L_r^(k) + alpha L_c^(k), the loss of the k-th of the K successive updates."""
    return reconstruction + alpha * centering


def memberships(u: Tensor, centers: Tensor, m: float = 1.5, eps: float = 1e-12) -> Tensor:
    """DCSS Eq. (2): p_ik ∝ (||u_i - mu_k||^2)^(-1/(m-1)), shape (B, K), rows sum to 1.

    Computed with logarithms, with squared distances of at least `eps`: a sample at a center gets membership 1 there,
    where the released code divides by zero. `m` > 1 is the fuzziness.
    """
    return torch.softmax(squared_distances(u, centers).clamp_min(eps).log() / (1 - m), dim=1)


def weighted_centers(u: Tensor, p: Tensor, m: float = 1.5, before: Tensor | None = None) -> Tensor:
    """DCSS Eq. (3): mu_k = sum_i p_ik^m u_i / sum_i p_ik^m over the whole data set, shape (K, d).

    A cluster without weight, where all p_ik^m are 0 in the precision of p, keeps its center in `before` (K, d); its
    center is NaN without `before`.
    """
    weights = p**m
    total = weights.sum(0).unsqueeze(1)
    centers = (weights.T @ u) / total
    return centers if before is None else torch.where(total > 0, centers, before)


def pairwise_loss(
    q: Tensor, similarity: Tensor, zeta: float = 0.8, gamma: float = 0.2, *, released: bool = False
) -> Tensor:
    """DCSS Eqs. (4) and (5): sum_ij 1{s_ij >= zeta} (1 - q_i·q_j) + 1{s_ij <= gamma} q_i·q_j.

    `similarity` (B, B) is p pᵀ in Eq. (4), q qᵀ in Eq. (5); it only selects pairs, so no gradient flows through it. The
    sum runs over ordered pairs of different samples. With `released`, each sample is also paired with itself, and the
    comparisons are strict (DCSS.py:244-247).
    """
    agreement = q @ q.T
    if released:
        similar, dissimilar = similarity > zeta, similarity < gamma
    else:
        others = ~torch.eye(len(q), dtype=torch.bool, device=q.device)
        similar, dissimilar = (similarity >= zeta) & others, (similarity <= gamma) & others
    return torch.where(similar, 1 - agreement, 0).sum() + torch.where(dissimilar, agreement, 0).sum()


def rounded(q: Tensor, low: float = 0.01, high: float = 0.99) -> Tensor:
    """Rounding in the released DCSS code: entries above `high` become 1, below `low` 0, both without a gradient."""
    return torch.where(q > high, 1.0, torch.where(q < low, 0.0, q))
