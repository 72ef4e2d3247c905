"""Pictures and tables as files: whole or not at all, and the same bytes for the same content."""

import io
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from dcbook.experiments import write_csv
from dcbook.files import write_whole

COLUMNS = ("method", "dataset", "metric", "mean", "std", "n", "reported")
METADATA = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as SVG, or as PNG at 150 dpi with 256 colors.

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
    drawn = content.getvalue()
    write_whole(path, compact(drawn) if path.suffix == ".png" else drawn)


def compact(png: bytes) -> bytes:
    """The picture with the 256 colors that suit it best: a third of the size, with no difference that the eye sees.

    What is transparent, or would not become smaller, stays as it is.
    """
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    if image.getextrema()[3][0] < 255:
        return png
    smaller = io.BytesIO()
    image.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        smaller, "PNG", optimize=True
    )
    return min(png, smaller.getvalue(), key=len)


def save_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a comparison as CSV; it has at least the columns of `COLUMNS`.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    if missing := [name for name in COLUMNS if name not in frame]:
        raise ValueError(f"{path.name}: the table lacks {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    write_csv(frame, path)
