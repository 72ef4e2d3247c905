"""k-means with several starts; the best run is kept."""

import operator
from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.assignment import assign
from dcbook.clustering.lloyd import cluster_sums, lloyd, split_clusters
from dcbook.clustering.points import as_matrix, as_tensor, full_precision, lift, squared_norms, sums_by_product, wide
from dcbook.clustering.seeding import check_counts, choose


@dataclass(frozen=True, eq=False)
class KMeansResult:
    """The best of R runs of k-means.

    Attributes
    ----------
    centers : tensor (K, d)
    labels : int64 tensor (N,), 0..K-1: the nearest of `centers`, as `assign` returns it
    inertia : sum of squared distances of the points to their centers
    n_iter : iterations of the best run
    inertias : float64 tensor (R,) on the CPU, one per run
    """

    centers: Tensor
    labels: Tensor
    inertia: float
    n_iter: int
    inertias: Tensor


@torch.no_grad()
def kmeans(
    x: object,
    n_clusters: int,
    *,
    init: object = "k-means++",
    n_init: int = 10,
    max_iter: int = 300,
    tol: float = 1e-4,
    random_state: int | torch.Generator | None = None,
    device: str | torch.device = "auto",
    chunk_bytes: int | None = None,
) -> KMeansResult:
    """Cluster points by k-means (Lloyd 1982), all starts at once, and keep the run with the lowest inertia.

    From the same start it takes the same steps as scikit-learn's `KMeans`, except when a cluster is empty: here a large
    cluster is split in two (DeepCluster, Caron et al. 2018, on trivial solutions), so that no cluster stays empty if
    there are K distinct points.

    Parameters
    ----------
    x : array or tensor (N, d)
        float64 and whole numbers above 2^24 are computed in float64, everything else in float32.
    n_clusters : K, 1..N
    init : "k-means++", or centers to start from (K, d), or R such starts (R, K, d)
    n_init : number R of starts drawn by k-means++; ignored if `init` gives the starts
    max_iter : maximum number of iterations of each run, at least 1
    tol : a run ends when the squared shift of its centers, summed, is at most `tol` × the mean variance of the columns
    random_state : seed or generator of the starts and of the splits; None is torch's default generator
    device : where to compute; "auto" is where `x` is, or a GPU if there is one and `x` is on the CPU
    chunk_bytes : size of the largest array of scores held at once; None suits the device

    Returns
    -------
    KMeansResult
        Its tensors are on the device of `x`.

    Raises
    ------
    TypeError
        If `x`, `init` or `random_state` has the wrong type.
    ValueError
        If `x` is not a matrix of finite numbers, K is not in 1..N, `init` has the wrong shape, or a setting is out of
        range.
    """
    home = x.device if isinstance(x, Tensor) else torch.device("cpu")
    x = as_matrix(x, device)
    given = _given_starts(init, n_clusters, x)
    check_counts(len(x), n_clusters, n_init)
    if max_iter < 1 or not tol >= 0 or (chunk_bytes is not None and chunk_bytes < 1):
        raise ValueError(
            f"max_iter ≥ 1, tol ≥ 0 and chunk_bytes ≥ 1 or None must hold; got {max_iter}, {tol} and {chunk_bytes}"
        )
    generator = as_generator(random_state)
    with full_precision():
        points, mean, variance = lift(x, sums_by_product(n_clusters, x.shape[1], x.device))
        if given is None:
            chosen = choose(points, squared_norms(points), n_clusters, n_init, generator)
            starts = points[chosen, :-1]
        else:
            starts = given - mean
        runs, n_iter = lloyd(points, starts, max_iter, tol * variance, generator, chunk_bytes)
        inertias = _inertias(points, runs, variance * x.numel(), chunk_bytes)
        best = int(inertias.argmin())
        del points
        centers = runs[best] + mean
        labels, inertia = _finish(x, centers, generator, chunk_bytes)
    inertias[best] = inertia
    inertias.clamp_(min=inertia)  # the inertias of the other runs are subject to rounding
    return KMeansResult(centers.to(home), labels.to(home), inertia, n_iter[best], inertias)


def _inertias(points: Tensor, runs: Tensor, total: float, chunk_bytes: int | None) -> Tensor:
    """Return the inertia of each of `runs` (R, K, d): Σ|x|² - Σ(2c·s - n|c|²) over clusters of sum s and size n.

    Where clusters are so tight that rounding dominates this difference, distances from direct differences are summed.
    """
    if len(runs) == 1:
        return torch.zeros(1, dtype=torch.float64)
    sums, sizes = cluster_sums(points, runs, chunk_bytes)
    wide_runs = runs.to(sums.dtype)
    inertias = total - (2 * wide_runs * sums - sizes * wide_runs.square()).sum((1, 2)).cpu().double()
    if inertias.min() > 1e-3 * total:
        return inertias
    x = points[:, :-1]
    sums = [assign(x, run, device=x.device, chunk_bytes=chunk_bytes)[1].sum(dtype=wide(x.device)) for run in runs]
    return torch.stack(sums).cpu().double()


def _finish(x: Tensor, centers: Tensor, generator: torch.Generator, chunk_bytes: int | None) -> tuple[Tensor, float]:
    """Return the final labels and inertia; if the last update of the centers emptied a cluster, split another one."""
    labels, distances = assign(x, centers, device=x.device, chunk_bytes=chunk_bytes)
    for _ in range(len(centers)):
        if labels.unique().numel() == len(centers) or not split_clusters(x, labels, centers, generator):
            break
        labels, distances = assign(x, centers, device=x.device, chunk_bytes=chunk_bytes)
    return labels, float(distances.sum(dtype=wide(x.device)))


def _given_starts(init: object, n_clusters: int, x: Tensor) -> Tensor | None:
    if isinstance(init, str):
        if init != "k-means++":
            raise ValueError(f'init must be "k-means++" or an array of centers; got {init!r}')
        return None
    starts = as_tensor(init, "init")
    if starts.ndim not in (2, 3) or starts.shape[-2:] != (n_clusters, x.shape[1]) or not len(starts):
        shape = f"{n_clusters}, {x.shape[1]}"
        raise ValueError(f"init must have shape ({shape}), or (R, {shape}) for R starts; got {tuple(starts.shape)}")
    starts = starts.to(x)
    if not starts.isfinite().all():
        raise ValueError("init holds NaN or infinity; centers must be finite")
    return starts.reshape(-1, n_clusters, x.shape[1])


def as_generator(random_state: int | torch.Generator | None) -> torch.Generator:
    """Return the given generator, a new one with the given seed, or torch's default one for None.

    Raises TypeError for anything else.
    """
    if random_state is None:
        return torch.default_generator
    if isinstance(random_state, torch.Generator):
        return random_state
    try:
        return torch.Generator().manual_seed(operator.index(random_state))
    except TypeError:
        raise TypeError(f"random_state must be an integer, a torch.Generator or None; got {random_state!r}") from None
