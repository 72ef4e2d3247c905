"""MNet, the network that DCSS puts on top of an encoder."""

from torch import Tensor, nn


class MNet(nn.Module):
    """latent_dim → 128 → 128 → K with batch normalization, ReLU and a final softmax.

    Source: DCSS section 3.2; Armanfard-Lab/DCSS, Network.py:4-28, generalized from K = latent_dim = 10.
    """

    def __init__(self, latent_dim: int, n_clusters: int, width: int = 128):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "width": width}
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, n_clusters),
            nn.Softmax(dim=1),
        )

    def forward(self, u: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → cluster probabilities q (B, K), rows sum to 1."""
        return self.layers(u)
