"""What it costs to follow a training: IDEC and DEC on USPS with the diagnostics of the record, and without."""

import statistics
import time

import torch

from dcbook.chapters.rdc.watches import Diagnostics
from dcbook.data import Dataset
from dcbook.evaluation.diagnose import looks_every
from dcbook.methods import DEC, IDEC, AEKMeans, Pretraining, Start
from tests.bench._table import Row
from tests.bench._usps import usps

BATCH = 256


def run(quick: bool) -> list[Row]:
    """Return a row for each method: `ours` is a training with diagnostics, `theirs` the same without its looks."""
    torch.set_num_threads(1)
    data, name = usps()
    data, name = (
        (Dataset(data.name, data.images[:1024], data.labels[:1024]), f"a ninth of {name}") if quick else (data, name)
    )
    start = AEKMeans(10, start=Pretraining(epochs=1 if quick else 5, restarts=1), random_state=0, device="cpu")
    start = start.fit(data.images).start_
    epochs = 2 * looks_every(len(data), 1024)
    rows = []
    for method in (IDEC, DEC):
        fits = [_fit(method, data, start, epochs) for _ in range(1 if quick else 3)]
        ours, theirs = (statistics.median(seconds) for seconds in zip(*fits, strict=True))
        rows.append(
            Row(
                f"{method.__name__}, {epochs} epochs, {name}, with diagnostics, without",
                ours,
                theirs,
                theirs / ours,
                0.91,
                f"{ours / theirs - 1:.1%} more",
            )
        )
    return rows


def _fit(method: type, data: Dataset, start: Start, epochs: int) -> tuple[float, float]:
    """Seconds on the CPU, with the diagnostics' looks and less them: two trainings differ by more than they cost."""
    watch, looks = Diagnostics(), 0.0

    def look(model: DEC) -> dict[str, float]:
        nonlocal looks
        begin = time.process_time()
        found = watch.epoch(model, data)
        looks += time.process_time() - begin
        return found

    schedule = {"max_updates": epochs * -(-len(data) // BATCH), "tol": 0, "batch_size": BATCH}
    model = method(10, start=start, random_state=0, device="cpu", progress=False, **schedule)
    begin = time.process_time()
    model.fit(data.images, monitor=look)
    seconds = time.process_time() - begin
    return seconds, seconds - looks
