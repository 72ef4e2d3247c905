"""Locality preserving non-negative matrix factorization: X ≈ V Uᵀ, with similar rows of V for neighbors.

| symbol  | name in code | shape  | meaning                                                                      |
|---------|--------------|--------|------------------------------------------------------------------------------|
| X       | x            | (N, d) | samples, here in rows: the paper has X ≈ U Vᵀ with samples in columns        |
| U       | u            | (d, K) | parts of the samples                                                         |
| V       | v            | (N, K) | how much of each part is in a sample                                         |
| W, L    | graph        |        | adjacency of the nearest-neighbor graph, 0 or 1, and its Laplacian           |
| lambda  | lam          |        | weight of the graph                                                          |

The objective is D(X || V Uᵀ) + lambda Σ over edges {j, l} of [D(v_j || v_l) + D(v_l || v_j)], with the generalized
Kullback-Leibler divergence D(a || b) = Σ a log(a/b) - a + b. The second term is lambda tr(Vᵀ L log V).

Cai, He, Wang, Bao & Han, IJCAI 2009 (there: LPNMF). The paper's text was not checked. The objective, the updates,
lambda = 100 and the unit length of the columns of U follow the authors' MATLAB code (GNMF_KL.m, version 3.0), read in
other people's copies.

The updates are multiplicative, v_k ← (Σ_i u_ik I + lambda L)⁻¹ y_k with y_jk = v_jk Σ_i x_ji u_ik / (V Uᵀ)_ji, and
u_ik ← u_ik Σ_j v_jk x_ji / (V Uᵀ)_ji / Σ_j v_jk. The update of V rests on log r ≈ 1 - 1/r for the ratio r of two
neighbors' entries (which for the objective above would give 2 lambda L), so it is not proven to lower the objective. In
our trials it always did; where the objective would rise, the step of V is halved until it does not. Rescaling to V / c
and c U keeps the product and lowers the second term, but the updates keep the initial scale. Hence lambda = 100 is
meaningful only if the columns of U start with length 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.kmeans import as_generator, kmeans
from dcbook.clustering.neighbors import neighbor_graph
from dcbook.clustering.points import as_matrix, full_precision, rows_at_once, wide
from dcbook.threads import ignored

SMALLEST = 1e-10  # lower bound of divisors and of arguments of logarithms
HALVINGS = 10
ACCURACY, MOST_GRADIENTS = 1e-4, 500  # conjugate gradients: relative residual, maximum number of iterations


@dataclass(frozen=True, eq=False)
class Factorization:
    """X ≈ V Uᵀ.

    Attributes
    ----------
    u : tensor (d, K)
    v : tensor (N, K)
    objective : values before the first update, after the first, after the second, …; never increasing
    """

    u: Tensor
    v: Tensor
    objective: list[float]


@dataclass(frozen=True, eq=False)
class Graph:
    """An undirected graph of N nodes; `edges` (2, E) lists each edge once, `adjacency` (N, N) is sparse."""

    edges: Tensor
    adjacency: Tensor
    degrees: Tensor

    @classmethod
    def of(cls, edges: Tensor, n: int, dtype: torch.dtype) -> "Graph":
        both = torch.cat([edges, edges.flip(0)], dim=1)
        row, column = both[:, (both[0] * n + both[1]).argsort()]
        degrees = torch.bincount(row, minlength=n)
        begins = torch.cat([degrees.new_zeros(1), degrees.cumsum(0)])
        with ignored(UserWarning):  # torch calls this format a beta
            ones = torch.ones(len(row), dtype=dtype, device=row.device)
            adjacency = torch.sparse_csr_tensor(begins, column, ones, (n, n), check_invariants=True)
        return cls(edges, adjacency, degrees.to(dtype).unsqueeze(1))

    def divergence(self, v: Tensor) -> Tensor:
        """Σ over edges {j, l} of D(v_j || v_l) + D(v_l || v_j) = tr(Vᵀ L log V)."""
        a, b = v[self.edges[0]], v[self.edges[1]]
        return ((a - b) * (a / b).log()).sum()


@torch.no_grad()
def locality_preserving_nmf(
    x: object,
    n_components: int,
    *,
    lam: float = 100.0,
    n_neighbors: int = 5,
    max_iter: int = 100,
    tol: float = 1e-5,
    n_init: int = 10,
    random_state: int | torch.Generator | None = None,
    device: str | torch.device = "auto",
) -> Factorization:
    """Factorize non-negative x (N, d), starting from k-means.

    U starts as the centers of k-means and V as the least-squares coefficients of x in U, clipped at 0, as in the MATLAB
    code. (The MATLAB code tries 10 short runs of both; here the best of `n_init` short runs of k-means is taken.)

    Parameters
    ----------
    x : array or tensor (N, d), no entry below 0
    n_components : K, from 1 to N
    lam : lambda, at least 0
    n_neighbors : number of neighbors of each point in the graph, at least 1; at most N - 1 are used
    max_iter : maximum number of updates, at least 1
    tol : the updates end when one lowers the objective by less than this share, at least 0
    n_init : number of k-means runs of 10 iterations; U starts from the best
    random_state, device : as in `dcbook.clustering.kmeans`

    Raises ValueError for negative entries and settings out of range.
    """
    x = as_matrix(x, device)
    check_factorization(lam, n_neighbors, max_iter, tol)
    if x.min() < 0:
        raise ValueError(f"x must not hold negative numbers; its smallest is {float(x.min()):.4g}")
    graph = Graph.of(neighbor_graph(x, n_neighbors), len(x), wide(x.device))
    start = {"n_init": n_init, "max_iter": 10, "random_state": as_generator(random_state)}
    u = kmeans(x, n_components, **start, device=x.device).centers
    u = u.T.clamp_min(SMALLEST).to(wide(x.device))
    u /= u.norm(dim=0)
    v = _coefficients(x, u)
    with full_precision():
        objective, y = _objective(x, graph, u, v, lam)
        history = [objective]
        for _ in range(max_iter):
            step = _solve(graph, u.sum(0), lam, y, v).clamp_min_(SMALLEST) - v
            for halvings in range(HALVINGS):
                new_v = v + step * 0.5**halvings
                new_u = _update_u(x, u, new_v)
                objective, y = _objective(x, graph, new_u, new_v, lam)
                if objective <= history[-1]:
                    break
            else:
                break
            u, v = new_u, new_v
            history.append(objective)
            if history[-2] - history[-1] < tol * history[-2]:
                break
    return Factorization(u.to(x), v.to(x), history)


@torch.no_grad()
def fold_in(x: Tensor, u: Tensor, max_iter: int = 100) -> Tensor:
    """V (N, K) of samples x (N, d) by `max_iter` multiplicative updates with U (d, K) fixed, from equal entries.

    Each sample is treated by itself, without the graph, so the samples that U was fitted to get another V than in the
    factorization.
    """
    v = x.new_empty(len(x), u.shape[1])
    u = u.to(x)
    sums = u.sum(0)
    with full_precision():
        for x_part, v_part in zip(x.split(_rows(x)), v.split(_rows(x)), strict=True):
            v_part.copy_(x_part.sum(1, keepdim=True) / sums.sum())
            for _ in range(max_iter):
                v_part.mul_((x_part / (v_part @ u.T).clamp_min_(SMALLEST)) @ u / sums)
    return v


def check_factorization(lam: float, n_neighbors: int, max_iter: int, tol: float) -> None:
    """Raise ValueError if a setting of `locality_preserving_nmf` is out of range."""
    if not (lam >= 0 and n_neighbors >= 1 and max_iter >= 1 and tol >= 0):
        given = f"{lam}, {n_neighbors}, {max_iter}, {tol}"
        raise ValueError(f"lam >= 0, n_neighbors >= 1, max_iter >= 1 and tol >= 0 must hold, not {given}")


def _coefficients(x: Tensor, u: Tensor) -> Tensor:
    """Least-squares coefficients (N, K) of x in the columns of u, clipped at 0."""
    inverse = torch.linalg.pinv(u).T.to(x.dtype)
    return (x @ inverse).clamp_min_(SMALLEST).to(u.dtype)


def _objective(x: Tensor, graph: Graph, u: Tensor, v: Tensor, lam: float) -> tuple[float, Tensor]:
    """The objective, and y (N, K) for the next update of V."""
    u_x, v_x = u.to(x.dtype), v.to(x.dtype)
    total, parts = 0.0, []
    for x_part, v_part in zip(x.split(_rows(x)), v_x.split(_rows(x)), strict=True):
        x_hat = (v_part @ u_x.T).clamp_min_(SMALLEST)
        ratio = x_part / x_hat
        parts.append(ratio @ u_x)
        total += float((x_part * ratio.clamp_min(SMALLEST).log() - x_part + x_hat).sum(dtype=v.dtype))
    return total + lam * float(graph.divergence(v)), v * torch.cat(parts)


def _update_u(x: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """u_ik ← u_ik Σ_j v_jk x_ji / (V Uᵀ)_ji / Σ_j v_jk."""
    u_x, v_x = u.to(x.dtype), v.to(x.dtype)
    numerator = torch.zeros_like(u)
    for x_part, v_part in zip(x.split(_rows(x)), v_x.split(_rows(x)), strict=True):
        numerator += (x_part / (v_part @ u_x.T).clamp_min_(SMALLEST)).T @ v_part
    return (u * numerator / v.sum(0)).clamp_min_(SMALLEST)


def _solve(graph: Graph, sums: Tensor, lam: float, y: Tensor, start: Tensor) -> Tensor:
    """The solution v (N, K) of (sums_k I + lam L) v_k = y_k by conjugate gradients, preconditioned by the diagonal."""
    diagonal = sums + lam * graph.degrees

    def image_of(v: Tensor) -> Tensor:
        return torch.addmm(diagonal * v, graph.adjacency, v, alpha=-lam)

    tiny = torch.finfo(y.dtype).tiny
    v = start.clone()
    residual = y - image_of(v)
    direction = residual / diagonal
    product = torch.linalg.vecdot(residual, direction, dim=0)
    enough = ACCURACY**2 * (y.square() / diagonal).sum(0)
    for _ in range(MOST_GRADIENTS):
        if (product <= enough).all():
            break
        image = image_of(direction)
        length = product / torch.linalg.vecdot(direction, image, dim=0).clamp_min(tiny)
        v.addcmul_(length, direction)
        residual.addcmul_(length, image, value=-1)
        scaled = residual / diagonal
        before, product = product, torch.linalg.vecdot(residual, scaled, dim=0)
        direction = scaled.addcmul_(product / before.clamp_min(tiny), direction)
    return v


def _rows(x: Tensor) -> int:
    return rows_at_once(x.device, 2 * x.shape[1], 0, x.element_size())
