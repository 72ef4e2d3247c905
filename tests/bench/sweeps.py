"""A whole sweep beside ClustPy: AE + k-means, DEC and IDEC with three seeds on all cores: time, accuracy, memory."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from tests.bench._table import Row
from tests.bench._usps import usps

SAMPLED = 0.2  # seconds between two looks at the memory


def run(quick: bool) -> list[Row]:
    """Return time, accuracy and memory of the sweep, each side in processes of its own, started for it."""
    cores = os.cpu_count() or 1
    epochs, seeds = ((1, 1), 1) if quick else ((10, 10), 3)
    ours = _measured("ours", epochs, seeds, cores, threads=1)
    theirs = _measured("clustpy", epochs, seeds, cores, threads=cores)
    what = f"{3 * seeds} runs on {usps()[1]}, {epochs[0]} + {epochs[1]} epochs, {cores} cores"
    accuracies = {name: f"{a:.3f} / {theirs['acc'][name]:.3f}" for name, a in ours["acc"].items()}
    listed = ", ".join(f"{name} {both}" for name, both in accuracies.items())
    acc = [float(np.mean(list(side["acc"].values()))) for side in (ours, theirs)]
    return [
        Row(
            f"sweep: {what}, ClustPy",
            ours["seconds"],
            theirs["seconds"],
            theirs["seconds"] / ours["seconds"],
            2.0,
            f"start of Python included; ours pretrains once a seed, k-means 20 starts; theirs pretrains each method, "
            f"one after another with {cores} threads",
        ),
        Row("sweep: mean ACC, ours / theirs", *acc, acc[0] / acc[1], 1.0, listed),
        Row(
            "sweep: peak memory in MiB, theirs / ours",
            ours["mib"],
            theirs["mib"],
            theirs["mib"] / ours["mib"],
            1.0,
            f"proportional set size of all processes; ours {cores} workers and their parent, theirs one",
        ),
    ]


def _measured(side: str, epochs: tuple[int, int], seeds: int, cores: int, threads: int) -> dict:
    """Seconds, peak memory and accuracies of one side."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as folder:
        arguments = [side, folder, *map(str, (*epochs, seeds, cores))]
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "tests.bench._sides", *arguments], env=os.environ | counts)
        peak = [0.0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        status = process.wait()
        seconds = time.perf_counter() - begin
        watch.join()
        if status:
            raise RuntimeError(f"the sweep of {side} ended with exit code {status}")
        return {"seconds": seconds, "mib": peak[0], "acc": json.loads((Path(folder) / "acc.json").read_text())}


def _watch(process: subprocess.Popen, peak: list[float]) -> None:
    """Keep in `peak` the largest sum of proportional set sizes of a process and its descendants, in MiB."""
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        try:
            for member in [parent, *parent.children(recursive=True)]:
                total += getattr(member.memory_full_info(), "pss", 0)
        except psutil.Error:
            continue
        peak[0] = max(peak[0], total / 2**20)
        time.sleep(SAMPLED)
