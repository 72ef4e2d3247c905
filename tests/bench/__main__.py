"""`python -m tests.bench [NAME …] [--quick]` measures speed beside other libraries, prints a table, writes nothing."""

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path

SINGLE = {  # before torch and NumPy start their threads; waiting ones that spin collapse on a shared machine
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(names)} (all)")
    parser.add_argument("--quick", action="store_true", help="small data, one repeat: shows that it runs, not how fast")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if any(os.environ.get(name) != value for name, value in SINGLE.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench", *sys.argv[1:]], os.environ | SINGLE)

    from threadpoolctl import threadpool_limits

    from tests.bench._table import HEADER, machine, markdown

    print(f"Measured on {machine()}. Medians of CPU seconds, in turn in one run.\n\n{HEADER}", flush=True)
    with threadpool_limits(1):
        for name in arguments.names or names:
            print(f"{name} …", file=sys.stderr, flush=True)
            for row in importlib.import_module(f"tests.bench.{name}").run(arguments.quick):
                print(markdown([row]), flush=True)


if __name__ == "__main__":
    main()
