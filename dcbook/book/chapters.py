"""The chapters of the book, found by their names: a folder under ``dcbook/chapters`` each.

A chapter has `grids`, with `GRIDS`: name to a function from a scale's name to runs; `claims`, with `PAPER` (its short
name and its number on arXiv, or None), `FINDING` (a sentence for the README), `TITLE`, `INTRODUCTION`, `CLAIMS` and
`protocol` (from the records of a claim to their `Protocol`); and ``reported/``, the numbers that its paper prints. It
may have `explorer`, with `EXPLORER`: a scale's name to what the explorer of latent space shows (a
`dcbook.book.explorer.Plan`). What else it has, its notebooks know.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import dcbook
from dcbook.experiments import read_reported

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(dcbook.__file__).parent / "chapters"


def chapters() -> list[str]:
    """Names of all chapters that have claims."""
    found = (*FOLDER.glob("*/claims.py"), *FOLDER.glob("*/claims/__init__.py"))
    return sorted(path.relative_to(FOLDER).parts[0] for path in found)


def part(chapter: str, name: str) -> ModuleType:
    """A module of a chapter: `part("dcss", "grids")`."""
    return import_module(f"dcbook.chapters.{chapter}.{name}")


def reported(table: str) -> pd.DataFrame:
    """What a paper prints, one value a row, in per cent: `reported("dcss/table1")`.

    Raises FileNotFoundError for a table that is not there; the message lists those of the chapter.
    """
    chapter, _, name = table.partition("/")
    return read_reported(FOLDER / chapter / "reported" / f"{name}.csv")
