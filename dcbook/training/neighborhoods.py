"""The neighborhoods used in phase 2 of `dcbook.methods.rdc`: two filters of neighbors, selected samples, centroids."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook import losses
from dcbook.clustering.neighbors import mutual, nearest_others, neighbor_centroids

KAPPA = 3.0
DISTANCE_FILTERS = ("mean", "median", "none")
AGREEMENT_FILTERS = ("mutual", "confidence", "none")


@dataclass(frozen=True, eq=False)
class Neighborhoods:
    """The neighbors of N samples, the neighbors that are kept, and the centroids.

    Attributes
    ----------
    indices : (N, k) int64: the k nearest other samples by Euclidean distance, nearest first.
    kept : (N, k) bool: the neighbors that pass both filters, for samples that are handed over to the loss of phase 2.
    centroids : (N, d): the mean of a sample's code and the codes of its kept neighbors.
    survived : share, in [0, 1], of the samples with neighbors that pass both filters, handed over or not.
    """

    indices: Tensor
    kept: Tensor
    centroids: Tensor
    survived: float

    @property
    def handed_over(self) -> Tensor:
        """(N,) bool: whether a sample has kept neighbors."""
        return self.kept.any(1)


@torch.no_grad()
def neighborhoods(
    u: Tensor, n_neighbors: int, distance_filter: str, agreement_filter: str, centers: Tensor, share: float = 1.0
) -> Neighborhoods:
    """The neighborhoods of codes `u` (N, d), at most N - 1 neighbors each.

    distance_filter : passes neighbors no farther away than the "mean" or the "median" of all N k distances, or all
        neighbors ("none").
    agreement_filter : passes "mutual" neighbors, neighbors that are unconflicted by DynAE's rule ("confidence", with
        kappa 3 and `centers` (K, d), K > 3; no other filter uses the centers), or all neighbors ("none").
    share : share, in [0, 1], of the samples with remaining neighbors that are handed over, nearest neighbors first.
    """
    squares, indices = nearest_others(u, n_neighbors)
    distances = squares.sqrt()
    kept = _near(distances, distance_filter) & _agreeing(u, indices, agreement_filter, centers)
    survivors = kept.any(1)
    spread = (distances * kept).sum(1) / kept.sum(1)  # NaN, which is sorted last, if no neighbor is left
    kept[spread.argsort(stable=True)[round(share * int(survivors.sum())) :]] = False
    return Neighborhoods(indices, kept, neighbor_centroids(u, indices, kept), survivors.float().mean().item())


def _near(distances: Tensor, filter_: str) -> Tensor:
    if filter_ == "none":
        return torch.ones_like(distances, dtype=torch.bool)
    return distances <= (distances.mean() if filter_ == "mean" else distances.median())


def _agreeing(u: Tensor, indices: Tensor, filter_: str, centers: Tensor) -> Tensor:
    if filter_ == "mutual":
        return mutual(indices)
    if filter_ == "none":
        return torch.ones_like(indices, dtype=torch.bool)
    beta1 = KAPPA / len(centers)
    return losses.unconflicted(losses.student_t(u, centers), beta1, beta1 / 2)[indices]
