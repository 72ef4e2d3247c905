"""The long runs that decide most, in their order: ``python -m dcbook.book.evidence --hours 2 --jobs 1``.

The list is that of `dcbook.book.agenda`. What was stopped goes on where it stood, epoch by epoch.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable

import joblib

from dcbook.book import paths
from dcbook.book.agenda import Item, agenda
from dcbook.data import DataError
from dcbook.experiments import Run, records, sweep
from dcbook.experiments.progress import clock


def work(items: list[Item], hours: float | None, jobs: int, tell: Callable[[str], None] = print) -> int:
    """Make the runs, item by item, until the budget is spent; the number of runs that failed and items left out.

    KeyboardInterrupt if it was interrupted.
    """
    deadline = float("inf") if hours is None else time.time() + 3600 * hours
    failed = 0
    for item in items:
        if not item.left:
            continue
        left = deadline - time.time()
        if left <= 0:
            tell("Stopped: the time budget is spent; the same command continues.")
            break
        tell(f"{item.chapter}: {item}")
        try:
            starts = paths.output_root() / "build" / "starts" / item.scale
            budget = None if hours is None else left
            result = sweep(item.runs, item.folder, starts_folder=starts, n_jobs=jobs, budget=budget)
        except FileNotFoundError as error:
            tell(f"  left out, its data is not here: {error}")
            failed += 1
            continue
        except (DataError, ValueError) as error:  # a damaged file, or a record that today's code did not make
            tell(f"  left out: {error}")
            failed += 1
            continue
        item.look()
        failed += len(result.failed)
        if result.interrupted:
            raise KeyboardInterrupt
    return failed


def table(items: list[Item], jobs: int) -> str:
    """How much of each item is done, and how long the rest takes by the same runs with other seeds, without starts."""
    seconds: dict[str, list[float]] = {}
    for item in items:
        for run in item.done:
            record = records.read(records.path_of(run.identity, item.folder))
            seconds.setdefault(_kind(run), []).append(record.provenance.get("seconds") or 0)
    lines = [f"{'':12s}{'done':>6s}{'left':>6s}  {'estimate':>14s}  what"]
    for item in items:
        known = [seconds.get(_kind(run)) for run in item.left]
        took = sum(sum(each) / len(each) for each in known if each) / max(1, min(jobs, len(known)))
        unknown = sum(each is None for each in known)
        estimate = clock(took) if took or not item.left else ""
        estimate += " + ?" if unknown and took else "?" if unknown else ""
        lines.append(f"{item.chapter:12s}{len(item.done):6d}{len(item.left):6d}  {estimate:>14s}  {item}")
    return "\n".join(lines)


def _kind(run: Run) -> str:
    """The same for a run with another seed, and only for it."""
    return records.key(_seedless(run.identity))


def _seedless(identity: dict) -> dict:
    return identity | {"seed": None, "start": identity["start"] and _seedless(identity["start"])}


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if all is done or the budget is spent, 1 if a run failed or was left out, 2 for a wrong argument
    or a damaged record, 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m dcbook.book.evidence", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, help="stop cleanly when this time is spent; default: when all is done")
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count(), help="processes (default: one a core)")
    parser.add_argument("--list", action="store_true", help="print what is done and left, and run nothing")
    chosen = parser.parse_args(arguments)
    if chosen.jobs < 1 or (chosen.hours is not None and not chosen.hours > 0):
        print("error: hours must be above 0 and jobs at least 1", file=sys.stderr)
        return 2
    try:
        items = agenda()
        print(table(items, chosen.jobs), flush=True)
    except (ValueError, OSError) as error:  # a damaged record; or no checkout
        print(f"error: {error}", file=sys.stderr)
        return 2
    if chosen.list:
        return 0
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, 19)
    try:
        failed = work(items, chosen.hours, chosen.jobs)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(table(items, chosen.jobs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
