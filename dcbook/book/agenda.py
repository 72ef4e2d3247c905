"""The long runs that decide most, in their order, and which of them have a record: the list of `make evidence`.

A chapter names them in `grids.EVIDENCE`: tuples of a rank (low ones first, across all chapters), a title without the
seeds, and a function that gives the runs, all of one scale. Their records join those of the chapter at that scale.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dcbook.book import paths
from dcbook.book.chapters import chapters, part
from dcbook.experiments import Run, records


@dataclass
class Item:
    """Runs that answer one question, and which of them have a record."""

    chapter: str
    title: str
    runs: list[Run]
    base: Path
    done: list[Run] = field(default_factory=list)

    @property
    def scale(self) -> str:
        """That of its runs."""
        return self.runs[0].scale

    @property
    def folder(self) -> Path:
        """Of the records."""
        return paths.figures(f"{self.chapter}/", self.scale, self.base) / "records"

    @property
    def left(self) -> list[Run]:
        return [run for run in self.runs if run not in self.done]

    def __str__(self) -> str:
        return f"{self.title}, {told_seeds(run.seed for run in self.runs)}"

    def look(self) -> None:
        """See which runs have a record now."""
        self.done = [run for run in self.runs if records.path_of(run.identity, self.folder).exists()]


def told_seeds(seeds: Iterable[int]) -> str:
    """Seeds in words: "seed 0", "seeds 0, 2", "seeds 0 to 4"."""
    found = sorted(set(seeds))
    in_a_row = found == list(range(found[0], found[-1] + 1)) and len(found) > 2
    told = f"{found[0]} to {found[-1]}" if in_a_row else ", ".join(map(str, found))
    return f"seed{'s' * (len(found) > 1)} {told}"


def agenda(names: Iterable[str] | None = None, base: Path | None = None) -> list[Item]:
    """What there is to run, in the order of the ranks.

    `base` has the folder ``figures`` of the records; by default the output's root.
    """
    found = []
    for chapter in names or chapters():
        for rank, title, give in getattr(part(chapter, "grids"), "EVIDENCE", ()):
            found.append((rank, Item(chapter, title, give(), base or paths.output_root())))
    items = [item for _, item in sorted(found, key=lambda pair: pair[0])]
    for item in items:
        item.look()
    return items


def not_run(chapter: str, base: Path) -> str:
    """A chapter's runs without a record below `base`, all seeds of a title in one line of Markdown; "" if none."""
    titles: dict[tuple[str, str], list[Item]] = {}
    for item in agenda([chapter], base):
        titles.setdefault((item.title, item.scale), []).append(item)
    lines = []
    for (title, scale), items in titles.items():
        done, runs = sum(len(item.done) for item in items), [run for item in items for run in item.runs]
        if done < len(runs):
            what = f"{done} of {len(runs)} run{'s' * (len(runs) > 1)}, {told_seeds(run.seed for run in runs)}"
            lines.append(f"- {title} (`{scale}`): {what}")
    return "\n".join(lines)
