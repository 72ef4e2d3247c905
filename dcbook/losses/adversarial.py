"""ACAI and DynAE: Mrabah et al. 2020, arXiv 1901.07752; GANMM: Yu & Zhou, IJCAI 2018; both as released.

ADEC (reconstruction) follows Mrabah et al., TKDE 2020, arXiv 1909.11832; see `dcbook.methods.adec`.
"""

import torch
from torch import Tensor


def acai_loss(reconstruction: Tensor, realism: Tensor, lam: float = 0.5) -> Tensor:
    """ACAI, autoencoder: mean ||x - x̂||^2 + lambda mean critic(x_int)^2, from the mean error and the scores (B,)."""
    return reconstruction + lam * realism.square().mean()


def critic_loss(realism: Tensor, a: Tensor, blended: Tensor) -> Tensor:
    """ACAI, critic: mean (critic(x_int) - a)^2 + mean critic(b x + (1 - b) x̂)^2, from scores and shares a, all (B,)."""
    return (realism - a).square().mean() + blended.square().mean()


def unconflicted(q: Tensor, beta1: float, beta2: float) -> Tensor:
    """DynAE: whether the largest entry of q_i exceeds beta1, and the second largest by beta2: (B, K) → bool (B,)."""
    first, second = torch.cat([q, torch.zeros_like(q[:, :1])], 1).topk(2, dim=1).values.unbind(1)
    return (first > beta1) & (first - second > beta2)


def wasserstein_critic_loss(fake: Tensor, real: Tensor) -> Tensor:
    """GANMM, critics: mean D(G(e)) - mean D(x), for scores (…, B); the means run over the last dimension."""
    return fake.mean(-1) - real.mean(-1)


def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """GANMM, generators: -mean D(G(e)), for scores (…, B); the mean runs over the last dimension."""
    return -fake.mean(-1)


def origin_loss(p: Tensor, origins: Tensor, softmaxes: int = 2) -> Tensor:
    """GANMM, classifier: mean cross-entropy of the predicted generators p (B, K) and the true `origins` (B,), int64.

    With `softmaxes` 2, as released, the probabilities p are used as logits, so the loss is at least ln(e + K - 1) - 1.
    With 1 it is the mean of -ln p.
    """
    log_p = p.log_softmax(1) if softmaxes == 2 else p.clamp_min(1e-12).log()
    return torch.nn.functional.nll_loss(log_p, origins)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """ADEC (reconstruction), discriminator: -mean ln D(x) - mean ln(1 - D(g(z))), for logits (B,) and (B',)."""
    return torch.nn.functional.softplus(-real).mean() + torch.nn.functional.softplus(fake).mean()


def realism_loss(fake: Tensor, *, minimax: bool = False) -> Tensor:
    """ADEC (reconstruction), encoder: -mean ln D(g(z)), or +mean ln(1 - D(g(z))) with `minimax`, for logits (B,)."""
    return -torch.nn.functional.softplus(fake).mean() if minimax else torch.nn.functional.softplus(-fake).mean()
