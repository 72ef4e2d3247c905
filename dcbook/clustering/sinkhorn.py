"""Soft clusters of equal size: the codes of SwAV, from the transport of samples to prototypes by Sinkhorn-Knopp."""

import torch
from torch import Tensor


@torch.no_grad()
def sinkhorn(scores: Tensor, eps: float = 0.05, iterations: int = 3) -> Tensor:
    """Codes Q (B, K) of samples with `scores` (B, K) for K prototypes: rows sum to 1, columns tend to sum to B / K.

    Parameters
    ----------
    scores : real numbers of any size, as a rule cosines; higher is nearer. B may be smaller than K.
    eps : weight of the entropy, above 0. Small ones make codes hard, large ones all alike.
    iterations : how often columns, then rows are scaled to equal sums, at least 0; without any, Q is a softmax. The
        columns' sums are equal in the limit only.

    Q maximizes tr(Q^T scores) + eps H(Q) among the matrices with these sums. Logarithms are scaled and not their
    exponentials, so that nothing overflows, and no column that is far from all samples becomes 0 / 0. No gradient flows
    through Q.

    Source: Cuturi, NeurIPS 2013, as Caron et al., NeurIPS 2020, section 3.1, use it. The order (columns first), eps and
    iterations are those of the released code (facebookresearch/swav, main_swav.py), which scales exponentials.

    Raises ValueError for scores that are no matrix or not finite, and for eps and iterations out of range.
    """
    if not eps > 0 or iterations < 0:
        raise ValueError(f"eps must be above 0 and iterations at least 0, not {eps} and {iterations}")
    if scores.ndim != 2 or not scores.isfinite().all():
        raise ValueError(f"scores must be a matrix of finite numbers, not of shape {tuple(scores.shape)} or with NaN")
    log_q = (scores - scores.max()) / eps
    for _ in range(iterations):
        log_q = (log_q - log_q.logsumexp(0)).log_softmax(1)
    return log_q.softmax(1)
