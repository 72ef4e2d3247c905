"""Exact nearest neighbors among reference points or other points, computed chunk by chunk."""

import torch
from torch import Tensor

from dcbook.clustering.points import full_precision, lift_centers, rows_at_once


@torch.no_grad()
def nearest_references(
    x: Tensor, references: Tensor, n_nearest: int, chunk_bytes: int | None = None
) -> tuple[Tensor, Tensor]:
    """The `n_nearest` of `references` (p, d) for each row of `x` (N, d), nearest first.

    Returns squared distances (N, n_nearest), from direct differences, and int64 indices (N, n_nearest). A chunk holds
    at most `chunk_bytes` of scores and of differences to those kept; None suits the device.
    """
    n_nearest = int(n_nearest)  # torch takes no integers of NumPy
    middle = references.mean(0)
    lifted = lift_centers(references - middle)
    width = len(references) + (n_nearest + 1) * x.shape[1]
    rows = rows_at_once(x.device, width, 0, x.element_size(), chunk_bytes)
    distances = x.new_empty(len(x), n_nearest)
    indices = torch.empty(len(x), n_nearest, dtype=torch.int64, device=x.device)
    with full_precision():
        for part, distance, index in zip(x.split(rows), distances.split(rows), indices.split(rows), strict=True):
            scores = torch.addmm(lifted[:, -1], part - middle, lifted[:, :-1].T)
            found = scores.topk(n_nearest, dim=1, largest=False).indices
            exact = (part.unsqueeze(1) - references[found]).square_().sum(2)
            order = exact.argsort(dim=1, stable=True)
            distance.copy_(exact.gather(1, order))
            index.copy_(found.gather(1, order))
    return distances, indices


@torch.no_grad()
def nearest_others(x: Tensor, n_neighbors: int, chunk_bytes: int | None = None) -> tuple[Tensor, Tensor]:
    """The `n_neighbors` nearest other rows for each row of `x` (N, d), nearest first; at most all N - 1.

    Returns squared distances and int64 indices, both (N, k); no point is its own neighbor.
    """
    n = len(x)
    distances, indices = nearest_references(x, x, min(n_neighbors + 1, n), chunk_bytes)
    others = indices != torch.arange(n, device=x.device).unsqueeze(1)
    others[:, -1] &= ~others.all(1)  # with duplicates, a point may be missing from its own list: drop the last
    return distances[others].view(n, -1), indices[others].view(n, -1)


@torch.no_grad()
def neighbor_graph(x: Tensor, n_neighbors: int, chunk_bytes: int | None = None) -> Tensor:
    """The edges (2, E) of the undirected nearest-neighbor graph of the rows of `x` (N, d).

    An edge (j, l), j < l, means that one of the two points is among the `n_neighbors` nearest of the other. Each edge
    occurs once, in sorted order; no point is its own neighbor.
    """
    n = len(x)
    _, indices = nearest_others(x, n_neighbors, chunk_bytes)
    own = torch.arange(n, device=x.device).unsqueeze(1)
    ends = torch.stack([own.expand_as(indices).flatten(), indices.flatten()])
    codes = (ends.amin(0) * n + ends.amax(0)).unique()
    return torch.stack([codes // n, codes % n])


@torch.no_grad()
def mutual(indices: Tensor) -> Tensor:
    """Which of the neighbors `indices` (N, k) are mutual, that is, also list the point as a neighbor: bool (N, k)."""
    n = len(indices)
    own = torch.arange(n, device=indices.device).unsqueeze(1)
    return torch.isin(indices * n + own, own * n + indices)


@torch.no_grad()
def neighbor_centroids(x: Tensor, indices: Tensor, kept: Tensor) -> Tensor:
    """The mean (N, d) of each row of `x` (N, d) and its neighbors `indices` (N, k) for which `kept` (N, k) is true."""
    weights = kept.to(x.dtype).unsqueeze(2)
    return (x + (x[indices] * weights).sum(1)) / (1 + weights.sum(1))
