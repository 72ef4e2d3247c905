"""ACAI and DynAE: Mrabah et al. 2020, arXiv 1901.07752, as released."""

import torch
from torch import Tensor


def acai_loss(reconstruction: Tensor, realism: Tensor, lam: float = 0.5) -> Tensor:
    """ACAI, autoencoder: mean ||x - x̂||^2 + lambda mean critic(x_int)^2, of the error and the critic's scores (B,)."""
    return reconstruction + lam * realism.square().mean()


def critic_loss(realism: Tensor, a: Tensor, blended: Tensor) -> Tensor:
    """ACAI, critic: mean (critic(x_int) - a)^2 + mean critic(b x + (1 - b) x̂)^2, of scores and shares, all (B,)."""
    return (realism - a).square().mean() + blended.square().mean()


def unconflicted(q: Tensor, beta1: float, beta2: float) -> Tensor:
    """DynAE: whether q_i's largest entry exceeds beta1, and its second largest by more than beta2; (B, K) → (B,)."""
    first, second = torch.cat([q, torch.zeros_like(q[:, :1])], 1).topk(2, dim=1).values.unbind(1)
    return (first > beta1) & (first - second > beta2)
