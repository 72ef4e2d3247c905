"""Run the book's notebooks: ``python -m dcbook.book --scale quick --notebook table1_benchmark``."""

import argparse
import ast
import math
import sys
from typing import Any

try:
    from dcbook.book.redraw import redraw
    from dcbook.book.run import ALL, Finished, run_all, select
    from dcbook.book.store import store_all, with_verdicts
except ModuleNotFoundError as error:
    if (error.name or "").startswith("dcbook"):
        raise
    sys.exit(
        f"error: running the book needs {error.name}, which is not installed: clone the project and use its Makefile, "
        "or install the clone with `pip install --editable '.[book]'`"
    )
from dcbook.book import paths
from dcbook.book.chapters import chapters
from dcbook.book.judging import written
from dcbook.experiments.runs import SCALES
from dcbook.files import write_whole


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if all is well, 1 if a notebook failed, 2 for a wrong argument, 130 after Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    try:
        _check_together(chosen)
        scale = SCALES[0] if chosen.scale is None else chosen.scale
        if chosen.verdicts:
            return _write_verdicts(_several(chosen.chapter))
        if scale not in SCALES:
            raise ValueError(f"no scale {scale!r}: choose from {', '.join(SCALES)}")
        if chosen.budget is not None and not 0 <= chosen.budget < math.inf:
            raise ValueError(f"the budget is a number of seconds, 0 (make no run) or more, not {chosen.budget:g}")
        if chosen.redraw:
            found = redraw(select(chosen.chapter or ALL, chosen.notebook))
            print("\n".join(found or ["all committed figures and tables are what their records draw"]))
            return 1 if found else 0
        notebooks = select(chosen.chapter or (ALL if chosen.store else None), chosen.notebook)
        if chosen.store:
            results = store_all(notebooks)
        else:
            others = {name: _value(text) for name, text in chosen.parameter}
            if taken := {"scale", "budget"} & others.keys():
                raise ValueError(f"give {', '.join(f'--{name}' for name in sorted(taken))} in place of -p")
            results = run_all(notebooks, scale, chosen.budget, **others)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    _report(results)
    left = len(select(ALL)) - len(notebooks)
    if left and not (chosen.chapter or chosen.notebook):
        print(f"\n{left} longer notebooks were left out: make figures CHAPTER={ALL} runs them too")
    return 1 if any(result.error for result in results) else 0


def _check_together(chosen: argparse.Namespace) -> None:
    """Raise ValueError for options that cannot be given together."""
    tasks = [f"--{name}" for name in ("store", "redraw", "verdicts") if getattr(chosen, name)]
    if len(tasks) > 1:
        raise ValueError(f"give one of {', '.join(tasks)}")
    given = {"--scale": chosen.scale, "--budget": chosen.budget, "-p": chosen.parameter or None}
    given |= {"--notebook": chosen.notebook} if chosen.verdicts else {}
    if tasks and (extra := [name for name, value in given.items() if value is not None]):
        raise ValueError(f"{tasks[0]} does not take {', '.join(extra)}")


def _write_verdicts(names: list[str]) -> int:
    """The pages made from records; with all chapters also the verdicts that notebooks show."""
    files = written(paths.root() / "figures", names)
    for name, text in files.items():
        write_whole(paths.root() / name, text)
        print(f"wrote {name}")
    for path in paths.notebooks().values() if set(names) == set(chapters()) else ():
        if (text := with_verdicts(path)) != path.read_text(encoding="utf-8"):
            write_whole(path, text)
            print(f"wrote the verdicts in {path.relative_to(paths.root())}")
    return 0


def _several(chapter: str | None) -> list[str]:
    """The chapters with verdicts that are asked for."""
    known = chapters()
    if chapter not in (None, ALL, *known):
        raise ValueError(f"no chapter {chapter!r} has verdicts: choose from {', '.join(known)}, {ALL}")
    return known if chapter in (None, ALL) else [chapter]


def _report(results: list[Finished]) -> None:
    files = sorted({file for result in results for file in result.files})
    if files:
        print("\nPictures and tables:")
        print("\n".join(f"  {paths.shown(file)}" for file in files))
    for result in (result for result in results if result.error):
        print(f"\nFAILED: {result.notebook}: {result.error}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dcbook.book", description=__doc__)
    parser.add_argument("--scale", help=f"{', '.join(SCALES)} (default: {SCALES[0]})")
    parser.add_argument("--chapter", help=f"a folder of notebooks/, or {ALL}; default: all but the longer notebooks")
    parser.add_argument("--notebook", help="name without .ipynb; default: all of the chapter")
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop cleanly when this time is spent; 0: draw what has records"
    )
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="another parameter, as a Python literal: -p seeds '[0, 1]'",
    )  # fmt: skip
    parser.add_argument(
        "--store",
        action="store_true",
        help="run with the notebooks' own defaults and store their outputs in them",
    )
    parser.add_argument(
        "--redraw", action="store_true", help="draw what is committed again from its records, and name what differs"
    )
    parser.add_argument(
        "--verdicts",
        action="store_true",
        help="write the pages of verdicts from the records, and verdicts into notebooks",
    )
    return parser


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


if __name__ == "__main__":
    sys.exit(main())
