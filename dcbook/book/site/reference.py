"""Pages of the reference that are made from the package: its modules with their docstrings, and its data sets."""

from __future__ import annotations

import ast
import pkgutil
from pathlib import Path

import dcbook
from dcbook.data.sources import SOURCES

ROOMS = ("data", "models", "losses", "clustering", "training", "methods", "evaluation", "experiments", "plots", "book")
BY_FILE = ("methods",)  # rooms with a page a file
LEFT_OUT = ("dcbook.book.site",)  # needs Sphinx to be imported


def api() -> dict[str, str]:
    """Path of a page below ``api/`` to its text, in reStructuredText or Markdown."""
    files, rows = {}, []
    for room in ROOMS:
        name = f"dcbook.{room}"
        modules = _modules(room)
        rows.append(f"* - :doc:`{name} </api/{name}>`\n  - {_sentence(name)}")
        text = _heading(name, "=") + f".. automodule:: {name}\n\n"
        if room in BY_FILE:
            files |= {f"{module}.rst": _heading(module, "=") + _module(module) for module in modules}
            text += ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {module}\n" for module in modules)
        else:
            text += "\n".join(_heading(module, "-") + _module(module) for module in modules)
        files[f"{name}.rst"] = text
    table = ".. list-table::\n   :widths: 30 70\n\n" + "".join(f"   {_indented(row)}\n" for row in rows)
    names = "".join(f"   dcbook.{room}\n" for room in ROOMS)
    head = (
        _heading("The package", "=") + "One room each, from data to notebooks; a room imports those above it alone.\n\n"
    )
    files["index.rst"] = f"{head}{table}\n.. toctree::\n   :hidden:\n\n{names}"
    return files


def data_sets() -> str:
    """A Markdown table of the data sets that ``load`` knows."""
    lines = ["| name | read from | to fetch |", "|---|---|---|"]
    lines += [f"| `{name}` | {source.library} | {source.size} |" for name, source in SOURCES.items()]
    return "\n".join(lines)


def _modules(room: str) -> list[str]:
    """Full names of the public modules of a room that hold something public."""
    folder = Path(dcbook.__file__).parent / room
    found = (f"dcbook.{room}.{each.name}" for each in pkgutil.iter_modules([str(folder)]) if each.name[0] != "_")
    return [name for name in found if name not in LEFT_OUT]


def _sentence(name: str) -> str:
    """The first line of a package's docstring."""
    path = Path(dcbook.__file__).parents[1].joinpath(*name.split("."), "__init__.py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def _module(name: str) -> str:
    return f".. automodule:: {name}\n   :members:\n   :member-order: bysource\n   :show-inheritance:\n\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
