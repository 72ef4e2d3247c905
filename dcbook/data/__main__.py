"""``python -m dcbook.data`` lists the data sets and their state; with names behind it, it fetches those."""

import argparse
import sys
from pathlib import Path

from dcbook.data import NAMES, DataError, MissingDataError, data_root, load
from dcbook.data.sources import SOURCES


def main(argv: list[str] | None = None) -> int:
    """Fetch the sets that are named, or list all. Returns 0, or 1 where a set couldn't be had."""
    parser = argparse.ArgumentParser(prog="python -m dcbook.data", description=__doc__.replace("``", ""))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--root", help="the data folder (default: DCBOOK_DATA, else a folder in the user's cache)")
    options = parser.parse_args(argv)
    names = [name for words in options.names for name in words.split()]
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"no data set is called {', '.join(map(repr, unknown))}; there are: {', '.join(NAMES)}")
    root = data_root(options.root)
    if not names:
        return _list(root)
    failed = 0
    for name in names:
        try:
            print(load(name, root=root, download=True).summary())
        except OSError as error:  # a DataError, or a folder that can't be written
            print(error, file=sys.stderr)
            failed = 1
    return failed


def _list(root: Path) -> int:
    print(f"Data sets in {root}")
    width = max(map(len, SOURCES))
    for name, source in SOURCES.items():
        try:
            state = repr(load(name, root=root)).partition(": ")[2].rstrip(">")
        except MissingDataError:
            state = f"missing ({source.size})"
        except DataError as error:
            state = f"ALTERED  {error}"
        print(f"{name:<{width}}  {state}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
