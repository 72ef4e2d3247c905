"""Assignments by PAC: what the sums of its training samples say of a code."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Aggregation(nn.Module):
    """Codes → p_k ∝ (sum_j (1 - f·f_j) p_jk^m)^(-1 / (m - 1)), with f the code scaled to length 1.

    Buffers: `mass` (K,), the sums of p_jk^m over the training samples j, and `moments` (K, latent_dim), the sums of
    p_jk^m f_j.
    """

    def __init__(self, latent_dim: int, n_clusters: int, m: float = 1.01):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "n_clusters": n_clusters, "m": m}
        self.exponent = 1 / (m - 1)
        self.register_buffer("mass", torch.ones(n_clusters, dtype=torch.float64))
        self.register_buffer("moments", torch.zeros(n_clusters, latent_dim, dtype=torch.float64))

    @torch.no_grad()
    def take(self, f: Tensor, q: Tensor) -> None:
        """Set the sums to those of features f (N, latent_dim) and weights q = p^m (N, K)."""
        self.mass.copy_(q.sum(0))
        self.moments.copy_(q.T @ f)

    def forward(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → probabilities p (B, K), rows sum to 1."""
        f = functional.normalize(u.to(self.mass.dtype), dim=1)
        distances = (self.mass - f @ self.moments.T).clamp_min(torch.finfo(torch.float32).tiny)
        return torch.softmax(-self.exponent * distances.log(), 1).to(u.dtype)
