"""Landmark-based spectral clustering: a spectral embedding through a few landmarks instead of all pairs of points.

| symbol | name in code     | shape  | meaning                                                                        |
|--------|------------------|--------|--------------------------------------------------------------------------------|
| u_i    | landmarks        | (p, d) | representatives of the points                                                  |
| z_ij   | weights, indices | (N, r) | nonzeros of Z: kernel weights of each point's r nearest landmarks, sum 1       |
| D      | degrees          | (p,)   | row sums of Z (p, N)                                                           |
| A, S   | vectors, values  | (p, K) | left singular vectors and values of D^(-1/2) Z, from a p × p matrix            |
| B      | embedding        | (N, K) | right singular vectors, B = Zᵀ D^(-1/2) A S⁻¹; also for new points (Nyström)   |

The paper (Chen & Cai, AAAI 2011) is followed from memory, and the authors' MATLAB code (LSC.m) from copies in other
people's public repositories; neither was checked against its original. They differ, and `variant` says which one is
followed. The first singular vector is constant, because all columns of Z sum to 1:

| what                         | "paper"                              | "released"                                  |
|------------------------------|--------------------------------------|---------------------------------------------|
| h in the kernel exp(-t²/2h²) | mean distance t to the r nearest     | mean squared distance t² of all pairs       |
| singular vectors             | the first K                          | the K after the first                       |
| rows of B                    | as they are                          | scaled to length 1                          |

The released h is not a distance: the weights depend on the units of x and are nearly equal for pixels in [0, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.kmeans import as_generator, kmeans
from dcbook.clustering.neighbors import nearest_references
from dcbook.clustering.points import as_matrix

SMALLEST = 1e-12  # squared singular values below this share of the largest (1) are rounding errors
OUTER_PRODUCTS = 1 << 22  # largest number of elements of an array of r × r products


@dataclass(frozen=True, eq=False)
class LandmarkEmbedding:
    """A map from points x (N, d) to spectral coordinates (N, K); both tensors are on the same device.

    Attributes
    ----------
    landmarks : tensor (p, d)
    projection : tensor (p, K), D^(-1/2) A S⁻¹
    n_nearest : r, from 1 to p
    bandwidth : h of the kernel, above 0
    unit_rows : whether coordinates are scaled to length 1
    """

    landmarks: Tensor
    projection: Tensor
    n_nearest: int
    bandwidth: float
    unit_rows: bool = False

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        distances, indices = nearest_references(x, self.landmarks, self.n_nearest)
        return self._combined(kernel_weights(distances, self.bandwidth), indices)

    def _combined(self, weights: Tensor, indices: Tensor) -> Tensor:
        """Zᵀ times the projection, computed for the first nearest landmarks of all points, then the second, …"""
        embedding = weights.new_zeros(len(weights), self.projection.shape[1])
        for weight, index in zip(weights.T, indices.T, strict=True):
            embedding += weight.unsqueeze(1) * self.projection[index]
        return torch.nn.functional.normalize(embedding) if self.unit_rows else embedding


@torch.no_grad()
def landmark_embedding(
    x: object,
    n_components: int,
    *,
    n_landmarks: int = 1000,
    n_nearest: int = 5,
    landmarks: str = "k-means",
    bandwidth: float | None = None,
    variant: str = "paper",
    random_state: int | torch.Generator | None = None,
    device: str | torch.device = "auto",
) -> tuple[LandmarkEmbedding, Tensor]:
    """Find landmarks of x (N, d) and the embedding through them; return the map and its values at x, (N, K).

    Neither an N × p × d nor a dense N × p array is made. The p × p eigenproblem is solved on the CPU in double
    precision.

    Parameters
    ----------
    x : array or tensor (N, d)
    n_components : K, from 1 to p, and below p in the released variant
    n_landmarks : p; at most N are used
    n_nearest : r, from 1 to p; at most N are used
    landmarks : "k-means" (centers after 5 iterations from p of the points) or "random" (p of the points)
    bandwidth : h of the kernel, above 0; None takes the variant's h
    variant : "paper" or "released", see the table above
    random_state : seed or generator that draws the landmarks
    device : as in `dcbook.clustering.kmeans`

    Raises ValueError if a setting is out of range.
    """
    x = as_matrix(x, device)
    check_landmarks(len(x), n_components, n_landmarks, n_nearest, landmarks, bandwidth, variant)
    random_state = as_generator(random_state)
    p = min(n_landmarks, len(x))
    chosen = x[torch.randperm(len(x), generator=random_state)[:p].to(x.device)]
    if landmarks == "k-means":
        chosen = kmeans(x, p, init=chosen, max_iter=5, random_state=random_state, device=x.device).centers
    distances, indices = nearest_references(x, chosen, min(n_nearest, p))
    if bandwidth is None:
        bandwidth = _mean_squared_distance(x, chosen) if variant == "released" else float(distances.sqrt().mean())
    weights = kernel_weights(distances, bandwidth)
    released = variant == "released"
    projection = _projection(weights, indices, p, n_components, skip=int(released)).to(x)
    embed = LandmarkEmbedding(chosen, projection, min(n_nearest, p), bandwidth, released)
    return embed, embed._combined(weights, indices)


def kernel_weights(distances: Tensor, bandwidth: float) -> Tensor:
    """Gaussian weights (N, r) of squared distances (N, r), normalized to sum to 1 in each row."""
    return torch.softmax(-distances / (2 * max(bandwidth, 1e-12) ** 2), dim=1)


def check_landmarks(n, n_components, n_landmarks, n_nearest, landmarks, bandwidth, variant) -> None:
    """Raise ValueError if settings of `landmark_embedding` are invalid, alone, together or for n points."""
    if landmarks not in ("k-means", "random") or variant not in ("paper", "released"):
        raise ValueError(
            f'landmarks must be "k-means" or "random" and variant "paper" or "released", not {landmarks!r}, {variant!r}'
        )
    if not 1 <= n_nearest <= n_landmarks:
        raise ValueError(f"each point needs between 1 and {n_landmarks} landmarks (all); got n_nearest={n_nearest}")
    if n_components + (variant == "released") > min(n_landmarks, n):
        raise ValueError(
            f"{n_components} clusters need at least {n_components + (variant == 'released')} landmarks, "
            f"not {min(n_landmarks, n)} (n_landmarks={n_landmarks}, {n} samples)"
        )
    if bandwidth is not None and not bandwidth > 0:
        raise ValueError(f"bandwidth must be None or above 0, not {bandwidth}")


def _projection(weights: Tensor, indices: Tensor, p: int, n_components: int, skip: int) -> Tensor:
    """D^(-1/2) A S⁻¹ (p, K), float64 on the CPU, for the K largest singular values after the first `skip`."""
    weights, indices = weights.cpu().double(), indices.cpu()
    degrees = torch.zeros(p, dtype=torch.float64).index_add_(0, indices.flatten(), weights.flatten())
    scale = torch.where(degrees > 0, degrees, torch.inf).rsqrt()  # a landmark with no points gets weight 0
    gram = torch.zeros(p * p, dtype=torch.float64)
    rows = max(1, OUTER_PRODUCTS // weights.shape[1] ** 2)
    for weight, index in zip(weights.split(rows), indices.split(rows), strict=True):
        cells = index.unsqueeze(2) * p + index.unsqueeze(1)
        gram.index_add_(0, cells.flatten(), (weight.unsqueeze(2) * weight.unsqueeze(1)).flatten())
    values, vectors = torch.linalg.eigh(scale.unsqueeze(1) * gram.view(p, p) * scale)
    top = slice(p - skip - n_components, p - skip)
    values, vectors = values[top].flip(0), vectors[:, top].flip(1)
    inverse = torch.where(values > SMALLEST, values, torch.inf).rsqrt()
    return scale.unsqueeze(1) * vectors * inverse


def _mean_squared_distance(x: Tensor, landmarks: Tensor) -> float:
    """Mean of ||x_j - u_i||² over all pairs, by the parallel axis theorem."""
    between = (x.mean(0) - landmarks.mean(0)).square().sum()
    return float(x.var(0, correction=0).sum() + landmarks.var(0, correction=0).sum() + between)
