"""Soft clusters of equal size: SwAV's codes, by optimal transport from samples to prototypes (Sinkhorn-Knopp)."""

import torch
from torch import Tensor


@torch.no_grad()
def sinkhorn(scores: Tensor, eps: float = 0.05, iterations: int = 3) -> Tensor:
    """Codes Q (B, K) of samples with `scores` (B, K) for K prototypes: rows sum to 1, columns tend to sum to B / K.

    Parameters
    ----------
    scores : finite real numbers, usually cosines; higher is nearer. B may be smaller than K.
    eps : weight of the entropy, above 0. A small eps makes codes hard, a large one makes them uniform.
    iterations : how often first columns, then rows are scaled to equal sums, at least 0; with 0, Q is a softmax. The
        columns' sums are equal only in the limit.

    Q maximizes tr(Q^T scores) + eps H(Q) among the matrices with these sums. The scaling is done on logarithms, so that
    nothing overflows and a column far from all samples does not become 0 / 0. No gradient flows through Q.

    Source: Cuturi, NeurIPS 2013, as used by Caron et al., NeurIPS 2020, section 3.1. The order (columns first), eps and
    iterations are those of the released code (facebookresearch/swav, main_swav.py), which scales exponentials.

    Raises ValueError if scores are not a matrix of finite numbers, or eps or iterations are out of range.
    """
    if not eps > 0 or iterations < 0:
        raise ValueError(f"eps must be above 0 and iterations at least 0, not {eps} and {iterations}")
    if scores.ndim != 2 or not scores.isfinite().all():
        raise ValueError(f"scores must be a matrix of finite numbers; got shape {tuple(scores.shape)}, or NaN")
    log_q = (scores - scores.max()) / eps
    for _ in range(iterations):
        log_q = (log_q - log_q.logsumexp(0)).log_softmax(1)
    return log_q.softmax(1)
