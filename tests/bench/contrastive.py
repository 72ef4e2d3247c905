"""The methods of the contrastive chapter in images per second, beside their trunk alone, and CC's loss as released.

What a method costs beyond the passes of its trunk is views, heads, losses, memories and the optimizer. The released
form of CC's loss is written again here from its description; nothing of it is imported.
"""

import time
import warnings
from collections.abc import Callable

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dcbook import losses
from dcbook.chapters.contrastive.grids import KIND_SCALES, PRETEXT
from dcbook.experiments.processes import keep_freed_memory
from dcbook.models import ResNet
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, interleave, matmul, medians

BATCH, K = 128, 10
PASSES = {  # of the trunk an epoch, for each image: forward and backward, forward alone
    PRETEXT: (2, 0),
    "CC": (2, 0),
    "PICA": (4, 0),
    "DAC": (2, 1),
    "DCCM": (2, 1),
    "IDFD": (1, 0),
    "MiCE": (2, 1),
}


def run(quick: bool) -> list[Row]:
    """Return a row for each method, and one for CC's loss, on noise in Fashion-MNIST's shape."""
    torch.set_num_threads(1)
    n, repeats = (2 * BATCH, 1) if quick else (16 * BATCH, 3)
    keep_freed_memory()  # as a sweep's workers do
    x = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    trunk = ResNet(x.shape[1:], "resnet-9", width=8, projection_dim=None).encoder
    sides = {name: _epoch(name, x) for name in PASSES}
    sides |= {"forth and back": _passes(trunk, x, True), "forth": _passes(trunk, x, False), "peak": matmul()}
    sides |= {"loss, ours": _loss(cc_loss), "loss, released": _loss(released_cc_loss)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # noise has no clusters
        seconds = medians(interleave(sides, repeats))
    both, forward = flop(trunk, x, True), flop(trunk, x, False)
    rows = []
    for name, (trained, looked) in PASSES.items():
        bare = trained * seconds["forth and back"] + looked * seconds["forth"]
        share = n * (trained * both + looked * forward) / seconds[name] / (PEAK_FLOP / seconds["peak"])
        note = f"ours {n / seconds[name]:,.0f} images/s, the trunk's products at {share:.0%} of peak"
        what = f"{name}, an epoch of {n:,} images of 28×28, ResNet-9 of width 8, its trunk alone"
        rows.append(Row(what, seconds[name], bare, bare / seconds[name], None, note))
    ours, theirs = seconds["loss, ours"], seconds["loss, released"]
    what = f"CC's loss, 100 batches of {BATCH}, K = {K}, as released"
    return [*rows, Row(what, ours, theirs, theirs / ours, 1, f"values {_difference():.0e} apart")]


def _epoch(name: str, x: Tensor) -> Callable[[], float]:
    """Seconds of an epoch with the settings of the `laptop` scale."""
    method = KIND_SCALES["laptop"][0].methods[name]

    def fit(epochs: int) -> None:
        params = {**method.params, "epochs": epochs}
        if "queue" in params:
            params["queue"] = min(params["queue"], len(x))
        method.cls(n_clusters=K, **params, random_state=0, device="cpu", progress=False).fit(x)

    return lambda: extra_seconds(fit, 1, 2)  # what is done once, such as neighbors at the end, cancels


def _passes(trunk: nn.Module, x: Tensor, backward: bool) -> Callable[[], float]:
    def run() -> float:
        begin = time.process_time()
        with torch.set_grad_enabled(backward):
            for batch in x.split(BATCH):
                h = trunk.train()(batch)
                if backward:
                    h.sum().backward()
        return time.process_time() - begin

    return run


def flop(trunk: nn.Module, x: Tensor, backward: bool) -> float:
    """Of the products of a pass, per image."""
    few = x[:50]
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
        h = trunk(few)
        if backward:
            h.sum().backward()
    return counter.get_total_flops() / len(few)


# --- CC's loss -----------------------------------------------------------------------------------------------------


def _drawn() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Embeddings of two views (B, d) and their assignments (B, K)."""
    noise = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, BATCH, 64, generator=noise)
    p, q = torch.randn(2, BATCH, K, generator=noise).softmax(2)
    return a.requires_grad_(), b, p.requires_grad_(), q


def cc_loss(a: Tensor, b: Tensor, p: Tensor, q: Tensor) -> Tensor:
    contrasts = losses.nt_xent(a, b, temperature=0.5) + losses.cluster_contrast(p, q, temperature=1.0)
    return contrasts + losses.imbalance(p) + losses.imbalance(q)


def released_cc_loss(a: Tensor, b: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """Rows and columns by one routine: similarities picked by a mask, the positive first, then cross-entropy."""
    rows = _picked(*(nn.functional.normalize(each, dim=1) for each in (a, b)), 0.5)
    columns = _picked(*(nn.functional.normalize(each.T, dim=1) for each in (p, q)), 1.0)
    shares = [each.sum(0) / each.sum() for each in (p, q)]
    balance = sum(torch.tensor(float(K)).log() + (share * share.log()).sum() for share in shares)
    return rows + columns + balance


MASKS: dict[int, Tensor] = {}


def _picked(a: Tensor, b: Tensor, temperature: float) -> Tensor:
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
    return nn.functional.cross_entropy(scores, torch.zeros(2 * n, dtype=torch.long), reduction="sum") / (2 * n)


def _loss(of: Callable[..., Tensor]) -> Callable[[], None]:
    def run() -> None:
        drawn = _drawn()
        for _ in range(100):
            of(*drawn).backward()

    return run


def _difference() -> float:
    drawn = _drawn()
    return abs(cc_loss(*drawn) - released_cc_loss(*drawn)).item()
