"""PCA-whitening and normalization of features, before DeepCluster clusters them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.points import BLOCK, full_precision, wide
from dcbook.distributed import Group

FLOOR = 1e-6  # of the largest variance; directions below it are rounding


@dataclass(frozen=True, eq=False)
class Whitening:
    """x → (x - mean) · projection, then of length 1: the `p` main directions, each of variance 1 before that.

    Source: Caron et al., ECCV 2018, section 3 (implementation details); as released, clustering.py:76-97.

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
        """Learn it from x (N, d), of which `group` may hold the rows in parts; at most N and d directions are kept."""
        group = group or Group()
        d = x.shape[1]
        moments = torch.zeros(d + 1, d + 1, dtype=wide(x.device), device=x.device)
        shift = group.sum(x[:1].clone() if group.rank == 0 else x.new_zeros(1, d))
        with full_precision():
            for part in x.split(BLOCK):  # of [x - shift, 1]: sums of products, sums, count
                lifted = torch.nn.functional.pad(part - shift, (0, 1), value=1)
                moments += lifted.T @ lifted
        moments = group.sum(moments)
        n = moments[d, d]
        mean = moments[d, :d] / n
        covariance = moments[:d, :d] / n - torch.outer(mean, mean)
        variances, directions = (part.flip(-1) for part in torch.linalg.eigh(covariance))
        kept = min(n_directions, d, int(n))
        scale = variances[:kept].clamp_min(FLOOR * float(variances[0].clamp_min(1e-30))).rsqrt()
        return cls((mean + shift[0]).to(x.dtype), (directions[:, :kept] * scale).to(x.dtype))

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """Features (N, d) → whitened rows of length 1 (N, p)."""
        with full_precision():
            return torch.nn.functional.normalize((x - self.mean) @ self.projection, dim=1)
