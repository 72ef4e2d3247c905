"""Mixtures of Gaussians: VaDE, Jiang et al. 2017, arXiv 1611.05148, and N2D's final mixture.

VaDE is written from memory and from the released code; it was not checked against the paper's text.
"""

import torch
from torch import Tensor


def bernoulli_error(x: Tensor, logits: Tensor) -> Tensor:
    """-log p(x | z) for pixels x in [0, 1], summed over pixels and averaged over the batch."""
    error = torch.nn.functional.binary_cross_entropy_with_logits
    return error(logits.flatten(1), x.flatten(1), reduction="sum") / len(x)


def log_mixture(z: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """VaDE: log pi_c + log N(z_i | m_c, s_c), shape (B, K), for weights (K,), means and diagonal variances (K, d).

    The constant -(d/2) log 2 pi is left out. The softmax over c is gamma_c = p(c | z).
    """
    squares = (z.unsqueeze(1) - means).square() / log_variances.exp()
    return log_weights - 0.5 * (log_variances.sum(1) + squares.sum(2))


def log_full_mixture(y: Tensor, weights: Tensor, means: Tensor, factors: Tensor) -> Tensor:
    """log pi_c + log N(y_i | m_c, S_c), shape (B, K), with full covariances S_c, without the constant -(d/2) log 2 pi.

    `weights` (K,), `means` (K, d) and `factors` (K, d, d): triangular P_c with P_c P_c' = S_c^-1, as scikit-learn's
    `precisions_cholesky_`. The softmax over c gives the responsibilities, from which N2D takes its labels.
    """
    squares = ((y.unsqueeze(1) - means).unsqueeze(2) @ factors).square().sum((2, 3))
    return weights.log() + factors.diagonal(dim1=1, dim2=2).log().sum(1) - 0.5 * squares


def mixture_divergence(
    mean: Tensor,
    log_variance: Tensor,
    log_gamma: Tensor,
    log_weights: Tensor,
    means: Tensor,
    log_variances: Tensor,
) -> Tensor:
    """VaDE: KL(q(z, c | x) || p(z, c)) averaged over the batch: -ELBO without the reconstruction term.

    q(z | x) = N(mean, exp(log_variance)), both (B, d); q(c | x) = gamma (B, K); p(z, c) as in `log_mixture`. Per sample
    1/2 sum_c gamma_c sum_j [log s_cj + exp(log_variance_j) / s_cj + (mean_j - m_cj)^2 / s_cj] - 1/2 sum_j (1 +
    log_variance_j) + sum_c gamma_c (log gamma_c - log pi_c).
    """
    spread = (log_variance.exp() @ (-log_variances).exp().T) / 2 - log_mixture(mean, log_weights, means, log_variances)
    divergence = (log_gamma.exp() * (spread + log_gamma)).sum(1) - (1 + log_variance).sum(1) / 2
    return divergence.mean()
