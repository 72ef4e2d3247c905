"""The convolutional network's trainings in images per second and share of peak, and DCSS's whole protocol on MNIST.

The released loops are written again here, plain torch in their order of passes; nothing of them is imported. The hours
of the whole protocol are extrapolated from batches of 500 images.
"""

import time
import warnings
from collections.abc import Callable
from copy import deepcopy

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dcbook import losses
from dcbook.methods import DCSS, DEC, AEKMeans, DCSS_u, Pretraining, Start
from dcbook.models import MNet
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, interleave, matmul, medians
from tests.bench.dcss import BATCH, QUIET, STEP, K, M, released_epoch

TARGET = 15  # of the whole protocol, with and without pretraining
IMAGES, PRETRAINING, PHASE_1, PHASE_2 = 70_000, 200, 200, 20  # of MNIST; epochs of the three phases


def run(quick: bool) -> list[Row]:
    """Return a row for each training beside a plain loop, and two for the whole protocol, on noise in MNIST's shape."""
    torch.set_num_threads(1)
    n = BATCH if quick else 2 * BATCH
    x = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    recipe = Pretraining("convolutional")
    network = recipe.build(x.shape[1:], seed=0)
    with torch.no_grad():
        start = Start(network, network.encoder(x[:K]).clone())
    plain = deepcopy(network).to(memory_format=torch.contiguous_format)
    sides = _ours(start, x) | _released(plain, start.centers, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # noise has no clusters
        seconds = medians(interleave({**sides, "peak": matmul()}, 1 if quick else 3))
    rows = [_row(name, what, seconds, n, flop(network, x, decoder)) for name, (what, decoder) in TRAININGS.items()]
    return [*rows, _whole(seconds, n, with_pretraining=False), _whole(seconds, n, with_pretraining=True)]


TRAININGS = {
    "pretraining": ("pretraining", True),
    "phase 1": ("DCSS phase 1, one update a batch", True),
    "phase 2": ("DCSS phase 2", False),
    "DEC": ("DEC", False),
}


def _ours(start: Start, x: Tensor) -> dict[str, Callable[[], float]]:
    """Seconds of an epoch of ours, of each training."""

    def epoch(fit: Callable[[int], object]) -> Callable[[], float]:
        return lambda: extra_seconds(fit, 0, 1)

    def pretraining(epochs: int) -> AEKMeans:
        recipe = Pretraining("convolutional", epochs=epochs, batch_size=BATCH, restarts=1)
        return AEKMeans(K, start=recipe, **QUIET).fit(x)

    def phase_1(epochs: int) -> DCSS:
        schedule = {"phase1_epochs": epochs, "phase1_lr": STEP, "one_update": True, "batch_size": BATCH}
        return DCSS_u(K, start=start, **schedule, **QUIET).fit(x)

    def phase_2(epochs: int) -> DCSS:
        return DCSS(K, start=start, phase1_epochs=0, phase2_epochs=epochs, batch_size=BATCH, **QUIET).fit(x)

    def dec(epochs: int) -> DEC:
        updates = epochs * len(x) // BATCH
        return DEC(K, start=start, max_updates=updates, batch_size=BATCH, tol=0, **QUIET).fit(x)

    fits = {"pretraining": pretraining, "phase 1": phase_1, "phase 2": phase_2, "DEC": dec}
    return {f"{name}, ours": epoch(fit) for name, fit in fits.items()}


def _released(network: nn.Module, centers: Tensor, x: Tensor) -> dict[str, Callable[[], float]]:
    """Seconds of an epoch of the loops that they stand beside."""

    def timed(loop: Callable[..., None], *arguments) -> Callable[[], float]:
        def run() -> float:
            fresh = deepcopy(network)
            begin = time.process_time()
            loop(fresh, *arguments)
            return time.process_time() - begin

        return run

    loops = {
        "pretraining": (reconstruct, x),
        "phase 1": (released_epoch, centers, x),
        "phase 2": (released_pairs, centers, x),
        "DEC": (dec_loop, centers, x),
    }
    return {f"{name}, theirs": timed(loop, *arguments) for name, (loop, *arguments) in loops.items()}


def reconstruct(network: nn.Module, x: Tensor) -> None:
    """The released pretraining, DCSS.py:53-77, without its evaluation."""
    optimizer = torch.optim.Adam(network.train().parameters())
    for batch in torch.randperm(len(x)).split(BATCH):
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x[batch])[1], x[batch]).backward()
        optimizer.step()


def released_pairs(network: nn.Module, centers: Tensor, x: Tensor) -> None:
    """The work of the released second phase, DCSS.py:225-250: whole network, MNet, pairs of a batch."""
    head = MNet(centers.shape[1], K)
    optimizers = torch.optim.Adam(network.train().parameters(), lr=1e-5), torch.optim.Adam(head.parameters())
    for batch in torch.randperm(len(x)).split(BATCH):
        u, _ = network(x[batch])
        q, p = head(u).clamp(1e-6, 1), losses.memberships(u.detach(), centers, M)
        chosen, similar = p @ p.T, q @ q.T
        loss = ((chosen > 0.8) * (1 - similar)).sum() + ((chosen < 0.2) * similar).sum()
        for optimizer in optimizers:
            optimizer.zero_grad()
        (1e-3 * loss).backward()
        for optimizer in optimizers:
            optimizer.step()


def dec_loop(network: nn.Module, centers: Tensor, x: Tensor) -> None:
    """DEC in plain torch: a target from all data, then an epoch of updates."""
    network, centers = network.encoder, nn.Parameter(centers.clone())
    optimizer = torch.optim.SGD([*network.train().parameters(), centers], lr=0.01, momentum=0.9)
    with torch.no_grad():
        target = losses.target_distribution(losses.student_t(torch.cat([network(b) for b in x.split(BATCH)]), centers))
    for batch in torch.randperm(len(x)).split(BATCH):
        optimizer.zero_grad()
        losses.kl_divergence(target[batch], losses.student_t(network(x[batch]), centers)).backward()
        optimizer.step()


def flop(network: nn.Module, x: Tensor, decoder: bool) -> float:
    """Of the products of one pass forth and back, per image."""
    few = x[:50]
    with FlopCounterMode(display=False) as counter:
        out = network(few)[1] if decoder else network.encoder(few)
        out.sum().backward()
    network.zero_grad()
    return counter.get_total_flops() / len(few)


def _row(name: str, what: str, seconds: dict[str, float], n: int, flop: float) -> Row:
    ours, theirs = seconds[f"{name}, ours"], seconds[f"{name}, theirs"]
    best = PEAK_FLOP / seconds["peak"]
    note = f"ours {n / ours:,.0f} images/s, {n * flop / ours / best:.0%} of the peak of {best / 1e9:.0f} GFLOP/s"
    loop = {"DEC": "plain torch"}.get(name, "released loop")
    return Row(f"{what}, an epoch of {n:,} images, convolutional, {loop}", ours, theirs, theirs / ours, None, note)


def _whole(seconds: dict[str, float], n: int, with_pretraining: bool) -> Row:
    epochs = {"phase 1": PHASE_1, "phase 2": PHASE_2} | ({"pretraining": PRETRAINING} if with_pretraining else {})
    ours, theirs = (
        sum(count * seconds[f"{name}, {side}"] for name, count in epochs.items()) * IMAGES / n / 3600
        for side in ("ours", "theirs")
    )
    what = f"DCSS on {IMAGES:,} images, {PHASE_1} + {PHASE_2} epochs"
    what += f" after {PRETRAINING} of pretraining" if with_pretraining else " from a pretrained start"
    note = f"core-hours, extrapolated from {n:,} images; without the scoring of each epoch"
    return Row(f"{what}, released loop", ours, theirs, theirs / ours, TARGET, note)
