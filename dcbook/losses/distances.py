"""Distances and errors that several families of losses share."""

import torch
from torch import Tensor


def squared_distances(u: Tensor, centers: Tensor) -> Tensor:
    """||u_i - mu_k||^2, shape (B, K), from direct differences but without a (B, K, d) array; differentiable."""
    return torch.cdist(u, centers, compute_mode="donot_use_mm_for_euclid_dist").square()


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """||a_i - b_i||^2, summed over pixels or dimensions and averaged over the batch."""
    return torch.nn.functional.mse_loss(a.flatten(1), b.flatten(1), reduction="sum") / len(a)


def mean_squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Reconstruction error averaged over batch and pixels: the pretraining loss, and IDEC's L_r."""
    return torch.nn.functional.mse_loss(x_hat.flatten(1), x.flatten(1))
