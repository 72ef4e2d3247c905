"""Records as tables: one row per run and score, or one row per epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dcbook.experiments.records import Record, place, value_of

if TYPE_CHECKING:  # imported only where tables are made, to keep the workers of a sweep small
    import pandas as pd


def to_frame(records: Iterable[Record], params: Iterable[str] = ()) -> pd.DataFrame:
    """One row per run and metric: method, dataset (see `place`), scale, seed, chosen `params`, metric, value, seconds.

    `params` names parameters of the method or options of the sampling; the value is None if a run has neither.
    """
    params = tuple(params)
    rows = [
        {
            "method": record.run["method"],
            "dataset": place(record.run),
            **{name: record.run[name] for name in ("scale", "seed")},
            **{name: value_of(record, name) for name in params},
            "metric": metric,
            "value": value,
            "seconds": record.provenance.get("seconds"),
        }
        for record in records
        for metric, value in record.scores.items()
    ]
    import pandas as pd

    return pd.DataFrame(rows, columns=["method", "dataset", "scale", "seed", *params, "metric", "value", "seconds"])


def curves(records: Iterable[Record], value: str, params: Iterable[str] = ()) -> pd.DataFrame:
    """A quantity of the histories by epoch: method, dataset, seed, phase, epoch, progress (0 to 1), `value`.

    `params` adds columns as in `to_frame`. Epochs of pretraining and epochs without the quantity are left out.
    """
    params, rows = tuple(params), []
    for record in records:
        epochs = [entry for entry in record.history if entry["phase"] != "pretraining"]
        rows += [
            {
                **{"method": record.run["method"], "dataset": place(record.run), "seed": record.run["seed"]},
                **{name: value_of(record, name) for name in params},
                **{name: entry[name] for name in ("phase", "epoch", value)},
                "progress": number / len(epochs),
            }
            for number, entry in enumerate(epochs, 1)
            if entry.get(value) is not None
        ]
    import pandas as pd

    return pd.DataFrame(rows, columns=["method", "dataset", "seed", *params, "phase", "epoch", "progress", value])
