"""The long runs that decide most, in their order: ``python -m dcbook.book.evidence --hours 2 --jobs 1``.

A chapter names them in `grids.EVIDENCE`: tuples of a rank (low ones first, across all chapters), a title, and a
function that gives the runs, all of one scale. Their records join those of the chapter at that scale. What was stopped
goes on where it stood, epoch by epoch.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import joblib

from dcbook.book import paths
from dcbook.book.chapters import chapters, part
from dcbook.data import DataError
from dcbook.experiments import Run, records, sweep
from dcbook.experiments.progress import clock


@dataclass
class Item:
    """Runs that answer one question, and which of them have a record."""

    chapter: str
    title: str
    runs: list[Run]
    base: Path
    done: list[Run] = field(default_factory=list)

    @property
    def scale(self) -> str:
        """That of its runs."""
        return self.runs[0].scale

    @property
    def folder(self) -> Path:
        """Of the records."""
        return paths.figures(f"{self.chapter}/", self.scale, self.base) / "records"

    @property
    def left(self) -> list[Run]:
        return [run for run in self.runs if run not in self.done]

    def look(self) -> None:
        """See which runs have a record now."""
        self.done = [run for run in self.runs if records.path_of(run.identity, self.folder).exists()]


def agenda(names: Iterable[str] | None = None) -> list[Item]:
    """What there is to run, in the order of the ranks."""
    found = []
    for chapter in names or chapters():
        for rank, title, give in getattr(part(chapter, "grids"), "EVIDENCE", ()):
            found.append((rank, Item(chapter, title, give(), paths.output_root())))
    items = [item for _, item in sorted(found, key=lambda pair: pair[0])]
    for item in items:
        item.look()
    return items


def work(items: list[Item], hours: float | None, jobs: int, tell: Callable[[str], None] = print) -> bool:
    """Make the runs, item by item, until the budget is spent; whether every run that could be made has its record."""
    deadline = float("inf") if hours is None else time.time() + 3600 * hours
    complete = True
    for item in items:
        if not item.left:
            continue
        left = deadline - time.time()
        if left <= 0:
            tell("Stopped: the time budget is spent; the same command continues.")
            return False
        tell(f"{item.chapter}: {item.title}")
        try:
            starts = paths.output_root() / "build" / "starts" / item.scale
            budget = None if hours is None else left
            result = sweep(item.left, item.folder, starts_folder=starts, n_jobs=jobs, budget=budget)
        except (FileNotFoundError, DataError) as error:
            tell(f"  left out, its data is not here: {error}")
            continue
        item.look()
        complete = complete and result.complete
        if result.interrupted:
            return False
    return complete


def table(items: list[Item], jobs: int) -> str:
    """How much of each item is done, and how long the rest takes by runs of the same kind, its starts left out."""
    seconds: dict[tuple, list[float]] = {}
    for item in items:
        for run in item.done:
            record = records.read(records.path_of(run.identity, item.folder))
            seconds.setdefault(_kind(run), []).append(record.provenance.get("seconds") or 0)
    lines = [f"{'':10s}{'done':>6s}{'left':>6s}  {'estimate':>10s}  what"]
    for item in items:
        known = [seconds.get(_kind(run)) for run in item.left]
        took = sum(sum(each) / len(each) for each in known if each) / jobs
        unknown = sum(each is None for each in known)
        estimate = clock(took) if took or not item.left else ""
        estimate += " + ?" if unknown and took else "?" if unknown else ""
        lines.append(f"{item.chapter:10.10s}{len(item.done):6d}{len(item.left):6d}  {estimate:>10s}  {item.title}")
    return "\n".join(lines)


def _kind(run: Run) -> tuple:
    return run.method, run.dataset, run.start and run.start.method


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if all is done or the budget is spent, 1 if a run failed, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m dcbook.book.evidence", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, help="stop cleanly when this time is spent; default: when all is done")
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count(), help="processes (default: one a core)")
    parser.add_argument("--list", action="store_true", help="print what is done and left, and run nothing")
    chosen = parser.parse_args(arguments)
    if chosen.jobs < 1 or (chosen.hours is not None and not chosen.hours > 0):
        print("error: hours must be above 0 and jobs at least 1", file=sys.stderr)
        return 2
    items = agenda()
    print(table(items, chosen.jobs), flush=True)
    if chosen.list:
        return 0
    if hasattr(os, "nice"):
        os.nice(19)
    work(items, chosen.hours, chosen.jobs)
    print(table(items, chosen.jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
