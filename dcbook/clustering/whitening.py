"""PCA-whitening and normalization, for DeepCluster's features before clustering and R-MAC's regions before summing."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.points import BLOCK, full_precision, wide
from dcbook.distributed import Group

FLOOR = 1e-5  # variances below this share of the largest are raised to it, so that rounding errors are not amplified


@dataclass(frozen=True, eq=False)
class Whitening:
    """x → (x - mean) · projection, scaled to length 1: p principal components of variance 1 before the scaling.

    Source: Caron et al., ECCV 2018, section 3 (implementation details); as released, clustering.py:76-97 and, for
    retrieval, eval_retrieval.py, where variances have the same floor.

    Attributes
    ----------
    mean : tensor (d,)
    projection : tensor (d, p)
    """

    mean: Tensor
    projection: Tensor

    @classmethod
    @torch.no_grad()
    def fit(cls, x: Tensor, n_directions: int, group: Group | None = None) -> "Whitening":
        """Fit mean and projection to x (N, d), whose rows may be distributed over `group`; keep at most min(N, d) axes.

        Raises ValueError, on all processes, for other shapes, a single row, numbers that are not finite, and
        n_directions below 1.
        """
        group = group or Group()
        if x.ndim != 2 or n_directions < 1:
            raise ValueError(f"whitening needs vectors and n_directions >= 1; not {tuple(x.shape)}, {n_directions}")
        d = x.shape[1]
        moments = torch.zeros(d + 1, d + 1, dtype=wide(x.device), device=x.device)
        last = group.rank == group.size - 1  # its share is empty only if all are
        shift = group.sum(x[:1].clone() if last and len(x) else x.new_zeros(1, d))
        with full_precision():
            for part in x.split(BLOCK):  # moments of [x - shift, 1]: sums of products, sums, count
                lifted = torch.nn.functional.pad(part - shift, (0, 1), value=1)
                moments += lifted.T @ lifted
        moments = group.sum(moments)
        n = moments[d, d]
        if not (n >= 2 and moments.isfinite().all()):
            raise ValueError(f"whitening needs at least 2 vectors of finite numbers; got {int(n)}, or NaN or infinity")
        mean = moments[d, :d] / n
        covariance = moments[:d, :d] / n - torch.outer(mean, mean)
        variances, directions = (part.flip(-1) for part in torch.linalg.eigh(covariance))
        kept = min(n_directions, d, int(n))
        scale = variances[:kept].clamp_min(FLOOR * float(variances[0].clamp_min(1e-30))).rsqrt()
        return cls((mean + shift[0]).to(x.dtype), (directions[:, :kept] * scale).to(x.dtype))

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """Whiten features (…, d) and scale them to length 1: (…, p)."""
        with full_precision():
            return torch.nn.functional.normalize((x - self.mean) @ self.projection, dim=-1)
