"""Several MNets on each start as tables: one row per run, and what choosing one of them without labels gives."""

from collections.abc import Iterable

import pandas as pd

from dcbook.experiments.records import Record, place

CRITERIA = {"pairs of p": "by_p", "MNet's own pairs": "by_q"}  # each is a loss; the smallest is chosen


def each(records: Iterable[Record]) -> pd.DataFrame:
    """One row per run: method, dataset, seed (of the start), mnet (seed of MNet), and numbers in per cent.

    `acc` and `f1_macro` need labels; `used` (a number of outputs), `by_p`, `by_q` and `ari` do not (see `Outputs`).
    """
    rows = []
    for record in records:
        run, found = record.run, record.portrait
        mnet = run["params"]["random_state"]
        row = {"method": run["method"], "dataset": place(run), "seed": run["seed"], "mnet": mnet}
        row |= {name: 100 * record.scores[name] for name in ("acc", "f1_macro")}
        rows.append(row | {"used": found["used"]} | {name: 100 * found[name] for name in ("by_p", "by_q", "ari")})
    return pd.DataFrame(rows)


def chosen(frame: pd.DataFrame, criterion: str) -> pd.DataFrame:
    """Of the MNets on each start, for each method, the row of the smallest `criterion`."""
    return frame.loc[frame.groupby(["method", "dataset", "seed"], sort=False)[criterion].idxmin()]


def rows(frame: pd.DataFrame) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`: all MNets, and those that a criterion chooses."""
    named = {"used": "outputs in use", "f1_macro": "macro F1", "acc": "accuracy"}
    parts = {"all": frame} | {name: chosen(frame, loss) for name, loss in CRITERIA.items()}
    return [
        (row.method, row.dataset, f"{name}, {part}", getattr(row, column))
        for part, found in parts.items()
        for row in found.itertuples()
        for column, name in named.items()
    ]
