"""Rows of the benchmark table, and timings that a busy machine does not tilt."""

import gc
import math
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
import torch

HEADER = "| what | ours | theirs | ratio | target | note |\n| --- | ---: | ---: | ---: | ---: | --- |"
PEAK_SIDE = 2048
PEAK_FLOP = 2 * PEAK_SIDE**3


@dataclass(frozen=True)
class Row:
    """One comparison. `ratio` is theirs / ours for times: more is better. `target`: the least ratio wanted, or None.

    `agrees`: whether both sides have the same result; where they don't, no ratio meets the target.
    """

    name: str
    ours: float  # seconds, unless `note` says otherwise
    theirs: float  # NaN, as the ratio, if there is nothing to compare with
    ratio: float
    target: float | None
    note: str = ""
    agrees: bool = True


def interleave(runs: dict[str, Callable[[], float | None]], repeats: int) -> dict[str, list[float]]:
    """Run all of `runs` in turn, `repeats` times after one turn to warm up, and return their seconds.

    These are seconds of this process on the CPU: of a single thread, what its wall time is on a machine with nothing
    else to do. A run may return seconds of its own instead (a difference of two, say). The turns go forth and back, so
    that none always comes first.
    """
    seconds = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name in list(runs)[:: 1 if turn % 2 else -1]:
            gc.collect()
            begin = time.process_time()
            own = runs[name]()
            if turn:
                seconds[name].append(time.process_time() - begin if own is None else own)
    return seconds


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return the median of each list."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def extra_seconds(fit: Callable[[int], None], fewer: int, more: int) -> float:
    """Return what `fit(more)` takes beyond `fit(fewer)`, in seconds on the CPU."""
    begin = time.process_time()
    fit(fewer)
    middle = time.process_time()
    fit(more)
    return time.process_time() - middle - (middle - begin)


def flop_per_sample(sizes: Sequence[int], decoder: bool = True) -> int:
    """Return FLOP of an update's matrix products: 6 per weight, but 4 in the first layer (no gradient of x)."""
    weights = sum(a * b for a, b in pairwise(sizes))
    return 6 * weights * (2 if decoder else 1) - 2 * sizes[0] * sizes[1]


def matmul() -> Callable[[], None]:
    """One large product in float32: what this core can do at best."""
    a, b, product = torch.randn(3, PEAK_SIDE, PEAK_SIDE)

    def multiply() -> None:
        torch.mm(a, b, out=product)

    return multiply


def machine() -> str:
    """Return the CPU, cores, memory and versions a table was measured with."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{model}, {psutil.cpu_count(logical=True)} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}, one thread"
    )


def markdown(rows: list[Row]) -> str:
    """Return `rows` of a Markdown table, to stand below `HEADER`."""
    lines = []
    for row in rows:
        met = row.target is not None and row.ratio >= row.target and row.agrees
        target = "" if row.target is None else f"≥ {row.target:g} {'met' if met else 'MISSED'}"
        compared = ("", "") if math.isnan(row.theirs) else (f"{row.theirs:.4g}", f"{row.ratio:.2f}")
        cells = row.name, f"{row.ours:.4g}", *compared, target, row.note
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
