"""SimCLR, MoCo and SwAV: arXiv 2002.05709, 1911.05722 and 2006.09882.

Written from memory and from the released code; not checked against the papers' texts.
"""

import torch
from torch import Tensor

ANCHORS = ("both", "first")


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.5, *, anchors: str = "both") -> Tensor:
    """SimCLR Eq. (1), NT-Xent: the mean over 2B views of -log exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau).

    `a` and `b` (B, d) are two views of the same B samples, s_ij is the cosine of views i and j, and j is the other
    view of i's sample. The other 2B - 2 views are the negatives. `anchors` "first" takes the mean over the B views in
    `a` only, with the same negatives: SCAN's released SimCLR (wvangansbeke/Unsupervised-Classification,
    losses.py:124-164, from a description). Raises ValueError for other `anchors`.
    """
    if anchors not in ANCHORS:
        raise ValueError(f"anchors must be one of {', '.join(ANCHORS)}, not {anchors!r}")
    z = torch.nn.functional.normalize(torch.cat([a, b]), dim=1)
    n = len(z) if anchors == "both" else len(a)
    itself = torch.eye(n, len(z), dtype=torch.bool, device=z.device)
    logits = (z[:n] @ z.T / temperature).masked_fill(itself, -torch.inf)
    partners = torch.arange(len(z), device=z.device).roll(len(a))[:n]
    return torch.nn.functional.cross_entropy(logits, partners)


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float = 0.07) -> Tensor:
    """MoCo Eq. (1), InfoNCE: the mean over the batch of -log exp(q_i·k_i / tau) / sum_j exp(q_i·k_j / tau).

    The sum runs over the query's own key, row i of `keys` (B, d), and the rows of `queue` (K, d), its negatives; the
    other keys of the batch are not used. Inner products are cosines. No gradient flows into keys and queue.
    """
    q, k, negatives = (torch.nn.functional.normalize(t, dim=1) for t in (queries, keys.detach(), queue.detach()))
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ negatives.T], dim=1) / temperature
    return torch.nn.functional.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64, device=q.device))


def swapped_prediction(
    scores_a: Tensor, scores_b: Tensor, codes_a: Tensor, codes_b: Tensor, temperature: float = 0.1
) -> Tensor:
    """SwAV Eqs. (1) and (2): the cross-entropy of each view's prediction with the *other* view's code.

    `scores_a` and `scores_b` (B, K) are the cosines of two views of the same B samples with K prototypes; the softmax
    of scores / tau predicts a code. `codes_a` and `codes_b` (B, K), whose rows sum to 1, get no gradient. As released,
    it is the mean over the 2B views, half of Eq. (1); uniform predictions give log K.
    """
    ahead = torch.nn.functional.cross_entropy(scores_a / temperature, codes_b.detach())
    back = torch.nn.functional.cross_entropy(scores_b / temperature, codes_a.detach())
    return (ahead + back) / 2
