"""Principal subspaces of groups of points."""

import torch
from torch import Tensor

from dcbook.clustering.points import wide


@torch.no_grad()
def principal_subspaces(x: Tensor, labels: Tensor, n_clusters: int, d: int, *, centered: bool = False) -> Tensor:
    """Orthonormal bases of the groups' principal subspaces, side by side: (D, n_clusters d).

    x is (N, D), `labels` (N,) in 0 to n_clusters - 1, and d from 1 to D. A group's basis holds as columns the first d
    left singular vectors of its points, taken from the origin, or from the group's mean if `centered`. Signs are
    arbitrary, and so are the vectors that a group of fewer than d points does not determine.
    """
    x = x.to(wide(x.device))
    found = []
    for k in range(n_clusters):
        group = x[labels == k]
        group = group - group.mean(0) if centered and len(group) else group
        _, vectors = torch.linalg.eigh(group.T @ group)  # in ascending order
        found.append(vectors.flip(1)[:, :d])
    return torch.cat(found, 1)
