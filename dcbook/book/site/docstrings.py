"""Sphinx: the package's docstrings as reStructuredText.

They hold sections underlined by dashes with entries "name : text", tables as in Markdown, names in single backticks,
and formulas in plain characters, among them ``*``, ``|`` and a trailing ``_``, which mean something else to Sphinx.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # tests run without it
    from sphinx.application import Sphinx

QUOTED = re.compile(r"(``.+?``|`[^`\n]+`)")
ENTRY = re.compile(r"^(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*) : (.*)$")
RULE = re.compile(r"^\|?[\s:|-]*-{3}[\s:|-]*$")
ITEM = re.compile(r"^\s*([-*]|\d+\.|\.\.) ")
UNDERLINE = re.compile(r"^-{3,}$")


def in_rst(lines: list[str]) -> list[str]:
    """A docstring's lines, without their common indentation, in reStructuredText."""
    result: list[str] = []
    i = 0
    while i < len(lines):
        line = lines[i]
        if i + 1 < len(lines) and UNDERLINE.match(lines[i + 1]) and line.strip():
            result += ["", f".. rubric:: {escaped(line.strip())}", ""]
            i += 2
        elif line.startswith("|") and i + 1 < len(lines) and RULE.match(lines[i + 1]):
            end = next((j for j in range(i, len(lines)) if not lines[j].startswith("|")), len(lines))
            result += ["", *_table(lines[i], lines[i + 2 : end]), ""]
            i = end
        elif entry := ENTRY.match(line):
            result += ["", _name(entry[1]), f"    {escaped(entry[2])}"]
            i += 1
            while i < len(lines) and lines[i].startswith(" "):
                result.append(f"    {escaped(lines[i].strip())}")
                i += 1
            result.append("")
        else:
            result.append(escaped(line))
            i += 1
    return _spaced(result)


def _spaced(lines: list[str]) -> list[str]:
    """Lines with an empty one where a list begins or the indentation changes, as reStructuredText wants it."""
    result: list[str] = []
    length, in_list = 0, False  # lines of the paragraph so far; whether it is part of a list
    for line in lines:
        before = result[-1] if result else ""
        item = bool(ITEM.match(line))
        if before.strip() and line.strip():
            change = _indent(line) - _indent(before)
            begins = item and not in_list
            if begins or (not item and not ITEM.match(before) and (change < 0 or (change > 0 and length > 1))):
                result.append("")
                length = 0
        if item or not line.strip():
            length, in_list = 0, item
        length += bool(line.strip())
        result.append(line)
    return result


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def escaped(text: str) -> str:
    """A line with what is markup outside of backticks escaped; a letter after a backtick is kept apart from it."""
    parts = QUOTED.split(re.sub(r"^(\s*)-(?=\w)", r"\1\\-", text))  # "-ELBO" is no option of a program
    for i in range(0, len(parts), 2):
        plain = re.sub(r"([*|])", r"\\\1", parts[i])
        plain = re.sub(r"(?<=\w)_(?!\w)", r"\\_", plain)
        parts[i] = re.sub(r"^(?=\w)", r"\\ ", plain) if i else plain
        if i and i + 1 < len(parts) and re.search(r"\w$", parts[i]):
            parts[i] += "\\ "
    return "".join(parts)


def _name(names: str) -> str:
    return ", ".join(f"``{name}``" for name in names.split(", "))


def _table(head: str, rows: list[str]) -> list[str]:
    """A Markdown table as a list-table."""
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in (head, *rows)]
    width = len(cells[0])
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in cells:
        row = [*row[: width - 1], "|".join(row[width - 1 :])] if len(row) > width else row + [""] * (width - len(row))
        lines += [f"   {'* -' if not i else '  -'} {escaped(cell)}".rstrip() for i, cell in enumerate(row)]
    return lines


def process(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Sphinx's event ``autodoc-process-docstring``."""
    if what == "class" and lines and lines[0].startswith(f"{name.rpartition('.')[2]}("):
        lines.clear()  # a dataclass without a docstring: its signature, which stands above
    lines[:] = in_rst(lines)


def left_out(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Sphinx's event ``autodoc-skip-member``: no methods that scikit-learn makes, such as `set_fit_request`."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx's hook."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", left_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
