"""Lloyd's algorithm for several starts at once."""

import torch
from torch import Tensor

from dcbook.clustering.assignment import assign, nearest
from dcbook.clustering.points import BLOCK, lift_centers, rows_at_once, sums_by_product, wide


def lloyd(
    points: Tensor,
    starts: Tensor,
    max_iter: int,
    tol: float,
    generator: torch.Generator,
    chunk_bytes: int | None = None,
) -> tuple[Tensor, list[int]]:
    """Return the centers (R, K, d) and the number of iterations of each run from `starts`, for lifted `points`.

    `points` is (N, d + 1). A run ends, and leaves the batch, when its centers' squared shifts sum to at most `tol`.
    """
    centers = starts.clone()
    n_iter = torch.zeros(len(starts), dtype=torch.int64, device=points.device)
    running = torch.arange(len(starts), device=points.device)
    for _ in range(max_iter):
        old = centers[running]
        sums, sizes = cluster_sums(points, old, chunk_bytes)
        new = torch.where(sizes > 0, sums / sizes, old).to(old.dtype)
        for run in (sizes == 0).any(1).flatten().nonzero().flatten().tolist():
            x = points[:, :-1]
            labels, _ = assign(x, old[run], device=x.device, chunk_bytes=chunk_bytes)
            split_clusters(x, labels, new[run], generator)
        centers[running] = new
        n_iter[running] += 1
        running = running[(new - old).square().sum((1, 2)) > tol]
        if not len(running):
            break
    return centers, n_iter.tolist()


def cluster_sums(points: Tensor, centers: Tensor, chunk_bytes: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the sums (R, K, d) and sizes (R, K, 1) of the clusters of lifted `points` around `centers` (R, K, d).

    Each block is summed in the precision of `points`, the blocks in float64 where the device has it. The result is
    deterministic, also on a GPU.
    """
    by_product = sums_by_product(*centers.shape[1:], points.device)
    sums_of = _sums_by_product if by_product else _sums_by_index
    lifted = lift_centers(centers)
    sums = torch.zeros(lifted.shape, dtype=wide(points.device), device=points.device)
    for block in points.split(BLOCK):
        sums += sums_of(block, lifted, chunk_bytes)
    return sums[..., :-1], sums[..., -1:]


def _sums_by_index(points: Tensor, lifted: Tensor, chunk_bytes: int | None) -> Tensor:
    """Return the sums (R, K, d + 1) of lifted `points`, adding each point to its cluster by index."""
    rows = rows_at_once(points.device, lifted.shape[1], lifted.shape[2] - 1, points.element_size(), chunk_bytes)
    buffer = points.new_empty(rows * lifted.shape[1])
    sums = torch.zeros_like(lifted)
    for part in points.split(rows):
        for run, total in zip(lifted, sums, strict=True):
            total.index_add_(0, nearest(part, run, buffer), part)
    return sums


def _sums_by_product(points: Tensor, lifted: Tensor, chunk_bytes: int | None) -> Tensor:
    """Return the sums (R, K, d + 1) of lifted `points`, as a product with a one-hot matrix, 256 clusters at once."""
    runs_at_once = max(1, 256 // lifted.shape[1])
    sums = torch.cat([_products(points, runs, chunk_bytes) for runs in lifted.split(runs_at_once)])
    for run in (sums[..., -1].sum(1) > len(points)).nonzero().flatten().tolist():  # a point had two nearest centers
        sums[run] = _products(points, lifted[run : run + 1], chunk_bytes, first_of_ties=True)[0]
    return sums


def _products(points: Tensor, lifted: Tensor, chunk_bytes: int | None, first_of_ties: bool = False) -> Tensor:
    """As `_sums_by_product`; a point with two nearest centers counts for both, with `first_of_ties` for the first."""
    n_runs, n_clusters, d = lifted.shape
    flat = lifted.flatten(0, 1)
    rows = rows_at_once(points.device, len(flat), d - 1, points.element_size(), chunk_bytes)
    buffer = points.new_empty(rows * len(flat))  # reused: allocation costs more than the sums
    sums = points.new_zeros(d, len(flat))
    for part in points.split(rows):
        scores = torch.mm(flat, part.T, out=buffer[: len(flat) * len(part)].view(len(flat), len(part)))
        hot = scores.view(n_runs, n_clusters, len(part))
        hot.le_(hot.amin(1, keepdim=True))
        if first_of_ties:
            hot.mul_(hot.cumsum(1) == 1)
        sums.addmm_(part.T, scores.T)
    return sums.T.unflatten(0, (n_runs, n_clusters))


def split_clusters(x: Tensor, labels: Tensor, centers: Tensor, generator: torch.Generator) -> bool:
    """Fill each empty cluster with a part of the largest cluster that can be split; change labels and centers in place.

    DeepCluster gives the empty cluster a slightly perturbed copy of the large cluster's center and reassigns the large
    cluster's points to the two. With perturbations +ε and -ε, the boundary is the hyperplane through the center that is
    orthogonal to ε, whatever its length, so only a direction is drawn. Clusters of equal points cannot be split.
    Returns whether any cluster was split.
    """
    sizes = torch.bincount(labels, minlength=len(centers))
    split = False
    for empty in (sizes == 0).nonzero().flatten().tolist():
        for donor in sizes.argsort(descending=True, stable=True).tolist():
            if sizes[donor] < 2:
                return split
            members = (labels == donor).nonzero().flatten()
            inside = x[members]
            direction = torch.randn(x.shape[1], generator=generator, device=generator.device).to(x)
            side = (inside - inside.mean(0)) @ direction > 0
            if not side.any() or side.all():
                continue
            labels[members[side]] = empty
            sizes[empty] = side.sum()
            sizes[donor] -= sizes[empty]
            centers[empty], centers[donor] = inside[side].mean(0), inside[~side].mean(0)
            split = True
            break
        else:
            return split
    return split
