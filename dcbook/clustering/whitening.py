"""PCA-whitening and normalization: of features before DeepCluster clusters them, of regions before R-MAC adds them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook.clustering.points import BLOCK, full_precision, wide
from dcbook.distributed import Group

FLOOR = 1e-5  # of the largest variance: smaller ones are taken for that, or rounding would be blown up


@dataclass(frozen=True, eq=False)
class Whitening:
    """x → (x - mean) · projection, then of length 1: the `p` main directions, each of variance 1 before that.

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
        """Learn it from x (N, d), of which `group` may hold the rows in parts; at most N and d directions are kept.

        Raises ValueError for other shapes, a single row, and numbers that are not finite.
        """
        group = group or Group()
        if x.ndim != 2 or len(x) < 2 or n_directions < 1 or not x.isfinite().all():
            shape = tuple(x.shape)
            raise ValueError(
                f"whitening needs 2 or more finite vectors, n_directions >= 1; not {shape}, {n_directions}"
            )
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
        """Features (…, d) → whitened ones of length 1 (…, p)."""
        with full_precision():
            return torch.nn.functional.normalize((x - self.mean) @ self.projection, dim=-1)
