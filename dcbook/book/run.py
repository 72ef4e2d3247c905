"""Run notebooks with papermill, one process each and one after another: a sweep takes every core itself."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
from papermill.exceptions import PapermillExecutionError, strip_color

from dcbook.book import paths
from dcbook.book.kernels import ThisPython
from dcbook.experiments.progress import clock

ALL = "all"
TAIL = 8  # lines of a traceback that are shown


@dataclass(frozen=True)
class Finished:
    """How a notebook ended: its name, its error in words (None: all went well), the files that it wrote."""

    notebook: str
    error: str | None
    files: tuple[Path, ...] = ()


def select(chapter: str | None = None, notebook: str | None = None) -> dict[str, Path]:
    """The notebooks of a chapter, the one of that name, or the round: those that are not tagged ``longer``.

    Parameters
    ----------
    chapter : str, optional
        A folder of ``notebooks/``, "start" for those directly in it, "all" for the book.
    notebook : str, optional
        With or without its chapter.

    Raises
    ------
    ValueError
        For a chapter or notebook that isn't there; the message lists those that are.
    """
    found = paths.notebooks()
    if not found:
        raise ValueError(f"there are no notebooks in {paths.root() / 'notebooks'}")
    chapters = sorted({name.partition("/")[0] for name in found})
    if chapter not in (None, ALL, *chapters):
        raise ValueError(f"no chapter {chapter!r}: choose from {', '.join(chapters)}, {ALL}")
    if chapter is None and notebook is None:
        return {name: path for name, path in found.items() if not is_longer(path)}
    inside = {name: path for name, path in found.items() if chapter in (None, ALL, name.partition("/")[0])}
    chosen = {name: path for name, path in inside.items() if notebook in (None, name, path.stem)}
    if not chosen:
        raise ValueError(f"no notebook {notebook!r}: choose from {', '.join(path.stem for path in inside.values())}")
    return chosen


def is_longer(path: Path) -> bool:
    """Whether the notebook has a cell tagged ``longer``: it is left out unless its chapter or name is given."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return any("longer" in cell["metadata"].get("tags", ()) for cell in cells)


def parameters_of(path: Path) -> list[str]:
    """Names in the notebook's cell tagged ``parameters``."""
    return list(papermill.inspect_notebook(str(path)))


def execute(name: str, path: Path, target: Path, parameters: Mapping[str, Any], table: Path) -> Finished:
    """Run one notebook into `target`, with what it prints shown as it comes.

    It has succeeded if papermill says so and it has written `table` in this run: after the death of a
    kernel, or in a wrong folder, papermill alone can't be trusted.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    before = _stamps(table.parent)
    error = None
    try:
        papermill.execute_notebook(
            path,
            target,
            dict(parameters),
            kernel_name="python3",
            kernel_manager_class=ThisPython,
            progress_bar=False,
            stdout_file=Echo(),
            stderr_file=Echo(),
            cwd=path.parent,
        )
    except PapermillExecutionError as failure:
        error = _described(failure, target)
    except Exception as failure:  # a dead kernel, a notebook that can't be read, a full disk
        error = f"{type(failure).__name__}: {failure}"
    after = _stamps(table.parent)
    files = tuple(file for file, stamp in after.items() if before.get(file) != stamp)
    if error is None and table not in files:
        error = f"it ended without an error, but without writing {table.name}"
    return Finished(name, error, files)


def run_all(
    notebooks: Mapping[str, Path], scale: str, budget: float | None = None, **parameters: Any
) -> list[Finished]:
    """Run notebooks at a scale into ``build/<scale>/<chapter>``, and tell how each of them went.

    Parameters
    ----------
    notebooks : mapping
        From `select`.
    scale : str
    budget : float, optional
        Seconds for all of them together; those whose turn comes later aren't started. 0: no run is made, and each
        notebook draws what has records.
    **parameters
        Others that are given to each notebook.

    Raises
    ------
    ValueError
        If a notebook has no parameter of one of the names, before any of them runs.
    """
    for name, path in notebooks.items():
        has = parameters_of(path)
        if unknown := [parameter for parameter in ("scale", *parameters) if parameter not in has]:
            raise ValueError(f"{name} has no parameter {', '.join(unknown)}; it has {', '.join(has) or 'none'}")
    base, began, results = paths.output_root(), time.monotonic(), []
    for number, (name, path) in enumerate(notebooks.items(), 1):
        print(f"[{number}/{len(notebooks)}] {name}, scale {scale}", flush=True)
        at = time.monotonic()
        given = {"scale": scale, **parameters}
        if budget is not None:
            left = budget - (at - began) if budget else 0
            if budget and left <= 0:
                print("      not started: the budget is spent; the same command goes on from here")
                continue
            if "budget" in parameters_of(path):
                given["budget"] = left
        target = base / "build" / scale / f"{name}.ipynb"
        results.append(execute(name, path, target, given, paths.table(name, scale, base)))
        took = clock(time.monotonic() - at)
        print(f"      {'FAILED' if results[-1].error else 'done'} after {took}", flush=True)
    return results


class Echo:
    """A text stream that shows what a notebook prints, set off by an indent."""

    def __init__(self):
        self.fresh = True

    def write(self, text: str) -> None:
        """Show text, each line after an indent."""
        for line in strip_color(text).splitlines(keepends=True):
            sys.stdout.write(f"      | {line}" if self.fresh else line)
            self.fresh = line.endswith(("\n", "\r"))

    def flush(self) -> None:
        """Show it now."""
        sys.stdout.flush()


def _described(failure: PapermillExecutionError, executed: Path) -> str:
    """Where it failed, with what, and the last lines of the traceback."""
    lines = strip_color("\n".join(failure.traceback)).strip().splitlines()
    message = f"{failure.ename}: {failure.evalue}\n    in cell [{failure.exec_count}] of {paths.shown(executed)}:"
    return "\n".join([message, *(f"    {line}" for line in lines[-TAIL:])])


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    files = (path for path in sorted(folder.glob("*")) if path.is_file()) if folder.is_dir() else ()
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}
