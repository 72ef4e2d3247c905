"""Train and write what an explorer's page shows: ``python -m dcbook.book.explorer --dataset usps``.

``--dataset arcs`` writes the points of the page that computes DEC on four arcs, which takes no training.
"""

import argparse
import sys
import time
from pathlib import Path

from dcbook.book.chapters import part
from dcbook.book.explorer.make import ARCS, folder, make, write_arcs
from dcbook.experiments.progress import clock
from dcbook.files import folder_to_write


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if the file was written, 2 for a wrong argument or missing data or package."""
    parser = argparse.ArgumentParser(prog="python -m dcbook.book.explorer", description=__doc__)
    parser.add_argument("--dataset", required=True, help="name of a data set that the chapter's plan has")
    parser.add_argument("--chapter", default="dcss", help="whose methods and settings (default: %(default)s)")
    parser.add_argument("--scale", default="laptop", help="of the settings (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="default: the folder that the page loads")
    chosen = parser.parse_args(arguments)
    began = time.perf_counter()

    def say(what: str) -> None:
        print(f"{clock(time.perf_counter() - began):>9}  {what}", flush=True)

    try:
        to = folder_to_write(chosen.to or folder())
        if chosen.dataset == ARCS:
            say(f"wrote {write_arcs(to).name}")
            return 0
        plans = part(chosen.chapter, "explorer").EXPLORER
        if chosen.scale not in plans:
            raise ValueError(f"the explorer has the scales {', '.join(plans)}, not {chosen.scale!r}")
        path = make(plans[chosen.scale], chosen.dataset, chosen.seed, to, say)
    except ModuleNotFoundError as error:
        print(f"error: the chapter {chosen.chapter!r} has no explorer ({error})", file=sys.stderr)
        return 2
    except (ValueError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    say(f"wrote {path.name}, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
