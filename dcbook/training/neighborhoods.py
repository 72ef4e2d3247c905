"""The neighborhoods that phase 2 of `dcbook.methods.rdc` learns from: two filters, a hand-over, and centroids."""

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
    """The neighbors of N samples, and what is kept of them.

    Attributes
    ----------
    indices : (N, k) int64: the k nearest other samples by Euclidean distance, nearest first.
    kept : (N, k) bool: neighbors that pass both filters, of samples that are handed over.
    centroids : (N, d): the mean of a sample's code and those of its kept neighbors.
    survived : share of the samples with neighbors that pass both filters, handed over or not.
    """

    indices: Tensor
    kept: Tensor
    centroids: Tensor
    survived: float

    @property
    def handed_over(self) -> Tensor:
        """(N,) bool: which samples have kept neighbors."""
        return self.kept.any(1)


@torch.no_grad()
def neighborhoods(
    u: Tensor, n_neighbors: int, distance_filter: str, agreement_filter: str, centers: Tensor, share: float = 1.0
) -> Neighborhoods:
    """The neighborhoods of codes `u` (N, d), at most N - 1 neighbors each.

    distance_filter : pass neighbors no farther than the "mean" or the "median" of all N k distances, or all: "none".
    agreement_filter : pass "mutual" neighbors; or those that DynAE's rule calls unconflicted ("confidence", with
        kappa 3 and `centers` (K, d), which nothing else looks at; it takes K > 3); or all: "none".
    share : of the samples with neighbors left, in [0, 1]: so many are handed over, those with the nearest ones first.
    """
    squares, indices = nearest_others(u, n_neighbors)
    distances = squares.sqrt()
    kept = _near(distances, distance_filter) & _agreeing(u, indices, agreement_filter, centers)
    survivors = kept.any(1)
    spread = (distances * kept).sum(1) / kept.sum(1)  # NaN, and so last, where no neighbor is left
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
