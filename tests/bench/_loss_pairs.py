"""Losses of the contrastive chapter as its methods combine them, beside their released forms, on the same inputs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dcbook import losses
from dcbook.methods.dac import anchor_loss
from dcbook.models.experts import simplex
from tests.bench import _released_losses as released

BATCH, K = 128, 10
DIM, MEMORY, QUEUE = 64, 10_000, 2048  # of embeddings; images that IDFD remembers; keys of MiCE
SELF_LABELED = 1000  # images in a batch of SCAN's step 3
UPPER, LOWER, THRESHOLD = 0.99, 0.8, 0.9  # of cosines, in DAC

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Pair:
    """A loss of ours and its released form: functions of the tensors that `drawn` makes from a generator.

    `after` is called on them after our backward pass, for what the released one does in its own. `target` : see `Row`.
    """

    ours: Callable[..., Tensor]
    released: Callable[..., Tensor]
    drawn: Callable[[torch.Generator], Inputs]
    what: str
    batch: int = BATCH
    after: Callable[..., None] = lambda *inputs: None
    target: float | None = None

    def difference(self) -> float:
        """Of their values, on inputs drawn anew for each."""
        a, b = (loss(*self.drawn(torch.Generator().manual_seed(0))) for loss in (self.ours, self.released))
        return abs(a - b).item()


# --- ours ------------------------------------------------------------------------------------------------------------


def cc(a: Tensor, b: Tensor, p: Tensor, q: Tensor) -> Tensor:
    contrasts = losses.nt_xent(a, b, temperature=0.5) + losses.cluster_contrast(p, q, temperature=1.0)
    return contrasts + losses.imbalance(p) + losses.imbalance(q)


def dac(p: Tensor, before: Tensor) -> Tensor:
    """With `pair_scale="batch"`."""
    of_pairs = losses.cross_entropy_of_pairs(_cosines(p), *losses.pair_targets(_cosines(before), UPPER, LOWER))
    return of_pairs / len(p) + anchor_loss(p, before)


def dac_star(p: Tensor, before: Tensor) -> Tensor:
    """With `anchor=10, anchor_scaled="target"`."""
    of_pairs = losses.cross_entropy_of_pairs(_cosines(p), *losses.pair_targets(_cosines(before), THRESHOLD, None))
    return of_pairs + 10 * anchor_loss(p, before, "target")


def dac_star_squared(p: Tensor, before: Tensor) -> Tensor:
    """With `anchor=0, pair_loss="squared"`."""
    return losses.squared_error_of_pairs(_cosines(p), *losses.pair_targets(_cosines(before), THRESHOLD, None))


def _cosines(p: Tensor) -> Tensor:
    features = losses.label_features(p)
    return features @ features.T


def dccm(p: Tensor, before: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    largest, labels = before.max(1)
    of_labels = losses.pseudo_label_loss(p, labels, largest >= 0.9)
    of_graph = losses.graph_loss(p, _cosines(before) >= 0.95)
    return 5 * of_labels + of_graph + 0.05 * losses.local_information(positive, negative)


def pica(p: Tensor, q: Tensor) -> Tensor:
    return losses.partition_confusion(p.repeat(len(q) // len(p), 1), q) + 2 * losses.imbalance(p)


def idfd(v: Tensor, memory: Tensor, rows: Tensor) -> Tensor:
    return losses.instance_discrimination(v, memory, rows) + losses.decorrelation(v)


def remember(v: Tensor, memory: Tensor, rows: Tensor) -> None:
    memory[rows] = losses.remembered(memory[rows], v.detach())


def mice(f: Tensor, v: Tensor, g: Tensor, mu: Tensor, omega: Tensor, queue: Tensor) -> Tensor:
    log_likelihood = losses.expert_log_likelihoods(f, v, functional.normalize(mu, dim=1), queue)
    return losses.mixture_loss((g @ omega.T).log_softmax(1), log_likelihood)


def scan_pretext(a: Tensor, b: Tensor) -> Tensor:
    return losses.nt_xent(a, b, temperature=0.1, anchors="first")


def scan_neighbors(p: Tensor, q: Tensor) -> Tensor:
    return losses.neighbor_disagreement(p, q) - 5 * losses.entropy(p.mean(0))


def scan_self_labels(weak: Tensor, strong: Tensor) -> Tensor:
    sure, labels = weak.softmax(1).max(1)
    chosen = sure > 0.99
    return losses.balanced_cross_entropy(strong[chosen], labels[chosen])


# --- inputs ----------------------------------------------------------------------------------------------------------


def _learned(t: Tensor) -> Tensor:
    return t.detach().requires_grad_()


def _unit(*shape: int, noise: torch.Generator) -> Tensor:
    return functional.normalize(torch.randn(shape, generator=noise), dim=-1)


def _assignments(noise: torch.Generator, sharpness: float = 1.0, n: int = BATCH) -> Tensor:
    return (sharpness * torch.randn(n, K, generator=noise)).softmax(1)


def _two_views(noise: torch.Generator) -> Inputs:
    a, b = torch.randn(2, BATCH, DIM, generator=noise)
    return _learned(a), _learned(b)


def _of_cc(noise: torch.Generator) -> Inputs:
    return *_two_views(noise), *_two_assignments(noise)


def _two_assignments(noise: torch.Generator) -> Inputs:
    return tuple(_learned(_assignments(noise)) for _ in range(2))


def _of_dac(noise: torch.Generator) -> Inputs:
    """Sharp enough for pairs of all kinds: same, different, and undecided."""
    return _learned(_assignments(noise, 2.0)), _assignments(noise, 4.0)


def _of_dccm(noise: torch.Generator) -> Inputs:
    judged = torch.randn(2, 2 * BATCH, 1, 14, 14, generator=noise)
    return *_of_dac(noise), *map(_learned, judged)


def _of_pica(noise: torch.Generator) -> Inputs:
    return _learned(_assignments(noise)), _learned(_assignments(noise, n=3 * BATCH))


def _of_idfd(noise: torch.Generator) -> Inputs:
    memory = (2 * torch.rand(MEMORY, DIM, generator=noise) - 1) * (3 / DIM) ** 0.5
    rows = torch.randperm(MEMORY, generator=noise)[:BATCH]
    return _learned(_unit(BATCH, DIM, noise=noise)), memory, rows


def _of_mice(noise: torch.Generator) -> Inputs:
    f, v = _unit(2, BATCH, K, DIM, noise=noise)
    g, mu, queue = (_unit(*shape, noise=noise) for shape in ((BATCH, DIM), (K, DIM), (QUEUE, K, DIM)))
    return _learned(f), v, _learned(g), _learned(mu), simplex(K, DIM), queue


def _of_self_labels(noise: torch.Generator) -> Inputs:
    """About a third of the images is confident."""
    weak, strong = 8 * torch.randn(2, SELF_LABELED, K, generator=noise)
    return weak, _learned(strong)


def _of_spice(noise: torch.Generator) -> Inputs:
    return _learned(_assignments(noise)), torch.randint(K, (BATCH,), generator=noise)


# --- pairs -----------------------------------------------------------------------------------------------------------


def _at(loss: Callable[..., Tensor], *thresholds: float) -> Callable[..., Tensor]:
    return lambda p, before: loss(p, before, *thresholds)


PAIRS = {
    "CC": Pair(cc, released.cc, _of_cc, f"K = {K}", target=1),
    "DAC": Pair(dac, _at(released.dac, UPPER, LOWER), _of_dac, "two thresholds, the mean over pairs divided by B"),
    "DAC*": Pair(dac_star, _at(released.dac_star, THRESHOLD), _of_dac, "one threshold, cross-entropy"),
    "DAC* on MNIST": Pair(
        dac_star_squared, _at(released.dac_star_squared, THRESHOLD), _of_dac, "one threshold, squared error"
    ),
    "DCCM": Pair(dccm, released.dccm, _of_dccm, "discriminator and choice of pairs left out"),
    "PICA": Pair(pica, released.pica, _of_pica, "three copies"),
    "IDFD": Pair(idfd, released.idfd, _of_idfd, f"with its memory of {MEMORY:,} × {DIM}", after=remember),
    "MiCE": Pair(mice, released.mice, _of_mice, f"queue of {QUEUE:,} × {K} × {DIM}"),
    "SCAN, step 1": Pair(scan_pretext, released.scan_pretext, _two_views, "only first views are anchors"),
    "SCAN, step 2": Pair(scan_neighbors, released.scan_neighbors, _two_assignments, "one head"),
    "SCAN, step 3": Pair(
        scan_self_labels, released.scan_self_labels, _of_self_labels, "a third confident", batch=SELF_LABELED
    ),
    "SPICE-Self": Pair(losses.origin_loss, released.spice, _of_spice, "one head, softmax twice"),
}
