"""The runs of a table from the command line: ``python -m dcbook.experiments table4 --scale laptop``."""

import argparse
import sys
from pathlib import Path

from dcbook.experiments import compare, render, runs, sweep_scale
from dcbook.experiments.grids import GRIDS
from dcbook.experiments.records import path_of, read
from dcbook.experiments.settings import SCALES

TABLES = ("dcss_table1", "dcss_table2", "dcss_table3", "dcss_table4", "dcss_table5")


def main(arguments: list[str] | None = None) -> int:
    """Make the runs that have no record yet and print the comparison; 1 if a run failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m dcbook.experiments", description=__doc__)
    parser.add_argument("grid", nargs="?", default="table1", choices=GRIDS, help="default: %(default)s")
    parser.add_argument("--scale", default="quick", choices=SCALES)
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="default: all of the scale")
    parser.add_argument("--datasets", nargs="+", metavar="NAME", help="default: all of the scale")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="K", help="default: all of the scale")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="begin nothing after this, and stop cleanly")
    parser.add_argument("--folder", type=Path, help="of the records (default: figures/SCALE/dcss/records)")
    parser.add_argument("--starts", type=Path, default=Path("build/starts"), help="cache (default: %(default)s)")
    parser.add_argument("--jobs", type=int, help="processes (default: one per core, or one on a GPU)")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args(arguments)
    folder = chosen.folder or Path("figures", chosen.scale, "dcss", "records")
    try:
        scale = GRIDS[chosen.grid][chosen.scale]
        chosen_runs = runs(scale, chosen.methods, chosen.datasets, chosen.seeds, name=chosen.scale)
        result = sweep_scale(
            scale,
            chosen_runs,
            folder,
            starts_folder=chosen.starts,
            n_jobs=chosen.jobs,
            budget=chosen.budget,
            device=chosen.device,
        )
        made = [path for run in chosen_runs if (path := path_of(run.identity, folder)).exists()]
        print(render(compare(map(read, made), TABLES)), end="")
    except (ValueError, TypeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 130 if result.interrupted else 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
