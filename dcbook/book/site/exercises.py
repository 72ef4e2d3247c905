"""The exercises of all notebooks on one page: what stands under "Try it"."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

HEADING = "## Try it"
LINK = re.compile(r"(\]\()(?!#|/|[a-z]+:)([^)\s]+)")


def collected(notebooks: dict[str, Path], root: Path) -> str:
    """Markdown: for each notebook with exercises its title, a link, and the exercises.

    Parameters
    ----------
    notebooks : dict
        Path of each notebook below `root`, in the order of the page.
    root : Path
        The checkout.
    """
    parts = []
    for path in notebooks.values():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        if found := "\n\n".join(filter(None, map(_section, texts))):
            address = path.relative_to(root).as_posix()
            parts.append(f"## {title(texts[0])}\n\n[Open the notebook](/{address})\n\n{_from_root(found, address)}")
    return "\n\n".join(parts)


def title(text: str) -> str:
    """The first heading of a Markdown text."""
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1].strip()


def _section(text: str) -> str:
    """What stands under the heading, up to the next one of its kind."""
    _, *after = re.split(rf"^{HEADING}\s*$", text, maxsplit=1, flags=re.MULTILINE)
    if not after:
        return ""
    section = re.split(r"^## ", after[0], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise ValueError(f"nothing stands below {HEADING!r}; the exercises belong into the cell of their heading")
    return section


def _from_root(text: str, page: str) -> str:
    """A text with its relative links made those of the page that it is taken from."""
    folder = posixpath.dirname(page)
    return LINK.sub(lambda link: f"{link[1]}/{posixpath.normpath(posixpath.join(folder, link[2]))}", text)
