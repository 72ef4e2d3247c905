"""Subspaces as a module: the head of EDESC."""

import torch
from torch import Tensor, nn

from dcbook.losses import subspace_affinity


class Subspaces(nn.Module):
    """K subspaces of a latent space: `basis` (latent_dim, K dim), initially 0, has `dim` columns for each subspace.

    `eta` smooths the affinities: the larger it is, the closer they are to 1 / K.
    """

    def __init__(self, latent_dim: int, n_clusters: int, dim: int, eta: float = 5.0):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "dim": dim, "eta": eta}
        self.basis = nn.Parameter(torch.zeros(latent_dim, n_clusters * dim))

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → affinities s (B, K), rows sum to 1."""
        return subspace_affinity(u, self.basis, self.config["n_clusters"], self.config["eta"])
