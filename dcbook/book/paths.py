"""Where notebooks are and where their output goes; never the working directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dcbook

OUTPUT = "DCBOOK_OUTPUT"


def root() -> Path:
    """The checkout that this package was installed from.

    Raises
    ------
    FileNotFoundError
        If the package was not installed from a checkout (``pip install --editable .``).
    """
    folder = Path(dcbook.__file__).resolve().parents[1]
    if not (folder / "pyproject.toml").is_file() or not (folder / "notebooks").is_dir():
        raise FileNotFoundError(
            f"dcbook runs from {folder}, which holds no notebooks: clone the project and use its Makefile, "
            "or install the clone with `pip install --editable '.[book]'`"
        )
    return folder


def output_root() -> Path:
    """The folder of ``figures/`` and ``build/``: the environment's DCBOOK_OUTPUT, else the checkout."""
    chosen = os.environ.get(OUTPUT)
    return Path(chosen).expanduser().absolute() if chosen else root()


@contextmanager
def output_in(folder: str | Path) -> Iterator[Path]:
    """Let all output, also that of processes that begin now, go below `folder` for a while."""
    before = os.environ.get(OUTPUT)
    os.environ[OUTPUT] = str(folder)
    try:
        yield Path(folder)
    finally:
        os.environ.pop(OUTPUT) if before is None else os.environ.update({OUTPUT: before})


def shown(path: Path) -> str:
    """A path below the output's root as people read it, the same on every machine."""
    return path.relative_to(output_root()).as_posix()


def figures(notebook: str, scale: str, base: Path) -> Path:
    """``<base>/figures/<scale>/<chapter>``, the folder of a notebook's pictures and table."""
    return base / "figures" / scale / notebook.partition("/")[0]


def table(notebook: str, scale: str, base: Path) -> Path:
    """``<base>/figures/<scale>/<chapter>/<notebook>.csv``."""
    return figures(notebook, scale, base) / f"{notebook.partition('/')[2]}.csv"


def notebooks(folder: Path | None = None) -> dict[str, Path]:
    """All notebooks by name, "dcss/table1_benchmark"; those in the folder itself are the chapter "start"."""
    folder = folder or root() / "notebooks"
    found = {}
    for path in (*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*/*.ipynb"))):
        chapter = "start" if path.parent == folder else path.parent.name
        if not chapter.startswith("."):
            found[f"{chapter}/{path.stem}"] = path
    return found
