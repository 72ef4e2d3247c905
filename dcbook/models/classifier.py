"""Small networks from codes to cluster probabilities: heads of IDECF, GANMM, CC, PICA, SCAN; and of DAC and DCCM."""

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

    @torch.no_grad()
    def standardize(self, u: Tensor) -> None:
        """Set the buffers so that codes u (N, latent_dim) enter with mean 0 and, where they vary, deviation 1."""
        spread = u.std(0, correction=0)
        self.shift.copy_(u.mean(0))
        self.scale.copy_(torch.where(spread > 0, spread, 1))

    def scores(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → logits (B, K)."""
        return self.layers[:-1](self.standardized(u))

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → probabilities p (B, K), rows sum to 1."""
        return self.layers(self.standardized(u))


class NormalizedClassifier(nn.Module):
    """latent_dim → hidden → K, batch normalization after each, ReLU after the first, softmax at the end.

    Parameters
    ----------
    latent_dim, n_clusters, hidden : widths.
    rectified : whether a ReLU comes before the softmax too, as on MNIST in DAC.

    Weights start as (rectangular) identities and biases as 0, as released with DAC and DCCM.
    """

    def __init__(self, latent_dim: int, n_clusters: int, hidden: int, rectified: bool = False):
        super().__init__()
        self.config = {
            "latent_dim": latent_dim,
            "n_clusters": n_clusters,
            "hidden": hidden,
            "rectified": rectified,
        }
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, n_clusters)
        )
        self.top = nn.Sequential(nn.BatchNorm1d(n_clusters), *([nn.ReLU()] if rectified else []), nn.Softmax(dim=1))
        for layer in (self.layers[0], self.layers[-1]):
            if not layer.weight.is_meta:
                nn.init.eye_(layer.weight)
                nn.init.zeros_(layer.bias)

    def scores(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → what enters the last batch normalization, (B, K)."""
        return self.layers(u)

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → probabilities p (B, K), rows sum to 1."""
        return self.top(self.layers(u))
