"""Figures are functions of records: the committed ones are drawn again from the committed records and compared."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dcbook.book import paths
from dcbook.book.run import run_all

CLIP = re.compile(rb"\bp[0-9a-f]{10}\b")  # the name of a clip path in a picture of matplotlib's


def redraw(notebooks: Mapping[str, Path]) -> list[str]:
    """Draw again what `notebooks` (from `select`) have committed, at each scale; what differs, in words.

    A notebook takes part at the scales at which its table is committed. Pictures and tables are compared byte for byte,
    but for the names of clip paths. A run that has no committed record is made, which may take long, and named; but at
    `paper`, where records come one by one, what has records is drawn. Raises ValueError if none of the notebooks has a
    committed table.
    """
    found, root = [], paths.root()
    scales = sorted(path.name for path in (root / "figures").iterdir() if path.name != "quick")
    parts = {s: {name: at for name, at in notebooks.items() if paths.table(name, s, root).exists()} for s in scales}
    if not any(parts.values()):
        raise ValueError(f"there is nothing to draw again: no table of {', '.join(notebooks)} is committed")
    for scale, chosen in parts.items():
        with tempfile.TemporaryDirectory() as temporary, paths.output_in(temporary) as drawn:
            for records in (root / "figures" / scale).glob("*/records"):
                shutil.copytree(records, drawn / records.relative_to(root))
            results = run_all(chosen, scale, 0 if scale == "paper" else None)
            found += [f"{result.notebook} failed: {result.error}" for result in results if result.error]
            found += differences(chosen, scale, drawn)
    return found


def differences(notebooks: Mapping[str, Path], scale: str, drawn: Path) -> list[str]:
    """How the files of notebooks below `drawn` differ from the committed ones, and the records that are new there."""
    committed, found = paths.root(), []
    for name in notebooks:
        for file in sorted(_files(name, scale, committed) | _files(name, scale, drawn)):
            if not (drawn / file).exists():
                found.append(f"{file.as_posix()} is committed but not drawn")
            elif not (committed / file).exists():
                found.append(f"{file.as_posix()} is drawn but not committed")
            elif _content(drawn / file) != _content(committed / file):
                found.append(f"{file.as_posix()} differs")
    for record in sorted(path.relative_to(drawn) for path in drawn.glob(f"figures/{scale}/*/records/*/*.json")):
        if not (committed / record).exists():
            found.append(f"{record.as_posix()} was made anew: there is no committed record of this run")
    return found


def _content(file: Path) -> bytes:
    """The bytes of a file; in a picture, the names of clip paths are numbers in the order in which they first occur.

    Matplotlib makes such a name from the path's coordinates to their last bit, in which processors differ. What is
    drawn has six decimals.
    """
    content = file.read_bytes()
    if file.suffix != ".svg":
        return content
    numbers: dict[bytes, bytes] = {}
    return CLIP.sub(lambda name: numbers.setdefault(name[0], b"clip %d" % len(numbers)), content)


def _files(notebook: str, scale: str, base: Path) -> set[Path]:
    """The table and the pictures of a notebook, relative to `base`."""
    table = paths.table(notebook, scale, base)
    files = [table, *table.parent.glob(f"{table.stem}_*")]
    return {file.relative_to(base) for file in files if file.is_file()}
