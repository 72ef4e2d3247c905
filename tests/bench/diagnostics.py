"""What it costs to follow a training: IDEC and DEC on USPS with the diagnostics of the record, and without."""

from functools import partial

import torch

from dcbook.data import Dataset
from dcbook.experiments.diagnostics import Diagnostics
from dcbook.methods import DEC, IDEC, AEKMeans, Pretraining, Start
from tests.bench._table import Row, interleave, medians
from tests.bench._usps import usps

BATCH = 256


def run(quick: bool) -> list[Row]:
    """Return a row for each method; `ours` is with and `theirs` without diagnostics."""
    torch.set_num_threads(1)
    data, name = usps()
    data, name = (
        (Dataset(data.name, data.images[:1024], data.labels[:1024]), f"a ninth of {name}") if quick else (data, name)
    )
    start = AEKMeans(10, start=Pretraining(epochs=1 if quick else 5, restarts=1), random_state=0, device="cpu")
    start = start.fit(data.images).start_
    epochs = 5 if quick else 10
    rows = []
    for method in (IDEC, DEC):
        watch = Diagnostics()
        fit = partial(_fit, method, data, start, epochs)
        seconds = medians(interleave({"ours": partial(fit, watch), "theirs": partial(fit, None)}, 1 if quick else 3))
        ratio = seconds["theirs"] / seconds["ours"]
        rows.append(
            Row(
                f"{method.__name__}, {epochs} epochs, {name}, followed by diagnostics every 10, without",
                seconds["ours"],
                seconds["theirs"],
                ratio,
                0.91,
                f"{1 / ratio - 1:.1%} more",
            )
        )
    return rows


def _fit(method: type, data: Dataset, start: Start, epochs: int, watch: Diagnostics | None) -> None:
    updates = epochs * -(-len(data) // BATCH)
    schedule = {"max_updates": updates, "tol": 0, "batch_size": BATCH}
    model = method(10, start=start, random_state=0, device="cpu", progress=False, **schedule)
    model.fit(data.images, monitor=watch and (lambda model: watch.epoch(model, data)))
