"""Same cluster or not, pair by pair: DAC (Chang et al., ICCV 2017) and DCCM (Wu et al., ICCV 2019).

p (B, K) are assignments from a softmax; s (B, B) cosines of their rows, from 0 to 1. After the released code, from
descriptions; values by hand in the tests. The papers' texts were not at hand.
"""

import torch
from torch import Tensor
from torch.nn import functional

LEAST = 1e-7  # as in Keras: cosines and probabilities count from here on


def label_features(p: Tensor) -> Tensor:
    """DAC: assignments p (B, K) scaled to length 1, so that inner products of rows are cosines."""
    return functional.normalize(p, dim=1)


def pair_targets(s: Tensor, upper: float, lower: float | None) -> tuple[Tensor, Tensor]:
    """DAC: which pairs are "same" (s above `upper`), and which are decided: (B, B) bool each.

    Pairs below `lower` are "different", those between are left out. `lower` None decides all pairs at `upper` (DAC*).
    """
    same = s > upper
    return same, torch.ones_like(same) if lower is None else same | (s < lower)


def cross_entropies(p: Tensor, target: Tensor, least: float = LEAST) -> Tensor:
    """-t ln p - (1 - t) ln(1 - p) for each entry; p and 1 - p count from `least` on. `target` gets no gradient."""
    t = target.detach().to(p)
    return -(t * p.clamp_min(least).log() + (1 - t) * (1 - p).clamp_min(least).log())


def cross_entropy_of_pairs(s: Tensor, same: Tensor, decided: Tensor) -> Tensor:
    """DAC: the mean cross-entropy of cosines s (B, B) to `same` over the pairs that are `decided`.

    Each image with itself is among them, with a loss of 0.
    """
    kept = decided.to(s)
    return (kept * cross_entropies(s, same)).sum() / kept.sum().clamp_min(1)


def squared_error_of_pairs(s: Tensor, same: Tensor, decided: Tensor) -> Tensor:
    """DAC* on MNIST, as released: the mean of (s - same)^2 over the pairs that are `decided`."""
    kept = decided.to(s)
    return (kept * (s - same.to(s)).square()).sum() / kept.sum().clamp_min(1)


def graph_loss(p: Tensor, linked: Tensor) -> Tensor:
    """DCCM: the mean over all pairs of the cross-entropy of s / max s to the graph `linked` (B, B) bool.

    s are the cosines of rows of p (B, K). The gradient passes through the maximum, too, as released.
    """
    s = label_features(p) @ label_features(p).T
    return cross_entropies(s / s.max(), linked, least=1e-12).mean()


def pseudo_label_loss(p: Tensor, labels: Tensor, sure: Tensor) -> Tensor:
    """DCCM: (1/B) sum_i w_i (1/K) sum_k of the cross-entropy of p_ik to [k = y_i].

    `labels` y (B,) int64, `sure` w (B,) bool. The mean is over all B, sure or not.
    """
    target = functional.one_hot(labels, p.shape[1])
    return (sure.to(p) * cross_entropies(p, target, least=1e-12).mean(1)).mean()


def local_information(positive: Tensor, negative: Tensor) -> Tensor:
    """DCCM: mean softplus(-D) of positive pairs + mean softplus(D) of negative ones, D any shape, from a discriminator.

    2 ln 2 where it cannot tell them apart.
    """
    return functional.softplus(-positive).mean() + functional.softplus(negative).mean()
