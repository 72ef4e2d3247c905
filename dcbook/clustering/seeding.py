"""Seeding by greedy k-means++."""

import math
from numbers import Integral

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
    """Draw starts for k-means by greedy k-means++ (Arthur & Vassilvitskii 2007, section 6), as in scikit-learn.

    For each further center, 2 + ⌊ln K⌋ points are drawn with probabilities proportional to the squared distance to the
    nearest center; the candidate that lowers the sum of squared distances most is kept.

    Parameters
    ----------
    x : array or tensor (N, d)
    n_clusters : K, 1..N
    n_starts : R, at least 1
    generator : source of randomness; None is torch's default generator
    device : where to compute; "auto" is where `x` is, or a GPU if there is one and `x` is on the CPU

    Returns
    -------
    tensor (R, K, d)
        Rows of `x`, on its device.

    Raises
    ------
    TypeError, ValueError
        If `x` is not a dense matrix of finite real numbers, K is not in 1..N, or R < 1.
    """
    home = x.device if isinstance(x, Tensor) else torch.device("cpu")
    x = as_matrix(x, device)
    check_counts(len(x), n_clusters, n_starts)
    with full_precision():
        points = lift(x, by_columns=x.shape[1] <= 128)[0]
        chosen = choose(points, squared_norms(points), n_clusters, n_starts, generator)
    return x[chosen].to(home)


def check_counts(n: int, n_clusters: int, n_starts: int) -> None:
    """Raise TypeError or ValueError unless K and R are integers, 1 ≤ K ≤ N and R ≥ 1."""
    if not (isinstance(n_clusters, Integral) and isinstance(n_starts, Integral)):
        raise TypeError(f"the numbers of clusters and starts must be integers; got {n_clusters!r} and {n_starts!r}")
    if not 1 <= n_clusters <= n:
        raise ValueError(f"n_clusters must be between 1 and the number of points, {n}; got {n_clusters}")
    if n_starts < 1:
        raise ValueError(f"the number of starts must be at least 1; got {n_starts}")


def choose(points: Tensor, norms: Tensor, n_clusters: int, n_starts: int, generator: torch.Generator | None) -> Tensor:
    """Return the row indices (R, K) that k-means++ draws from lifted `points` (N, d + 1) with squared `norms` (N,)."""
    generator = generator or torch.default_generator
    starts = [_choose_one(points, norms, n_clusters, generator) for _ in range(n_starts)]
    return torch.tensor(starts, device=points.device)


def _choose_one(points: Tensor, norms: Tensor, n_clusters: int, generator: torch.Generator) -> list[int]:
    """Return K row indices. Candidates are drawn in large pools, so that all points are read less often.

    A candidate drawn for an earlier center is accepted for the present one with probability (squared distance now) /
    (squared distance then). This is rejection sampling, so the distribution is exact.
    """
    n, device = len(points), points.device
    n_trials = 2 + int(math.log(n_clusters))
    chosen = [int(_uniform(1, generator) * n)]
    scores = points.new_empty(n_trials * (1 + points.shape[1] // 64), n)  # buffers, as allocation is slower than sums
    trials, mass, closest = points.new_empty(n_trials, n), torch.empty_like(norms), torch.empty_like(norms)
    _score(points, torch.tensor(chosen, device=device), closest[None])
    drawn, then = torch.empty(0, dtype=torch.int64, device=device), norms[:0]
    while len(chosen) < n_clusters:
        torch.add(closest, norms, out=mass).clamp_min_(0)  # squared distances to the nearest center
        taken = (_uniform(len(drawn), generator).to(then) * then <= mass[drawn]).nonzero().flatten()[:n_trials]
        if len(taken) < n_trials:
            cumulated = mass.cpu().cumsum(0, dtype=torch.float64)  # not deterministic on a GPU
            draws = _uniform(len(scores), generator) * cumulated[-1]
            drawn = torch.searchsorted(cumulated, draws).clamp_max_(n - 1).to(device)
            then, pool = mass[drawn], scores
            _score(points, drawn, pool)
            taken = torch.arange(n_trials, device=device)
            new = pool[:n_trials]
        else:
            new = torch.index_select(pool, 0, taken, out=trials)
        best = int(torch.minimum(new, closest, out=trials).sum(1).argmin())
        closest.copy_(trials[best])
        chosen.append(int(drawn[taken[best]]))
        rest = slice(int(taken[-1]) + 1, None)
        drawn, then, pool = drawn[rest], then[rest], pool[rest]
    return chosen


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device, dtype=torch.float64).cpu()


def _score(points: Tensor, drawn: Tensor, out: Tensor) -> None:
    """Write |x - c|² - |x|² to `out` (L, N) for lifted `points` x (N, d + 1) and centers c, the points `drawn` (L,)."""
    lifted = lift_centers(points[drawn, :-1])
    if points.stride(0) == 1:
        torch.mm(lifted, points.T, out=out)
        return
    rows = rows_at_once(points.device, 2 * len(drawn), points.shape[1], points.element_size())
    for part, scores in zip(points.split(rows), out.split(rows, dim=1), strict=True):
        scores.copy_((part @ lifted.T).T)
