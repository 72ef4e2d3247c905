"""A mixture of Gaussians as a module: the prior of VaDE."""

import torch
from torch import Tensor, nn

from dcbook.losses import log_mixture


class GaussianMixturePrior(nn.Module):
    """p(z, c) = pi_c N(z | m_c, diag s_c) with c = 1..K and z of `latent_dim` dimensions.

    Weights are the softmax of `logits` (K,) and variances the exponential of `log_variances` (K, d), so any optimizer
    step gives a valid mixture. The initial mixture has K standard normals of equal weight.
    """

    def __init__(self, n_clusters: int, latent_dim: int):
        super().__init__()
        self.config = {"n_clusters": n_clusters, "latent_dim": latent_dim}
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.means = nn.Parameter(torch.zeros(n_clusters, latent_dim))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, latent_dim))

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """log pi (K,), means (K, d), log variances (K, d)."""
        return self.logits.log_softmax(0), self.means, self.log_variances

    def forward(self, z: Tensor) -> Tensor:
        """Latent codes (B, d) → log p(z, c) + (d/2) log 2 pi, shape (B, K)."""
        return log_mixture(z, *self.parts)
