"""Heads that compare directions: codes become vectors of length 1. IDFD's and TEMI's, as released."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcbook.models.rescaled import Rescaled


class UnitMap(nn.Module):
    """A linear map to vectors of length 1, and cluster centers among them: the head of IDFD.

    Buffer `centers` (K, dim): of k-means, 0 until they are set. Weights start from torch's default.
    """

    def __init__(self, latent_dim: int, n_clusters: int, dim: int = 128):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "dim": dim}
        self.linear = nn.Linear(latent_dim, dim)
        self.register_buffer("centers", torch.zeros(n_clusters, dim))

    def features(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → features v (B, dim) of length 1."""
        return functional.normalize(self.linear(u), dim=1)

    def nearest(self, v: Tensor) -> Tensor:
        """Features (B, dim) → the cluster of the nearest center, (B,) int64."""
        return (self.centers.square().sum(1) - 2 * v @ self.centers.T).argmin(1)

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → all weight on the cluster of the nearest center, (B, K)."""
        return functional.one_hot(self.nearest(self.features(u)), len(self.centers)).to(u.dtype)


class UnitClassifier(nn.Module):
    """latent_dim → width → dim with GELU between, scaled to length 1, then K directions: the head of TEMI (DINO's).

    Parameters
    ----------
    latent_dim, n_clusters, width, dim : sizes of the layers.
    temperature : the softmax is that of g_k cos(z, w_k) / temperature; the lengths g (K,) are learned, 1 at the start.

    Weights start normal with deviation 0.02, cut at twice that; the directions from torch's default. `rescaled`, a
    `Rescaled`, comes first.
    """

    def __init__(self, latent_dim: int, n_clusters: int, width: int = 512, dim: int = 256, temperature: float = 0.1):
        super().__init__()
        self.config = {
            "latent_dim": latent_dim,
            "n_clusters": n_clusters,
            "width": width,
            "dim": dim,
            "temperature": temperature,
        }
        self.temperature = temperature
        self.rescaled = Rescaled(latent_dim)
        self.layers = nn.Sequential(nn.Linear(latent_dim, width), nn.GELU(), nn.Linear(width, dim))
        for layer in self.layers[::2]:
            if not layer.weight.is_meta:
                nn.init.trunc_normal_(layer.weight, std=0.02, a=-0.04, b=0.04)
                nn.init.zeros_(layer.bias)
        self.directions = nn.Parameter(nn.Linear(dim, n_clusters, bias=False).weight.detach())
        self.lengths = nn.Parameter(torch.ones(n_clusters))

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → probabilities p (B, K), rows sum to 1."""
        z = functional.normalize(self.layers(self.rescaled(u)), dim=1)
        return torch.softmax(self.lengths * (z @ functional.normalize(self.directions, dim=1).T) / self.temperature, 1)
