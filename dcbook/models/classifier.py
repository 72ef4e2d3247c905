"""A small network from codes to cluster probabilities: the head of IDECF and GANMM."""

import torch
from torch import Tensor, nn

from dcbook.models.fully_connected import perceptron


class Classifier(nn.Module):
    """latent_dim → widths → K with ReLU and a final softmax; codes are standardized first.

    The input is (u - shift) / scale with buffers `shift` and `scale` (latent_dim,), 0 and 1 until they are set. Weights
    have torch's default initialization.
    """

    def __init__(self, latent_dim: int, n_clusters: int, widths: tuple[int, ...]):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "widths": list(widths)}
        self.layers = nn.Sequential(*perceptron([latent_dim, *widths, n_clusters]), nn.Softmax(dim=1))
        self.register_buffer("shift", torch.zeros(latent_dim))
        self.register_buffer("scale", torch.ones(latent_dim))

    def standardized(self, u: Tensor) -> Tensor:
        """Standardize latent codes (B, latent_dim)."""
        return (u - self.shift) / self.scale

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → probabilities p (B, K), rows sum to 1."""
        return self.layers(self.standardized(u))
