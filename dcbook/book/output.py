"""Pictures and tables as files: whole or not at all, and the same bytes for the same content."""

import io
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from dcbook.experiments import write_csv
from dcbook.files import write_whole

COLUMNS = ("method", "dataset", "metric", "mean", "std", "n", "reported")
METADATA = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as SVG or as PNG at 150 dpi.

    Raises
    ------
    ValueError
        If the name of the file ends in neither .svg nor .png.
    """
    if path.suffix not in METADATA:
        raise ValueError(f"{path.name}: the name of a picture ends in .svg or .png")
    content = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "dcbook", "svg.fonttype": "path"}):
        figure.savefig(content, format=path.suffix[1:], dpi=150, bbox_inches="tight", metadata=METADATA[path.suffix])
    write_whole(path, content.getvalue())


def save_table(frame: pd.DataFrame, path: Path, decimals: int = 2) -> None:
    """Write a comparison as CSV; it has at least the columns of `COLUMNS`. `decimals` are those of mean and std.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    if missing := [name for name in COLUMNS if name not in frame]:
        raise ValueError(f"{path.name}: the table lacks {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    write_csv(frame, path, decimals)
