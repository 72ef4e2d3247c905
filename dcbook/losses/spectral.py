"""SpectralNet: Shaham et al., ICLR 2018, arXiv 1801.01587, as released (shaham-lab/SpectralNet)."""

import torch
from torch import Tensor


def spectral_loss(affinity: Tensor, y: Tensor, *, normalized: bool = False) -> Tensor:
    """SpectralNet: sum_ij W_ij ||y_i - y_j||^2 / (2m) for `affinity` W (m, m), symmetric, and coordinates y (m, K).

    `normalized` divides each y_i by the root of its degree sum_j W_ij first.
    """
    if normalized:
        y = y / affinity.sum(1, keepdim=True).clamp_min(1e-12).sqrt()
    return (affinity * torch.cdist(y, y, compute_mode="donot_use_mm_for_euclid_dist").square()).sum() / (2 * len(y))


def pair_loss(a: Tensor, b: Tensor, similar: Tensor, margin: float = 1.0) -> Tensor:
    """Siamese networks: the mean of d^2 over similar pairs and max(0, margin - d)^2 over others, d = ||a_i - b_i||.

    `a` and `b` (P, d) are the two sides of P pairs, `similar` (P,) says which pairs are similar.
    """
    distance = torch.linalg.vector_norm(a - b, dim=1)
    return torch.where(similar, distance, (margin - distance).clamp_min(0)).square().mean()


def gaussian_affinity(u: Tensor, n_neighbors: int) -> Tensor:
    """SpectralNet's affinities W (m, m) of points u (m, d), symmetric, and 0 but between nearest neighbors.

    exp(-||u_i - u_j||^2 / s_j^2) for the `n_neighbors` nearest j of i, and i itself, with s_j the distance from j to
    the middle one of its own, of 30 the 15th; then (W + W') / 2.
    """
    squares = torch.cdist(u, u, compute_mode="donot_use_mm_for_euclid_dist").square()
    near, indices = squares.topk(min(n_neighbors + 1, len(u)), dim=1, largest=False)
    scale = near[:, near.shape[1] // 2].clamp_min(1e-14)
    weights = torch.zeros_like(squares).scatter_(1, indices, (-near / scale[indices]).exp())
    return (weights + weights.T) / 2


def orthonormalizer(y: Tensor, eps: float = 1e-12) -> Tensor:
    """SpectralNet: the matrix (K, K) that makes outputs y (m, K) orthonormal, sqrt(m) R^-1 of y = Q R.

    Then y R^-1 sqrt(m) has columns of mean square 1, orthogonal to each other. `eps` times the outputs' sum of
    squares over K, on the diagonal of R'R, keeps it invertible where outputs are collinear. Computed in float64.
    """
    m, k = y.shape
    exact, one = y.double(), torch.eye(k, dtype=torch.float64, device=y.device)
    least = (eps * exact.square().sum() / k).sqrt().clamp_min(1e-30)
    r = torch.linalg.qr(torch.cat([exact, least * one]), mode="r").R
    return (m**0.5 * torch.linalg.solve_triangular(r, one, upper=True)).to(y.dtype)
