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
    """Return the centers (R, K, d) and iterations of each run from `starts`, for lifted `points` (N, d + 1).

    A run ends, and leaves the batch, when the squared shift of its centers, summed, is at most `tol`.
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

    Chunks are summed in the precision of `points`, all in double. Same arguments, same bits, on a GPU too.
    """
    n_runs, n_clusters, d = centers.shape
    lifted = lift_centers(centers)
    by_product = sums_by_product(n_clusters, d, points.device)
    together = min(n_runs, max(1, 256 // n_clusters)) if by_product else 1
    rows = rows_at_once(points.device, together * n_clusters, d, points.element_size(), chunk_bytes)
    sums = torch.zeros(n_runs, n_clusters, d + 1, dtype=wide(points.device), device=points.device)
    for block in points.split(BLOCK):
        block_sums = torch.zeros_like(lifted)
        for part in block.split(rows):
            for lo in range(0, n_runs, together):
                runs = slice(lo, lo + together)
                if by_product:
                    block_sums[runs] += _sums_by_product(part, lifted[runs])
                else:
                    block_sums[lo].index_add_(0, nearest(part, lifted[lo]), part)
        sums += block_sums
    return sums[..., :-1], sums[..., -1:]


def _sums_by_product(part: Tensor, lifted: Tensor) -> Tensor:
    """Return the sums (R, K, d + 1) of the lifted points `part` (m, d + 1), as a product with a one-hot matrix."""
    scores = (lifted.flatten(0, 1) @ part.T).unflatten(0, lifted.shape[:2])
    hot = scores.le_(scores.amin(1, keepdim=True))
    sums = part.T @ hot.flatten(0, 1).T
    if sums[-1].sum() > len(hot) * len(part):
        _keep_first_of_ties(hot)
        sums = part.T @ hot.flatten(0, 1).T
    return sums.T.unflatten(0, lifted.shape[:2])


def _keep_first_of_ties(hot: Tensor) -> None:
    """Keep only the first one in each column of `hot` (R, K, m), in place."""
    run, point = (hot.sum(1) > 1).nonzero(as_tuple=True)
    first = hot[run, :, point].argmax(1, keepdim=True)
    hot[run, :, point] = (torch.arange(hot.shape[1], device=hot.device) == first).to(hot.dtype)


def split_clusters(x: Tensor, labels: Tensor, centers: Tensor, generator: torch.Generator) -> bool:
    """Fill each empty cluster with a part of the largest cluster that can be split; change labels and centers in place.

    DeepCluster gives the empty cluster the large one's center, a little perturbed, and reassigns the points between the
    two. Perturbed by +ε and -ε, they part at the hyperplane through the center across ε, whatever its length: only the
    direction is drawn. Clusters of equal points cannot be split. Returns whether any was.
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
