"""A network from codes to spectral coordinates: the head of SpectralNet."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from dcbook.losses import squared_distances


class SpectralMap(nn.Module):
    """latent_dim → width → width → width / 2 → K with leaky ReLU and a final tanh, then a linear map to coordinates.

    Buffers: `matrix` (K, K), which makes the outputs orthonormal; `centers` (K, K) of k-means on the coordinates.
    """

    def __init__(self, latent_dim: int, n_clusters: int, width: int = 1024):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "width": width}
        sizes = [latent_dim, width, width, max(1, width // 2), n_clusters]
        layers = [
            layer for fan_in, fan_out in pairwise(sizes) for layer in (nn.Linear(fan_in, fan_out), nn.LeakyReLU())
        ]
        self.layers = nn.Sequential(*layers[:-1], nn.Tanh())
        self.register_buffer("matrix", torch.eye(n_clusters))
        self.register_buffer("centers", torch.zeros(n_clusters, n_clusters))

    def coordinates(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → spectral coordinates (B, K)."""
        return self.layers(u) @ self.matrix

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → one-hot assignments to the nearest center (B, K)."""
        nearest = squared_distances(self.coordinates(u), self.centers).argmin(1)
        return nn.functional.one_hot(nearest, len(self.centers)).to(u.dtype)
