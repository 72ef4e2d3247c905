"""The methods of the contrastive chapter in images per second, beside their trunk alone, and their losses as released.

What a method costs beyond the passes of its trunk is views, heads, losses, memories and the optimizer. Heads on frozen
codes and IMSAT's perceptron pass no trunk: their matrix products at this core's peak stand beside them. PAC has next to
none: it moves one image after another. The losses as released are in `_released_losses`, which also says what is left
out of them.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dcbook.chapters.contrastive.grids import KIND_SCALES, PRETEXT
from dcbook.experiments.processes import keep_freed_memory
from dcbook.models import ResNet
from dcbook.training.start import Start
from tests.bench._loss_pairs import BATCH, PAIRS, K
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, interleave, matmul, medians

METHODS = KIND_SCALES["laptop"][0].methods
UPDATES, REPEATS = 100, 3  # of each loss


@dataclass(frozen=True)
class Phase:
    """Epochs of a method, or of one of its phases: `counted` is the parameter that sets their number.

    `trained` and `looked` : passes of the trunk an epoch, for each image: forward and backward, and forward alone; both
        0 for heads on frozen codes and for IMSAT.
    `fixed` : parameters that leave other phases out.
    """

    method: str
    trained: int = 0
    looked: int = 0
    counted: str = "epochs"
    fixed: Mapping[str, Any] = field(default_factory=dict)


NO_STEPS = {"frozen_epochs": 0, "epochs": 0, "selflabel_epochs": 0}  # of SCAN, but for the one that is counted
OF_TRUNKS = {
    **{name: Phase(name, 2) for name in (PRETEXT, "CC")},
    "PICA": Phase("PICA", 4),
    **{name: Phase(name, 2, 1) for name in ("DAC", "DAC*", "DCCM")},
    "IDFD": Phase("IDFD", 1),
    "MiCE": Phase("MiCE", 2, 1),
    "SCAN, step 2": Phase("SCAN", 2, 1, fixed=NO_STEPS),  # image and neighbor; all images, to select a head
    "SCAN, step 3": Phase("SCAN", 1, 1, "selflabel_epochs", {**NO_STEPS, "confidence": 0.0}),  # all images are labels
}
OF_HEADS = {
    "SCAN, heads on frozen codes": Phase("SCAN", counted="frozen_epochs", fixed=NO_STEPS),
    **{f"{name}, heads on frozen codes": Phase(name) for name in ("SPICE-Self", "TEMI")},
    "IMSAT": Phase("IMSAT"),
}
SWEEP = {"PAC, a sweep over frozen codes": Phase("PAC")}
PHASES = OF_TRUNKS | OF_HEADS | SWEEP


def run(quick: bool) -> Iterator[Row]:
    """Yield a row for each method, on noise in Fashion-MNIST's shape, and one for each loss."""
    torch.set_num_threads(1)
    n, repeats, more = (2 * BATCH, 1, 5) if quick else (16 * BATCH, 3, 2)
    keep_freed_memory()  # as a sweep's workers do
    x = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # noise has no clusters
        start = _estimator(PRETEXT, epochs=1).fit(x).start_
        fits = {name: partial(_fit, phase, x, start) for name, phase in PHASES.items()}
        yield from _of_trunks(fits, x, repeats)
        yield from _of_heads(fits, n, repeats, more)
    yield from _of_losses()


def _estimator(name: str, **params: Any) -> Any:
    """A method with the settings of the `laptop` scale, and others in place of some."""
    method = METHODS[name]
    return method.cls(n_clusters=K, **{**method.params, **params}, random_state=0, device="cpu", progress=False)


def _fit(phase: Phase, x: Tensor, start: Start, epochs: int) -> None:
    method, given = METHODS[phase.method], {**phase.fixed, phase.counted: epochs}
    if "queue" in method.params:
        given["queue"] = min(method.params["queue"], len(x))
    if method.start:
        given["start"] = start
    _estimator(phase.method, **given).fit(x)


# --- methods with a trunk --------------------------------------------------------------------------------------------


def _of_trunks(fits: Mapping[str, Callable[[int], None]], x: Tensor, repeats: int) -> list[Row]:
    trunk = ResNet(x.shape[1:], "resnet-9", width=8, projection_dim=None).encoder
    sides = {name: partial(extra_seconds, fits[name], 1, 2) for name in OF_TRUNKS}  # what is done once cancels
    sides |= {"forth and back": _passes(trunk, x, True), "forth": _passes(trunk, x, False), "peak": matmul()}
    seconds = medians(interleave(sides, repeats))
    both, forward = flop(trunk, x, True), flop(trunk, x, False)
    rows, n = [], len(x)
    for name, phase in OF_TRUNKS.items():
        bare = phase.trained * seconds["forth and back"] + phase.looked * seconds["forth"]
        products = n * (phase.trained * both + phase.looked * forward)
        share = products / seconds[name] / (PEAK_FLOP / seconds["peak"])
        note = f"ours {n / seconds[name]:,.0f} images/s, the trunk's products at {share:.0%} of peak"
        what = f"{name}, an epoch of {n:,} images of 28×28, ResNet-9 of width 8, its trunk alone"
        rows.append(Row(what, seconds[name], bare, bare / seconds[name], None, note))
    return rows


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


# --- heads on frozen codes, and a perceptron -------------------------------------------------------------------------


def _of_heads(fits: Mapping[str, Callable[[int], None]], n: int, repeats: int, more: int) -> list[Row]:
    """Seconds are those of an epoch after the first, the mean of `more` of them."""
    sides = {name: partial(extra_seconds, fits[name], 1, 1 + more) for name in (OF_HEADS | SWEEP)}
    seconds = medians(interleave({**sides, "peak": matmul()}, repeats))
    rows = []
    for name in OF_HEADS | SWEEP:
        own, at_peak = seconds[name] / more, math.nan
        what, note = f"{name}, an epoch of {n:,} images", f"ours {n / own:,.0f} images/s"
        if name in OF_HEADS:
            products = _counted(fits[name], 2) - _counted(fits[name], 1)
            at_peak = products / PEAK_FLOP * seconds["peak"]
            what, note = f"{what}, its products at peak", f"{note}, products of {products / n / 1e6:.2g} MFLOP an image"
        rows.append(Row(what, own, at_peak, at_peak / own, None, note))
    return rows


def _counted(fit: Callable[[int], None], epochs: int) -> int:
    """FLOP of torch's products in a whole fit."""
    with FlopCounterMode(display=False) as counter:
        fit(epochs)
    return counter.get_total_flops()


# --- losses ----------------------------------------------------------------------------------------------------------


def _of_losses() -> list[Row]:
    """Three turns in a quick run, too: most losses take a millisecond or less, and one turn would say little."""
    sides = {}
    for name, pair in PAIRS.items():
        sides[name, "ours"] = partial(_updates, pair.ours, pair.drawn, pair.after)
        sides[name, "released"] = partial(_updates, pair.released, pair.drawn)
    seconds = medians(interleave(sides, REPEATS))
    rows = []
    for name, pair in PAIRS.items():
        ours, theirs = seconds[name, "ours"], seconds[name, "released"]
        what = f"loss of {name}, {UPDATES} batches of {pair.batch:,}, {pair.what}, as released"
        rows.append(Row(what, ours, theirs, theirs / ours, pair.target, f"values {pair.difference():.0e} apart"))
    return rows


def _updates(loss: Callable[..., Tensor], drawn: Callable, after: Callable = lambda *inputs: None) -> float:
    """Seconds of forward and backward passes on one batch."""
    inputs = drawn(torch.Generator().manual_seed(0))
    begin = time.process_time()
    for _ in range(UPDATES):
        loss(*inputs).backward()
        after(*inputs)
    return time.process_time() - begin
