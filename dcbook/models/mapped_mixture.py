"""A mixture of Gaussians on an embedding (a "map") of the codes: the head of N2D."""

import torch
from torch import Tensor, nn

from dcbook.clustering.neighbors import nearest_references
from dcbook.losses import log_full_mixture


class MappedMixture(nn.Module):
    """Mapped codes with their places on the map, a rule that places new codes, and a mixture of Gaussians on the map.

    Parameters
    ----------
    n_codes, latent_dim : number and dimension of the mapped codes. With 0 codes there is no map: the place of a code is
        the code itself, and map_dim is latent_dim.
    map_dim : dimension of the map.
    n_clusters : number of mixture components, K.
    n_neighbors : number of mapped codes that determine the place of a new code, at most n_codes.

    Buffers: `codes` (N, latent_dim) and their `places` (N, map_dim); `weights` (K,), `means` (K, map_dim) and
    `factors` (K, map_dim, map_dim) of the mixture, P with P P' the inverse covariance. All but the codes are float64.
    """

    def __init__(self, n_codes: int, latent_dim: int, map_dim: int, n_clusters: int, n_neighbors: int):
        super().__init__()
        self.config = {"n_codes": n_codes, "latent_dim": latent_dim, "map_dim": map_dim, "n_clusters": n_clusters}
        self.config["n_neighbors"] = n_neighbors
        exact = {"dtype": torch.float64}
        self.register_buffer("codes", torch.zeros(n_codes, latent_dim))
        self.register_buffer("places", torch.zeros(n_codes, map_dim, **exact))
        self.register_buffer("weights", torch.zeros(n_clusters, **exact))
        self.register_buffer("means", torch.zeros(n_clusters, map_dim, **exact))
        self.register_buffer("factors", torch.zeros(n_clusters, map_dim, map_dim, **exact))

    def place(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → places on the map (B, map_dim).

        A place is the mean of the places of the nearest mapped codes, weighted by the inverse distance. A code that
        equals mapped codes gets the mean of their places.
        """
        if not len(self.codes):
            return u.to(self.places)
        squares, indices = nearest_references(u, self.codes, self.config["n_neighbors"])
        met = squares == 0
        weights = torch.where(met.any(1, keepdim=True), met, squares.rsqrt()).to(self.places)
        return (weights.unsqueeze(2) * self.places[indices]).sum(1) / weights.sum(1, keepdim=True)

    def forward(self, u: Tensor) -> Tensor:
        """Codes (B, latent_dim) → responsibilities of the components (B, K), rows sum to 1."""
        return log_full_mixture(self.place(u), self.weights, self.means, self.factors).softmax(1).to(u.dtype)
