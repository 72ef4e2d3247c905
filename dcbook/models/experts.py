"""A gate and K experts on the codes of a trunk: the head of MiCE."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcbook.losses import expert_log_likelihoods

PIECE = 2**23  # numbers at once, 32 MiB


class Experts(nn.Module):
    """Codes → how likely each of K experts is theirs: a prior by a gate, and how well experts recognize the sample.

    Parameters
    ----------
    latent_dim, n_clusters, dim : dimension of the codes, K, and dimension of all embeddings, at least K - 1 (128).
    queue : keys of earlier samples that are kept, at least 1.
    temperature : of the gate (kappa) and of the experts (tau), above 0.

    `prototypes` (K, dim) start as random directions. Buffers: `directions` (K, dim) of the gate, `simplex`; `queue`
    (queue, K, dim), which starts uniform in ±sqrt(3 / dim); `place` (), the row of the queue that is replaced next.
    """

    def __init__(self, latent_dim: int, n_clusters: int, dim: int = 128, queue: int = 16384, temperature: float = 1.0):
        super().__init__()
        self.config = {
            "latent_dim": latent_dim,
            "n_clusters": n_clusters,
            "dim": dim,
            "queue": queue,
            "temperature": temperature,
        }
        self.temperature = temperature
        self.gate = nn.Linear(latent_dim, dim)
        self.experts = nn.Linear(latent_dim, n_clusters * dim)
        self.prototypes = nn.Parameter(functional.normalize(torch.randn(n_clusters, dim), dim=1))
        self.register_buffer("directions", simplex(n_clusters, dim))
        self.register_buffer("queue", (2 * torch.rand(queue, n_clusters, dim) - 1) * (3 / dim) ** 0.5)
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def embeddings(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → embeddings f (B, K, dim) by all experts, of length 1."""
        return unit_embeddings(self.experts, u, len(self.prototypes))

    def log_prior(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → ln pi (B, K) of the gate."""
        g = functional.normalize(self.gate(u), dim=1)
        return (g @ self.directions.T / self.temperature).log_softmax(1)

    def log_likelihood(self, f: Tensor, v: Tensor) -> Tensor:
        """Embeddings f and keys v (B, K, dim) → ln phi (B, K), see `dcbook.losses.expert_log_likelihoods`."""
        mu = functional.normalize(self.prototypes, dim=1)
        return expert_log_likelihoods(f, v, mu, self.queue, self.temperature)

    @torch.no_grad()
    def remember(self, v: Tensor) -> None:
        """Put keys v (B, K, dim) into the queue in place of the oldest ones; the last ones, if they are too many."""
        v = v[-len(self.queue) :]
        rows = (self.place + torch.arange(len(v), device=v.device)) % len(self.queue)
        self.queue[rows] = v
        self.place.copy_((self.place + len(v)) % len(self.queue))

    def forward(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → the posterior r ∝ pi phi (B, K), rows sum to 1, with the embeddings as their keys.

        A piece at a time: each code takes K times the length of the queue in memory.
        """
        rows = max(1, PIECE // self.queue[:, :, 0].numel())
        return torch.cat([self._posterior(part) for part in u.split(rows)])

    def _posterior(self, u: Tensor) -> Tensor:
        f = self.embeddings(u)
        return (self.log_prior(u) + self.log_likelihood(f, f)).softmax(1)


def unit_embeddings(experts: nn.Module, u: Tensor, n_clusters: int) -> Tensor:
    """Codes (B, d) → the outputs of all experts, a linear layer, scaled to length 1 each: (B, K, dim)."""
    return functional.normalize(experts(u).view(len(u), n_clusters, -1), dim=2)


def simplex(k: int, dim: int) -> Tensor:
    """k directions (k, dim) as far from each other as can be: of length 1, with inner products -1 / (k - 1).

    Row by row from a triangular matrix with the first row e_1, as in MiCE's release. Raises ValueError for dim < k - 1.
    """
    if dim < k - 1:
        raise ValueError(f"{k} directions of equal angles need at least {k - 1} dimensions, not {dim}")
    rows = torch.zeros(k, dim, dtype=torch.float64)
    for i in range(k):
        for j in range(i):
            rows[i, j] = -(1 / (k - 1) + rows[i] @ rows[j]) / rows[j, j]
        if i < dim:
            rows[i, i] = (1 - rows[i].square().sum()).clamp_min(0).sqrt()
    return rows.float()
