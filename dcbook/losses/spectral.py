"""SpectralNet: Shaham et al., ICLR 2018, arXiv 1801.01587, as released (shaham-lab/SpectralNet)."""

import torch
from torch import Tensor


def spectral_loss(affinity: Tensor, y: Tensor, *, normalized: bool = False) -> Tensor:
    """SpectralNet: sum_ij W_ij ||y_i - y_j||^2 / (2m) for `affinity` W (m, m), symmetric, and coordinates y (m, K).

    With `normalized`, each y_i is first divided by the square root of its degree sum_j W_ij.
    """
    if normalized:
        y = y / affinity.sum(1, keepdim=True).clamp_min(1e-12).sqrt()
    return (affinity * torch.cdist(y, y, compute_mode="donot_use_mm_for_euclid_dist").square()).sum() / (2 * len(y))


def pair_loss(a: Tensor, b: Tensor, similar: Tensor, margin: float = 1.0) -> Tensor:
    """Siamese networks: the mean of d^2 over similar pairs and max(0, margin - d)^2 over others, d = ||a_i - b_i||.

    `a` and `b` (P, d) are the two members of P pairs; `similar` (P,) is true for similar pairs.
    """
    distance = torch.linalg.vector_norm(a - b, dim=1)
    return torch.where(similar, distance, (margin - distance).clamp_min(0)).square().mean()


def gaussian_affinity(u: Tensor, n_neighbors: int) -> Tensor:
    """SpectralNet's symmetric affinities W (m, m) of points u (m, d), nonzero only between nearest neighbors.

    W_ij = exp(-||u_i - u_j||^2 / s_j^2) if j is i or one of its `n_neighbors` nearest neighbors, where s_j is the
    distance from j to its middle neighbor (the 15th of 30); then (W + W') / 2 is returned.
    """
    squares = torch.cdist(u, u, compute_mode="donot_use_mm_for_euclid_dist").square()
    near, indices = squares.topk(min(n_neighbors + 1, len(u)), dim=1, largest=False)
    scale = near[:, near.shape[1] // 2].clamp_min(1e-14)
    weights = torch.zeros_like(squares).scatter_(1, indices, (-near / scale[indices]).exp())
    return (weights + weights.T) / 2


def orthonormalizer(y: Tensor, eps: float = 1e-12) -> Tensor:
    """SpectralNet: the matrix sqrt(m) R^-1 (K, K), with y = Q R, that makes the outputs y (m, K) orthonormal.

    The columns of sqrt(m) y R^-1 are orthogonal and have mean square 1. `eps` times the outputs' sum of squares over K
    is added to the diagonal of R'R, which keeps R invertible if outputs are collinear. Computed in float64. The matrix
    has a gradient with respect to y, which SpectralNet needs.
    """
    m, k = y.shape
    exact, one = y.double(), torch.eye(k, dtype=torch.float64, device=y.device)
    least = (eps * exact.detach().square().sum() / k).sqrt().clamp_min(1e-30)
    r = torch.linalg.qr(torch.cat([exact, least * one])).R
    return (m**0.5 * torch.linalg.solve_triangular(r, one, upper=True)).to(y.dtype)
