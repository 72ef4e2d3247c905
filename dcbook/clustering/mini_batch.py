"""k-means in mini-batches from given centers, on points that may be distributed over processes: Sculley, WWW 2010."""

from dataclasses import replace

import torch
from torch import Tensor

from dcbook.clustering.points import wide
from dcbook.clustering.refine import Refined, assigned, refine
from dcbook.distributed import Group


@torch.no_grad()
def refine_in_batches(
    x: Tensor,
    centers: Tensor,
    batch_size: int,
    total: int,
    *,
    max_passes: int = 20,
    tol: float = 0.0,
    repair: bool = True,
    generator: torch.Generator | None = None,
    group: Group | None = None,
) -> Refined:
    """Mini-batch k-means from `centers` (K, d) on `x` (n, d), this process's part of the `total` points.

    A batch is assigned to the nearest centers; then each center becomes the mean of all points that were ever given to
    it, though some of them may now be nearer to another one. In each pass the points come in a new random order. At the
    end all points are assigned to the nearest centers, which become the means of their clusters.

    Parameters
    ----------
    batch_size : points of a batch over all processes, at least 1; the last batch of a pass may have fewer.
    max_passes : maximum number of assignments of all points, at least 1; the one at the end counts.
    tol : the passes in batches end after one that lowers the inertia by less than this share. The inertia of a pass is
        the sum of squared distances of all points to their nearest centers when their batch came.
    repair : whether clusters that are empty at the end are filled, as in `refine`.
    generator : source of randomness of the order and the repairs, in the same state on all processes.
    """
    group, generator = group or Group(), generator or torch.default_generator
    precise, share = wide(x.device), group.share(total)
    squares = group.sum(x.square().sum(1).sum(dtype=precise))
    centers, sums = centers.clone(), torch.zeros(centers.shape, dtype=precise, device=x.device)
    sizes = sums.new_zeros(len(centers), 1)
    inertia, passes = torch.inf, 1
    while passes < max_passes:
        order = torch.randperm(total, generator=generator).to(x.device)
        distances = squares.clone()
        for batch in order.split(batch_size):
            mine = batch[(batch >= share.start) & (batch < share.stop)] - share.start
            _, new, more = assigned(x[mine], centers, group)
            given = more[:, 0].nonzero().flatten()  # the centers that were given a point
            new, more, old = new[given], more[given], centers[given]
            distances += (old * (more * old - 2 * new)).sum()  # |x - c|² = |x|² + |c|² - 2 x·c
            sums[given] += new
            sizes[given] += more
            centers[given] = (sums[given] / sizes[given]).to(x.dtype)
        before, inertia, passes = inertia, float(distances), passes + 1
        if before - inertia < tol * before:
            break
    found = refine(x, centers, max_passes=1, repair=repair, generator=generator, group=group)
    return replace(found, passes=passes)
