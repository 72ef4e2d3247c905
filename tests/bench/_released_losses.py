"""The losses of the contrastive chapter as released, each written again from its description.

Nothing here is imported or copied from released code: what the description says of its computation is followed (which
tensors are formed, what is repeated, clipped and averaged), and where it says nothing, the equation is. Three of DAC's
files are here, with the numbers of each, in torch in place of Keras. Left out, since the description tells the result
but not how it is computed: DCCM's choice of linked and unlinked images, and the images that SPICE's prototypes label.
IMSAT, TEMI and PAC are described by equations alone.

B images, K clusters, d features, N images in all; p and q (B, K) are assignments from a softmax. The values are those
of one batch, with the released weights.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

# --- CC --------------------------------------------------------------------------------------------------------------

MASKS: dict[int, Tensor] = {}


def cc(a: Tensor, b: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """Embeddings a, b (B, d) and assignments of two views: rows and columns are contrasted by one routine."""
    rows = _picked(*(functional.normalize(each, dim=1) for each in (a, b)), 0.5)
    columns = _picked(*(functional.normalize(each.T, dim=1) for each in (p, q)), 1.0)
    return rows + columns + _imbalance(p.sum(0) / p.sum()) + _imbalance(q.sum(0) / q.sum())


def _picked(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """NT-Xent of unit rows a, b (n, d): similarities picked by a mask, the positive first, then cross-entropy."""
    n = len(a)
    if 2 * n not in MASKS:  # built once, entry by entry
        mask = torch.ones(2 * n, 2 * n).fill_diagonal_(0)
        for i in range(n):
            mask[i, n + i] = mask[n + i, i] = 0
        MASKS[2 * n] = mask.bool()
    both = torch.cat([a, b])
    similar = both @ both.T / temperature
    positive = torch.cat([similar.diagonal(n), similar.diagonal(-n)])[:, None]
    scores = torch.cat([positive, similar[MASKS[2 * n]].reshape(2 * n, -1)], 1)
    return functional.cross_entropy(scores, torch.zeros(2 * n, dtype=torch.long), reduction="sum") / (2 * n)


def _imbalance(m: Tensor) -> Tensor:
    """ln K + sum m ln m of the shares of clusters m (K,): NaN where one of them is 0."""
    return math.log(len(m)) + (m * m.log()).sum()


# --- DAC -------------------------------------------------------------------------------------------------------------


def dac(p: Tensor, before: Tensor, upper: float, lower: float) -> Tensor:
    """cifar10_2.py: two thresholds; `before` (B, K) are the assignments of the block, without gradient.

    The sum over a row is divided by the number of pairs kept in the batch, and Keras averages the rows: the mean over
    pairs is divided once more by B.
    """
    s_before = _cosines(before)
    same = (s_before > upper).float()
    kept = same + (s_before < lower).float()
    of_rows = (kept * _keras_cross_entropy(_cosines(p), same)).sum(1) / kept.sum()
    return of_rows.mean() + _keras_cross_entropy(p, before).mean()


def dac_star(p: Tensor, before: Tensor, threshold: float) -> Tensor:
    """cifar10_1.py: one threshold, all pairs; ten times a second loss, of p to the label features of `before`."""
    target = before / before.square().sum(1, keepdim=True).sqrt()
    pairs = _keras_cross_entropy(_cosines(p), (_cosines(before) > threshold).float())
    return pairs.mean(1).mean() + 10 * _keras_cross_entropy(p, target).mean(1).mean()


def dac_star_squared(p: Tensor, before: Tensor, threshold: float) -> Tensor:
    """mnist.py: one threshold, all pairs, squared error, no second loss."""
    same = (_cosines(before) > threshold).float()
    return (_cosines(p) - same).square().mean(1).mean()


def _cosines(p: Tensor) -> Tensor:
    """(B, B), of rows of p (B, K)."""
    features = p / p.square().sum(1, keepdim=True).sqrt()
    return features @ features.T


def _keras_cross_entropy(p: Tensor, target: Tensor) -> Tensor:
    """Entry by entry, with p clipped to [1e-7, 1 - 1e-7]; both of any one shape."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(target * p.log() + (1 - target) * (1 - p).log())


# --- DCCM ------------------------------------------------------------------------------------------------------------


def dccm(p: Tensor, before: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """5 L_label + L_graph + 0.05 L_local; `before` as in `dac`, both others (2B, 1, H, W) from the discriminator."""
    graph = (_cosines(before) >= 0.95).float()
    s = _cosines(p)
    of_graph = _cross_entropy(s / s.max(), graph).mean()
    largest, labels = before.max(1)
    target = torch.zeros_like(p).scatter_(1, labels[:, None], 1.0)
    of_labels = ((largest >= 0.9).float() * _cross_entropy(p, target).mean(1)).sum() / len(p)
    local = functional.softplus(-positive).mean() + functional.softplus(negative).mean()
    return 5 * of_labels + of_graph + 0.05 * local


def _cross_entropy(p: Tensor, target: Tensor) -> Tensor:
    """Entry by entry, 1e-12 is added in the logarithms; both of any one shape."""
    return -(target * (p + 1e-12).log() + (1 - target) * (1 - p + 1e-12).log())


# --- PICA ------------------------------------------------------------------------------------------------------------


def pica(p: Tensor, q: Tensor) -> Tensor:
    """p (B, K) of the images, repeated as often as q (C B, K) has copies of the batch; no temperature."""
    repeated = p.repeat(len(q) // len(p), 1)
    cosines = functional.normalize(repeated, dim=0).T @ functional.normalize(q, dim=0)
    confusion = (cosines.exp().sum(1).log() - cosines.diagonal()).mean()
    return confusion + 2 * _imbalance(p.mean(0))


# --- IDFD ------------------------------------------------------------------------------------------------------------


class Recalled(torch.autograd.Function):
    """Products (B, N) of unit features v (B, d) with a memory (N, d), whose `rows` (B,) change in the backward pass."""

    @staticmethod
    def forward(ctx, v: Tensor, memory: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(v, memory, rows)
        return v @ memory.T

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        v, memory, rows = ctx.saved_tensors
        of_v = gradient @ memory
        memory[rows] = functional.normalize(0.5 * memory[rows] + 0.5 * v, dim=1)
        return of_v, None, None


def idfd(v: Tensor, memory: Tensor, rows: Tensor) -> Tensor:
    """L_id + L_fd with temperatures 1 and 2; shapes as in `Recalled`."""
    discrimination = functional.cross_entropy(Recalled.apply(v, memory, rows) / 1.0, rows)
    columns = functional.normalize(v, dim=0)
    cosines = columns.T @ columns / 2.0
    return discrimination + (cosines.exp().sum(1).log() - cosines.diagonal()).mean()


# --- MiCE ------------------------------------------------------------------------------------------------------------


def mice(f: Tensor, v: Tensor, g: Tensor, mu: Tensor, omega: Tensor, queue: Tensor) -> Tensor:
    """The bound with the exact posterior: f, v (B, K, d), g (B, d), mu, omega (K, d), queue (L, K, d); kappa = tau = 1.

    The products of views and of prototypes with the keys are taken one by one and added.
    """
    mu = functional.normalize(mu, dim=1)
    log_pi = (g @ omega.T).log_softmax(1)
    right = (f * v).sum(2) + (v * mu).sum(2)
    others = torch.einsum("bkd,ukd->bku", f, queue) + torch.einsum("ukd,kd->ku", queue, mu)
    log_phi = torch.cat([right[:, :, None], others], 2).log_softmax(2)[:, :, 0]
    joint = log_pi.exp() * log_phi.exp()
    posterior = joint / joint.sum(1, keepdim=True)
    return -(posterior * (log_pi + log_phi - posterior.log())).sum(1).mean()


# --- SCAN ------------------------------------------------------------------------------------------------------------


def scan_pretext(a: Tensor, b: Tensor) -> Tensor:
    """Step 1, temperature 0.1: only the first views a (B, d) are anchors, B terms, of products (B, 2B)."""
    a, b = functional.normalize(a, dim=1), functional.normalize(b, dim=1)
    similar = a @ torch.cat([a, b]).T / 0.1
    others = torch.ones_like(similar)
    others[:, : len(a)].fill_diagonal_(0)
    return ((similar.exp() * others).sum(1).log() - similar.diagonal(len(a))).mean()


def scan_neighbors(p: Tensor, q: Tensor) -> Tensor:
    """Step 2, assignments of images and of a neighbor of each: torch's cross-entropy to 1 limits logarithms to -100."""
    inner = (p * q).sum(1)
    mean = p.mean(0).clamp_min(1e-8)
    return functional.binary_cross_entropy(inner, torch.ones_like(inner)) + 5 * (mean * mean.log()).sum()


def scan_self_labels(weak: Tensor, strong: Tensor) -> Tensor:
    """Step 3, logits (B, K) of weak views, without gradient, and of strong ones: weight n / n_k for confident images.

    Raises ValueError without a confident image.
    """
    largest, labels = weak.softmax(1).max(1)
    chosen = largest > 0.99
    if not chosen.any():
        raise ValueError("no image is confident")
    labels = labels[chosen]
    classes, sizes = labels.unique(return_counts=True)
    weights = torch.ones(weak.shape[1])
    weights[classes] = len(labels) / sizes.float()
    log_p = strong[chosen].log_softmax(1).gather(1, labels[:, None])[:, 0]
    return -(weights[labels] * log_p).sum() / weights[labels].sum()


# --- SPICE -----------------------------------------------------------------------------------------------------------


def spice(p: Tensor, labels: Tensor) -> Tensor:
    """One head: assignments p enter a cross-entropy that applies softmax again; `labels` (B,) int64."""
    return functional.cross_entropy(p, labels)
