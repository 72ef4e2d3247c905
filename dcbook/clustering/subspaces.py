"""The subspaces that groups of points lie in."""

import torch
from torch import Tensor

from dcbook.clustering.points import wide


@torch.no_grad()
def principal_subspaces(x: Tensor, labels: Tensor, n_clusters: int, d: int, *, centered: bool = False) -> Tensor:
    """An orthonormal basis of each group's principal subspace, side by side: (D, n_clusters d).

    x (N, D) with its `labels` (N,) in 0 to n_clusters - 1; d from 1 to D. The basis holds the first d left singular
    vectors of a group's points as columns: directions from the origin, or from the group's mean if `centered`.
    Signs are arbitrary, and so are vectors that a group of fewer than d points does not determine.
    """
    x = x.to(wide(x.device))
    found = []
    for k in range(n_clusters):
        group = x[labels == k]
        group = group - group.mean(0) if centered and len(group) else group
        _, vectors = torch.linalg.eigh(group.T @ group)  # in ascending order
        found.append(vectors.flip(1)[:, :d])
    return torch.cat(found, 1)
