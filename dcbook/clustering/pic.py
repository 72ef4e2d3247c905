"""Power iteration clustering on a nearest-neighbor graph, as released with DeepCluster; it finds the cluster number.

| symbol | name in code | shape  | meaning                                                                          |
|--------|--------------|--------|----------------------------------------------------------------------------------|
| W      | weights      | (N, N) | sparse: exp(-t²/sigma²) for k nearest neighbors at distance t, plus transpose    |
| v      | v            | (N,)   | starts at 1/N; each iteration: alpha W v + (1 - alpha)/N, scaled to sum to 1     |
|        | pointers     | (N,)   | neighbor j of i with the largest W_ij (v_j - v_i); i itself if none is above 0   |

Points whose pointers lead to the same maximum of v form a cluster. A singleton joins the cluster of the nearest of its
k neighbors that is not a singleton; if all of them are, it stays a cluster of its own.

The idea is Lin & Cohen's (ICML 2010), who cluster the entries of v by k-means; here each point climbs v along the
pointers. The code follows facebookresearch/deepcluster, clustering.py, class PIC: the graph is not normalized, an edge
found from both ends counts twice, and sigma scales squared distances without a factor of 2. The released code keeps v
in single precision; here it is double, because entries of v differ by a thousandth or less. Two points whose only
neighbors are each other have equal entries of v and stay two clusters.
"""

import torch
from torch import Tensor

from dcbook.clustering.neighbors import nearest_others
from dcbook.clustering.points import as_matrix, wide
from dcbook.threads import ignored


@torch.no_grad()
def power_iteration_clustering(
    x: object,
    n_neighbors: int = 5,
    sigma: float = 0.2,
    alpha: float = 0.001,
    iterations: int = 200,
    *,
    device: str | torch.device = "auto",
) -> Tensor:
    """Cluster x (N, d); the number of clusters is part of the result.

    Parameters
    ----------
    x : array or tensor (N, d); the released code first whitens features to 256 components and scales rows to length 1
    n_neighbors : k, number of neighbors of each point in the graph, at least 1; at most N - 1 are used
    sigma : bandwidth in the units of x, above 0; if it is far below the distances between neighbors, all weights vanish
        and every point becomes a cluster
    alpha : share of the graph in an iteration, between 0 and 1
    iterations : number of power iterations, at least 1
    device : as in `dcbook.clustering.kmeans`

    Returns int64 labels (N,), 0..K-1 without a gap, on the device of x. Raises TypeError if x is not a dense array of
    real numbers, ValueError for another shape, numbers that are not finite and settings out of range.
    """
    if not (n_neighbors >= 1 and sigma > 0 and 0 < alpha < 1 and iterations >= 1):
        given = f"{n_neighbors}, {sigma}, {alpha}, {iterations}"
        raise ValueError(f"n_neighbors >= 1, sigma > 0, 0 < alpha < 1 and iterations >= 1 must hold, not {given}")
    home = x.device if isinstance(x, Tensor) else torch.device("cpu")
    x = as_matrix(x, device)
    if not torch.linalg.vector_norm(x).isfinite():
        raise ValueError(f"x holds NaN, infinity, or numbers whose squares overflow {x.dtype}")
    distances, neighbors = nearest_others(x, n_neighbors)
    weights = _weights(distances.to(wide(x.device)), neighbors, sigma)
    roots = _roots(_pointers(weights, _stationary(weights, alpha, iterations)))
    return _adopt_singletons(roots, neighbors).unique(return_inverse=True)[1].to(home)


def _weights(distances: Tensor, neighbors: Tensor, sigma: float) -> Tensor:
    """W (N, N), sparse with each entry once, in order, from squared distances (N, k)."""
    n = len(neighbors)
    own = torch.arange(n, device=neighbors.device).unsqueeze(1).expand_as(neighbors)
    ends = torch.stack([own.flatten(), neighbors.flatten()])
    values = torch.exp(-distances.flatten() / sigma**2)
    both = torch.cat([ends, ends.flip(0)], dim=1)
    return torch.sparse_coo_tensor(both, values.repeat(2), (n, n), check_invariants=True).coalesce()


def _stationary(weights: Tensor, alpha: float, iterations: int) -> Tensor:
    """v (N,) after the power iterations."""
    n = len(weights)
    with ignored(UserWarning):  # torch calls this format a beta
        weights = weights.to_sparse_csr()
    v = torch.full((n, 1), 1 / n, dtype=weights.dtype, device=weights.device)
    for _ in range(iterations):
        v = alpha * (weights @ v) + (1 - alpha) / n
        v /= v.sum()
    return v.squeeze(1)


def _pointers(weights: Tensor, v: Tensor) -> Tensor:
    """The neighbor (N,) that each point points to, the first of ties; the point itself at a maximum of v."""
    row, column = weights.indices()
    gains = weights.values() * (v[column] - v[row])
    best = torch.zeros_like(v).scatter_reduce_(0, row, gains, "amax")
    found = (gains > 0) & (gains == best[row])
    n = len(v)
    first = row.new_full((n,), n).scatter_reduce_(0, row[found], column[found], "amin")
    return torch.where(first < n, first, torch.arange(n, device=v.device))


def _roots(pointers: Tensor) -> Tensor:
    """The end (N,) of each point's path along the pointers, which go uphill and so have no cycle."""
    while not torch.equal(pointers, further := pointers[pointers]):
        pointers = further
    return pointers


def _adopt_singletons(roots: Tensor, neighbors: Tensor) -> Tensor:
    """Roots (N,) after each singleton took the root of its nearest neighbor (N, k) that is not a singleton."""
    alone = torch.bincount(roots, minlength=len(roots))[roots] == 1
    company = alone.unsqueeze(1) & ~alone[neighbors]
    adopted = company.any(1)
    if not adopted.any():
        return roots
    first = company[adopted].int().argmax(1, keepdim=True)  # neighbors are sorted, nearest first
    return roots.masked_scatter(adopted, roots[neighbors[adopted].gather(1, first)])
