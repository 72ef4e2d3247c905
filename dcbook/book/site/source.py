"""What Sphinx reads, laid out in a folder of its own: the pages, the notebooks, and what is made from data.

The folder has the shape of the checkout, so the links between notebooks, figures and pages work as they stand; the
pages of ``pages/`` lie at its top. A line ``<!-- site: NAME -->`` in one of these is replaced by what is made
from data, see `fills`.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from dcbook.book import paths
from dcbook.book.site import claims, reference
from dcbook.book.site.exercises import collected, title

HERE = Path(__file__).parent
PAGES = HERE / "pages"
INDEX = HERE / "static" / "explorer" / "index.js"  # of the explorer's files, written with them
FILL = re.compile(r"^<!-- site: ([a-z ]+) -->$", re.MULTILINE)
TABLE = re.compile(r"^\| # \|.*\n(?:\|.*\n)+", re.MULTILINE)  # of a chapter's claims, in its README


def lay_out(root: Path, folder: Path, *, pages: Path = PAGES, api: bool = True) -> None:
    """Make `folder` hold what Sphinx reads, and nothing else.

    Parameters
    ----------
    root : Path
        The checkout: its notebooks with their stored outputs, its figures, its README.
    folder : Path
    pages : Path
        The site's own pages.
    api : bool
        Whether the package's modules get their pages, which takes most of the time.
    """
    judged = json.loads((root / "notebooks" / "claims.json").read_text(encoding="utf-8"))["claims"]
    made = fills(root, pages, judged)
    files = (
        {"README.md": root / "README.md"} | _below(pages) | {f"api/{k}": v for k, v in reference.api().items() if api}
    )
    for name in ("notebooks", "figures"):
        files |= {f"{name}/{path}": source for path, source in _below(root / name).items() if _is_read(path)}
    for path in _below(pages):
        if path.endswith(".md"):
            text = (pages / path).read_text(encoding="utf-8")
            files[path] = FILL.sub(lambda name: made[name[1]](), text)
    for path in paths.notebooks(root / "notebooks").values():
        files[path.relative_to(root).as_posix()] = folded(path.read_text(encoding="utf-8"))
    for name in chapters(root):
        page = f"notebooks/{name}/README.md"
        ours = [claim for claim in judged if claim["chapter"] == name]
        files[page] = chapter_page(root, name, (root / page).read_text(encoding="utf-8"), ours)
    _sync(files, folder)


def _is_read(path: str) -> bool:
    """Whether Sphinx reads a file below ``notebooks/`` or ``figures/``: not records, nor what a plain run has left."""
    parts = path.split("/")
    return not ({"records", "quick"} & set(parts) or any(part.startswith(".") for part in parts))


def _below(folder: Path) -> dict[str, Path]:
    """All files below a folder by their path there."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _sync(files: Mapping[str, Path | str], folder: Path) -> None:
    """Make a folder hold exactly these files. One that has its content already keeps its time: it is not read again."""
    for name, content in files.items():
        path, data = folder / name, content.encode() if isinstance(content, str) else content.read_bytes()
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for name, path in _below(folder).items():
        if name not in files:
            path.unlink()


def fills(root: Path, pages: Path, judged: list[dict]) -> dict[str, Callable[[], str]]:
    """What the lines ``<!-- site: NAME -->`` stand for."""
    names = claims.papers(judged)

    def explore(line: str, head: str = "") -> str:
        found = sorted((pages / "explore").glob("*.md"))
        lines = [line.format(path.stem, title(path.read_text(encoding="utf-8"))) for path in found]
        return "\n".join([head] * bool(found) + lines)

    def of_chapters(line: str) -> str:
        return "\n".join(line.format(name, names.get(name, name)) for name in chapters(root))

    return {
        "claims": lambda: _raw(claims.page(judged)),
        "tiles": lambda: _raw(claims.tiles(judged)),
        "counts": lambda: f"{claims.in_words(judged)}.",
        "exercises": lambda: collected(reading_order(root), root),
        "goals": lambda: _goals(root),
        "data sets": reference.data_sets,
        "explore menu": lambda: explore("explore/{0}"),
        "explore": lambda: explore("- [{1}](/explore/{0}.md)", "## Explore\n"),
        "explored": lambda: f"The explorer of latent space shows {_listed(explored())}.",
        "start menu": lambda: _start_menu(root),
        "chapters menu": lambda: of_chapters("{1} <notebooks/{0}/README>"),
        "chapters": lambda: of_chapters("- [{1}](/notebooks/{0}/README.md)"),
        "deviations": lambda: of_chapters("- [{1}](/notebooks/{0}/DEVIATIONS.md)"),
    }


def explored() -> list[str]:
    """The data sets that the explorer of latent space has files of, by the names that its page prints."""
    text = INDEX.read_text(encoding="utf-8")
    return [entry["title"] for entry in json.loads(text[text.index("index: ") + 7 : text.rindex("]") + 1])]


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def chapters(root: Path) -> list[str]:
    """The folders of notebooks with a page of their own."""
    return sorted(path.parent.name for path in (root / "notebooks").glob("*/README.md"))


def reading_order(root: Path) -> dict[str, Path]:
    """All notebooks by name, in the order of ``notebooks/INDEX.md``; those that it does not have come last."""
    index = root / "notebooks" / "INDEX.md"
    text = index.read_text(encoding="utf-8") if index.exists() else ""
    order = [link.removesuffix(".ipynb") for link in re.findall(r"\]\(([\w/]+\.ipynb)\)", text)]
    order = [link if "/" in link else f"start/{link}" for link in order]
    found = paths.notebooks(root / "notebooks")
    return {name: found[name] for name in sorted(found, key=lambda n: order.index(n) if n in order else len(order))}


def _start_menu(root: Path) -> str:
    """The notebooks that belong to no chapter, by the first part of their titles."""
    found = [path for name, path in reading_order(root).items() if name.startswith("start/")]
    titles = [title("".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])) for path in found]
    return "\n".join(
        f"{full.partition(':')[0]} <notebooks/{path.stem}>" for full, path in zip(titles, found, strict=True)
    )


def _goals(root: Path) -> str:
    """What a reader can do after each chapter, as ``notebooks/INDEX.md`` says."""
    text = (root / "notebooks" / "INDEX.md").read_text(encoding="utf-8")
    found = re.findall(r"^## (.+)\n+\*After this chapter you can\* (.+)$", text, re.MULTILINE)
    return "\n".join(f"- **{chapter}**: {goal}" for chapter, goal in found)


def chapter_page(root: Path, name: str, text: str, judged: list[dict]) -> str:
    """A chapter's README with its table of claims as the list of the site, and a menu of its notebooks."""
    if judged:
        text = TABLE.sub(lambda _: _raw(claims.chapter(judged)) + "\n", text)
    paper = claims.papers(judged).get(name, name)
    lines = []
    for notebook, path in reading_order(root).items():
        if notebook.startswith(f"{name}/"):
            full = title("".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]))
            short = re.sub(rf"^{re.escape(paper)}[,:] ", "", full)
            lines.append(f"{short[0].upper()}{short[1:]} <{path.stem}>")
    others = [path for path in sorted((root / "notebooks" / name).glob("*.md")) if path.name != "README.md"]
    lines += [f"{path.stem.capitalize()} <{path.stem}>" for path in others]
    return f"{text}\n```{{toctree}}\n:hidden:\n\n" + "\n".join(lines) + "\n```\n"


def folded(text: str) -> str:
    """A notebook whose call for the verdict and whose provenance are folded away, so that the answer comes first."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        tag = "hide-input" if "verdict(" in source else "hide-cell" if ".provenance(" in source else None
        if cell["cell_type"] == "code" and tag:
            cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), tag]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def archives(root: Path, folder: Path) -> None:
    """Write the records of each chapter and scale as ``<folder>/<chapter>-<scale>.tar.gz``.

    The same records make the same bytes. Records resemble each other, so that together they compress better.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for records in sorted((root / "figures").glob("*/*/records")):
        scale, chapter = records.parts[-3:-1]
        if scale == "quick":
            continue
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in sorted(records.rglob("*.json")):
                entry = tarfile.TarInfo(f"{chapter}-{scale}/{path.relative_to(records).as_posix()}")
                entry.size = path.stat().st_size
                archive.addfile(entry, io.BytesIO(path.read_bytes()))
        (folder / f"{chapter}-{scale}.tar.gz").write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def _raw(html: str) -> str:
    return f"````{{raw}} html\n{html}\n````"
