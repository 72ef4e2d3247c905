"""k-means from given centers, on points that may be distributed over processes, as in each epoch of DeepCluster."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.assignment import nearest
from dcbook.clustering.points import full_precision, lift_centers, rows_at_once, wide
from dcbook.distributed import Group


@dataclass(frozen=True, eq=False)
class Refined:
    """Clusters and their means.

    Attributes
    ----------
    centers : tensor (K, d): the mean of each cluster, of length 1 if `spherical`; empty clusters keep their last center
    labels : int64 tensor (n,), 0..K-1, the clusters of the points that this process holds, from which `centers` result
    sizes : int64 tensor (K,), over all processes
    inertia : sum of squared distances of all points to their clusters' centers
    passes : number of assignments of all points
    """

    centers: Tensor
    labels: Tensor
    sizes: Tensor
    inertia: float
    passes: int


@torch.no_grad()
def refine(
    x: Tensor,
    centers: Tensor,
    *,
    max_passes: int = 20,
    tol: float = 0.0,
    repair: bool = True,
    spherical: bool = False,
    generator: torch.Generator | None = None,
    group: Group | None = None,
) -> Refined:
    """Lloyd's algorithm from `centers` (K, d) on `x` (n, d), this process's part of the points.

    Parameters
    ----------
    max_passes : maximum number of assignments of all points, at least 1; each is followed by new means.
    tol : the iteration ends after a pass that lowers the inertia by less than this share.
    repair : whether a random other cluster is cut through its mean and an empty cluster takes one side (Caron et al.,
        ECCV 2018, on trivial solutions, perturb the other cluster's center a little; only the direction matters).
    spherical : whether means are scaled to length 1, for points and initial centers of length 1; the nearest center is
        then the one with the largest cosine (spherical k-means: Dhillon & Modha, Machine Learning 2001). If a mean is
        0, its center does not change.
    generator : source of randomness of the repairs, in the same state on all processes.
    """
    group, generator = group or Group(), generator or torch.default_generator
    squares = float(group.sum(x.square().sum(1).sum(dtype=wide(x.device))))
    inertia = torch.inf
    for passes in range(1, max_passes + 1):  # noqa: B007
        labels, sums, sizes = assigned(x, centers, group)
        if repair:
            _fill_empty(x, labels, sums, sizes, generator, group)
        if spherical:
            lengths = sums.norm(dim=1, keepdim=True)
            centers = torch.where(lengths > 0, sums / lengths, centers).to(x.dtype)
            gain = float((2 * lengths - sizes).sum())  # |x|² - |x - c|² = 2 x·c - 1, over the points of all clusters
        else:
            centers = torch.where(sizes > 0, sums / sizes, centers).to(x.dtype)
            gain = float((sums.square() / sizes.clamp_min(1)).sum())
        before, inertia = inertia, max(0.0, squares - gain)
        if before - inertia < tol * before:
            break
    return Refined(centers, labels, sizes.flatten().long(), inertia, passes)


def means(x: Tensor, labels: Tensor, n_clusters: int, group: Group | None = None) -> tuple[Tensor, Tensor]:
    """The mean (K, d) of each cluster over all processes, 0 for an empty cluster, and the sizes (K,)."""
    sums = torch.zeros(n_clusters, x.shape[1], dtype=x.dtype, device=x.device).index_add_(0, labels, x)
    sums = sums.to(wide(x.device))
    sizes = torch.bincount(labels, minlength=n_clusters).to(sums.dtype).unsqueeze(1)
    group = group or Group()
    sums, sizes = group.sum(sums), group.sum(sizes)
    return (sums / sizes.clamp_min(1)).to(x.dtype), sizes.flatten().long()


def random_points(x: Tensor, n: int, total: int, generator: torch.Generator, group: Group | None = None) -> Tensor:
    """`n` points (n, d), the same on all processes, drawn without replacement from the `total` points they hold."""
    group = group or Group()
    drawn = torch.randperm(total, generator=generator)[:n].to(x.device)
    share = group.share(total)
    mine = (drawn >= share.start) & (drawn < share.stop)
    chosen = x.new_zeros(n, x.shape[1])
    chosen[mine] = x[drawn[mine] - share.start]
    return group.sum(chosen)


def assigned(x: Tensor, centers: Tensor, group: Group) -> tuple[Tensor, Tensor, Tensor]:
    """Labels (n,) of the nearest centers; sums (K, d) and sizes (K, 1) of the clusters over all processes."""
    labels = torch.empty(len(x), dtype=torch.int64, device=x.device)
    lifted = lift_centers(centers)
    rows = rows_at_once(x.device, len(centers), x.shape[1], x.element_size())
    points, scores = x.new_ones(rows, x.shape[1] + 1), x.new_empty(rows * len(centers))
    with full_precision():
        for part, label in zip(x.split(rows), labels.split(rows), strict=True):
            points[: len(part), :-1] = part
            label.copy_(nearest(points[: len(part)], lifted, scores))
    sums = torch.zeros(centers.shape, dtype=x.dtype, device=x.device).index_add_(0, labels, x).to(wide(x.device))
    sizes = torch.bincount(labels, minlength=len(centers)).to(sums.dtype).unsqueeze(1)
    return labels, group.sum(sums), group.sum(sizes)


def _fill_empty(
    x: Tensor, labels: Tensor, sums: Tensor, sizes: Tensor, generator: torch.Generator, group: Group
) -> None:
    """Give each empty cluster one side of a random cluster, cut through its mean; changes labels, sums and sizes."""
    for empty in (sizes[:, 0] == 0).nonzero().flatten().tolist():
        donors = (sizes[:, 0] > 1).nonzero().flatten()
        for donor in donors[torch.randperm(len(donors), generator=generator).to(donors.device)].tolist():
            direction = torch.randn(x.shape[1], generator=generator).to(x)
            members = (labels == donor).nonzero().flatten()
            moved = members[(x[members] - sums[donor].to(x) / sizes[donor].to(x)) @ direction > 0]
            part = group.sum(torch.nn.functional.pad(x[moved], (0, 1), value=1).sum(0, dtype=sums.dtype))
            if 0 < part[-1] < sizes[donor]:
                labels[moved] = empty
                sums[empty], sizes[empty] = part[:-1], part[-1]
                sums[donor] -= part[:-1]
                sizes[donor] -= part[-1]
                break
