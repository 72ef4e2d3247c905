"""Losses of soft assignments: CC (arXiv 2009.09687), PICA (CVPR 2020), SCAN (arXiv 2005.12320).

Each row of p (B, K) is one sample's, from a softmax; each column is one cluster's over the batch. After the released
code, from descriptions; values by hand in the tests. The papers' texts were not at hand.
"""

import torch
from torch import Tensor
from torch.nn import functional

from dcbook.losses.contrastive import nt_xent

LEAST = 1e-8  # probability whose logarithm is taken


def entropy(p: Tensor) -> Tensor:
    """-sum_k p_k ln p_k of each distribution p (…, K): (…), from 0 to ln K; probabilities count from 1e-8 on."""
    return -(p * p.clamp_min(LEAST).log()).sum(-1)


def imbalance(p: Tensor) -> Tensor:
    """ln K + sum_k m_k ln m_k with m the mean of p (B, K) over the batch: 0 where all clusters have one size."""
    return torch.tensor(float(p.shape[1])).log().to(p) - entropy(p.mean(0))


def cluster_contrast(p: Tensor, q: Tensor, temperature: float = 1.0) -> Tensor:
    """CC's loss of clusters: NT-Xent of the 2K columns of p and q (B, K), the assignments of two views.

    Its least value is not 0: for K = 10 and temperature 1 it is ln(1 + 18/e) = 2.031.
    """
    return nt_xent(p.T, q.T, temperature)


def partition_confusion(p: Tensor, q: Tensor) -> Tensor:
    """PICA's loss: the mean over clusters of -A_kk + ln sum_j exp A_kj, A the cosines of columns of p and q (B, K).

    p is of the images, q of perturbed copies. Its least value is not 0, as there is no temperature: for K = 10 it is
    ln(1 + 9/e) = 1.461.
    """
    cosines = functional.normalize(p, dim=0).T @ functional.normalize(q, dim=0)
    return functional.cross_entropy(cosines, torch.arange(len(cosines), device=p.device))


def neighbor_disagreement(p: Tensor, q: Tensor) -> Tensor:
    """SCAN's consistency: the mean of -ln <p_i, q_i>, assignments (B, K) of images and of a neighbor of each.

    0 where both give all weight to one cluster. Inner products count from the least float32 on, whose logarithm is -87
    (released: -100).
    """
    return -(p * q).sum(1).clamp_min(torch.finfo(torch.float32).tiny).log().mean()


def balanced_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """SCAN's self-labeling: cross-entropy of `logits` (B, K), class k weighted by B / B_k, over the sum of weights.

    `labels` (B,) int64 are those of confident samples; each class that is present counts the same.
    """
    sizes = torch.bincount(labels, minlength=logits.shape[1])
    weights = torch.where(sizes > 0, len(labels) / sizes.clamp_min(1), 1.0)
    return functional.cross_entropy(logits, labels, weights.to(logits))
