"""Seeding by greedy k-means++."""

import math

import torch
from torch import Tensor

from dcbook.clustering.points import as_matrix, full_precision, lift, lift_centers, rows_at_once, squared_norms


@torch.no_grad()
def kmeans_plusplus(
    x: object,
    n_clusters: int,
    n_starts: int = 1,
    generator: torch.Generator | None = None,
    *,
    device: str | torch.device = "auto",
) -> Tensor:
    """Draw starts for k-means: each next center is a point drawn with probability ∝ its squared distance to those before.

    Of 2 + ⌊ln K⌋ points drawn for each center, the one is kept that lowers the sum of squared distances most (the greedy
    k-means++ of Arthur & Vassilvitskii 2007, section 6, as in scikit-learn).

    Parameters
    ----------
    x : array or tensor (N, d)
    n_clusters : K, 1..N
    n_starts : R, at least 1; all starts are drawn at once
    generator : source of randomness; None is torch's default generator
    device : where to compute; "auto" is where `x` is, or a GPU if there is one and `x` is on the CPU

    Returns
    -------
    tensor (R, K, d)
        Rows of `x`, on its device.

    Raises
    ------
    TypeError, ValueError
        If `x` is not a dense matrix of finite real numbers, K not in 1..N, or R < 1.
    """
    home = x.device if isinstance(x, Tensor) else torch.device("cpu")
    x = as_matrix(x, device)
    check_counts(len(x), n_clusters, n_starts)
    with full_precision():
        points = lift(x, by_columns=x.shape[1] <= 128)[0]
        chosen = choose(points, squared_norms(points), n_clusters, n_starts, generator)
    return x[chosen].to(home)


def check_counts(n: int, n_clusters: int, n_starts: int) -> None:
    """Raise ValueError unless 1 ≤ K ≤ N and R ≥ 1."""
    if not 1 <= n_clusters <= n:
        raise ValueError(f"n_clusters must be between 1 and the number of points, {n}; got {n_clusters}")
    if n_starts < 1:
        raise ValueError(f"the number of starts must be at least 1; got {n_starts}")


def choose(
    points: Tensor, norms: Tensor, n_clusters: int, n_starts: int, generator: torch.Generator | None
) -> Tensor:
    """Return the rows (R, K) that k-means++ draws of lifted `points` (N, d + 1) with squared `norms` (N,)."""
    generator = generator or torch.default_generator
    n_trials = 2 + int(math.log(n_clusters))
    draws = torch.rand(
        n_starts, n_clusters, n_trials, generator=generator, device=generator.device, dtype=torch.float64
    ).cpu()
    together = max(1, points.shape[1] // n_trials)  # the distances kept take no more memory than the points
    return torch.cat([_choose_together(points, norms, part) for part in draws.split(together)])


def _choose_together(points: Tensor, norms: Tensor, draws: Tensor) -> Tensor:
    n, device = len(points), points.device
    n_starts, n_clusters, n_trials = draws.shape
    start = torch.arange(n_starts, device=device)
    chosen = torch.empty(n_starts, n_clusters, dtype=torch.int64, device=device)
    chosen[:, 0] = (draws[:, 0, 0] * n).long()
    closest = points.new_full((n_starts, n), math.inf)
    trials = points.new_empty(n_starts, n_trials, n)
    _distances(points, norms, chosen[:, :1], closest, closest[:, None])
    for k in range(1, n_clusters):
        mass = closest.cpu().cumsum(1, dtype=torch.float64)  # a GPU's cumsum is not deterministic
        drawn = torch.searchsorted(mass, draws[:, k] * mass[:, -1:]).clamp_max_(n - 1).to(device)
        _distances(points, norms, drawn, closest, trials)
        best = trials.sum(2).argmin(1)
        closest.copy_(trials[start, best])
        chosen[:, k] = drawn[start, best]
    return chosen


def _distances(points: Tensor, norms: Tensor, drawn: Tensor, closest: Tensor, out: Tensor) -> None:
    """Write min(closest, squared distances to the points `drawn` (R, L)) to `out` (R, L, N)."""
    lifted = lift_centers(points[drawn.flatten(), :-1])
    rows = rows_at_once(points.device, 2 * len(lifted), points.shape[1], points.element_size())
    for lo in range(0, len(points), rows):
        hi = lo + rows
        part = points[lo:hi]
        scores = lifted @ part.T if points.stride(0) == 1 else (part @ lifted.T).T
        near = torch.add(scores.unflatten(0, drawn.shape), norms[lo:hi], out=out[..., lo:hi]).clamp_min_(0)
        torch.minimum(near, closest[:, None, lo:hi], out=near)
