"""Tables as a page shows them: columns that say something, the best value bold, at most some rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import Markdown

from dcbook.experiments import with_spread
from dcbook.plots.names import called, named

ROWS = 12  # that a page shows
BOTH_WAYS = ("acc", "nmi")


def comparison(
    frame: pd.DataFrame, metrics: Sequence[str] = BOTH_WAYS, about: Mapping[str, Mapping[str, str]] | None = None
) -> Markdown:
    """`dcbook.experiments.compare`'s frame as the papers print theirs: a row a method, a column a data set and score.

    A cell is the mean ± standard deviation over the seeds in per cent, with the paper's value in parentheses where it
    prints a comparable one; the best of each column is bold. `about` has further columns: heading to method to text.
    """
    frame = frame[frame["metric"].isin(metrics)]
    best = frame.groupby(["dataset", "metric"])["mean"].max()
    cells: dict[str, dict[str, str]] = {}
    for row in frame.itertuples():
        value = with_spread(row.mean, row.std)
        value = f"**{value}**" if row.mean == best[row.dataset, row.metric] else value
        value += "" if math.isnan(row.difference) else f" ({row.reported:.1f})"
        cells.setdefault(row.method, {})[f"{called(row.dataset)} {named(row.metric)}"] = value
    columns = [f"{called(dataset)} {named(metric)}" for dataset in frame["dataset"].unique() for metric in metrics]
    rows = pd.DataFrame([{"%": method, **values} for method, values in cells.items()])
    rows = rows[["%", *(name for name in columns if name in rows)]]
    for heading, texts in (about or {}).items():
        rows[heading] = rows["%"].map(texts)
    return table(rows.fillna(""), rows=None)


def table(frame: pd.DataFrame, rows: int | None = ROWS) -> Markdown:
    """A frame as a table without its index: empty columns left out, floats to one decimal.

    rows : most rows that are shown; a last line says how many are left out. None for all.
    """
    frame = frame.loc[:, [not frame[name].isin(["", None]).all() and frame[name].notna().any() for name in frame]]
    shown = frame if rows is None else frame.head(rows)
    lines = [list(map(str, shown.columns)), ["---"] * shown.shape[1]]
    lines += [[_cell(value) for value in row] for row in shown.itertuples(index=False)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    left = len(frame) - len(shown)
    return Markdown(text + (f"\n\n{left} more rows are in the CSV file." if left else ""))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.1f}"
    return str(value).replace("|", "\\|")
