"""All claims of the book, judged: the pages of the chapters, the page on verdicts, and ``claims.json``."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from string import Template

import pandas as pd

from dcbook.book.agenda import not_run
from dcbook.book.chapters import chapters, part
from dcbook.book.pages import INTERVALS, intervals, page
from dcbook.book.protocol import ENOUGH
from dcbook.book.questions import answered, asked, most_telling
from dcbook.book.tables import comparison
from dcbook.book.verdicts import Claim, Verdict, recorded, told_counts
from dcbook.experiments import Record
from dcbook.experiments.contrast import LEVEL, told_interval
from dcbook.experiments.records import rounded
from dcbook.experiments.verdict import BAND, CONTRADICTED, SUPPORTED, discoveries

PAGES = "notebooks"
DECIDED = (SUPPORTED, CONTRADICTED)
WEAK = 0.5  # power
SCHEMA = 1


@dataclass(frozen=True)
class Files:
    """What a reader finds behind a claim, as paths below the checkout; empty where there is none.

    `picture` and `table` are those of its notebook, `records` is the folder of its records, and `n` their number.
    """

    picture: str = ""
    table: str = ""
    records: str = ""
    n: int = 0


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and its number in its chapter, from 1 on."""

    chapter: str
    number: int
    claim: Claim
    verdict: Verdict
    files: Files = Files()

    @property
    def name(self) -> str:
        """Of the claim in the whole book: "dcss-13"."""
        return f"{self.chapter}-{self.number}"


def judge(chapter: str, figures: Path) -> list[Judged]:
    """Every claim of a chapter, by the records below the folder `figures`.

    Raises ValueError for a claim that names a picture which its notebook does not show.
    """
    claims = part(chapter, "claims")
    root = figures.parent

    @cache
    def found(grid, scale: str) -> list[Record]:
        return recorded(grid(scale), figures / scale / chapter / "records")

    def judged(number: int, claim: Claim) -> Judged:
        records = found(claim.runs, claim.scale) if claim.runs else []
        protocol = getattr(claims, "protocol", lambda _: None)
        verdict = claim.verdict(records, protocol)
        if claim.beside and verdict.answer:
            verdict = verdict.noting(told_at(claim.beside, claim.verdict(found(claim.runs, claim.beside), protocol)))
        folder = f"{figures.name}/{claim.scale}/{chapter}"
        table = f"{folder}/{claim.notebook}.csv"
        files = Files(
            _picture(claim, root / PAGES / chapter, root),
            table if (root / table).is_file() else "",
            f"{folder}/records" if records else "",
            len(records),
        )
        return Judged(chapter, number, claim, verdict, files)

    return [judged(number, claim) for number, claim in enumerate(claims.CLAIMS, 1)]


def told_at(scale: str, found: Verdict) -> str:
    """What the records of a scale say beside a verdict that rests on another one, in words; "" if nothing."""
    if found.answer is None:
        return ""
    shown = most_telling(asked(answered(found.answer)))
    sets = dict.fromkeys(name for each in shown for name in each["data sets"])
    told = "; ".join(f"{each['about']} {told_interval(each)}" for each in shown)
    return f"at the `{scale}` scale, {', '.join(sets)}: {told}: {found.verdict}"


def _picture(claim: Claim, folder: Path, root: Path) -> str:
    """The picture that shows a claim: of those in its notebook the one that it names, else the first; "" for none."""
    notebook = folder / f"{claim.notebook}.ipynb"
    if claim.picture is None:
        return ""
    shown = pictures(notebook, root) if claim.notebook and notebook.is_file() else []
    named = [path for path in shown if Path(path).name == f"{claim.notebook}_{claim.picture}"]
    if claim.picture and not named:
        raise ValueError(f"{notebook.name} shows no picture {claim.picture!r}, which the claim '{claim.text}' names")
    return next(iter(named or shown), "")


def pictures(notebook: Path, root: Path) -> list[str]:
    """The committed pictures that the text of a notebook shows, in their order, as paths below `root`."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text)
    paths = [(notebook.parent / link).resolve() for link in links if "://" not in link]
    return [path.relative_to(root.resolve()).as_posix() for path in paths if path.is_relative_to(root.resolve())]


def written(figures: Path, names: list[str] | None = None) -> dict[str, str]:
    """Path below the checkout to text: the pages of each chapter.

    With all chapters also the page on verdicts, ``claims.json`` and the README. `figures` is the checkout's folder of
    records and tables. Chapters of whose claims less than half are tested come last.
    """
    judged = {name: judge(name, figures) for name in names or chapters()}
    tested = {name: sum(each.verdict.answer is not None for each in claims) for name, claims in judged.items()}
    judged = dict(sorted(judged.items(), key=lambda item: 2 * tested[item[0]] < len(item[1])))
    files = {
        f"{PAGES}/{name}/{file}": text
        for name, claims in judged.items()
        for file, text in _pages(name, claims, not_run(name, figures.parent))
    }
    if not names or set(names) == set(chapters()):
        claims = [each for found in judged.values() for each in found]
        files[f"{PAGES}/VERDICTS.md"] = overview(claims)
        files[f"{PAGES}/claims.json"] = json.dumps(as_data(claims), indent=1, ensure_ascii=False) + "\n"
        root = figures.parent
        files["README.md"] = readme((root / "README.md").read_text(encoding="utf-8"), judged, root)
    return files


def readme(text: str, judged: dict[str, list[Judged]], base: Path) -> str:
    """The README with its block on the claims as they are judged now, and its tables as they are committed.

    A block that begins with ``<!-- table: figures/….csv acc -->`` holds the comparison in that file, in that score.
    """
    lines = ["| paper | its claims | what we found |", "|---|---|---|"]
    for chapter, claims in judged.items():
        about = part(chapter, "claims")
        name, number = about.PAPER
        counts = told_counts(each.verdict for each in claims)
        source = f", [arXiv {number}](https://arxiv.org/abs/{number})" if number else ""
        finding = " ".join(about.FINDING.split()).replace("|", r"\|")
        lines.append(f"| [{name}]({PAGES}/{chapter}/README.md){source} | {counts} | {finding} |")
    block = "\n".join(lines)
    place = re.compile(r"(<!-- claims:.*?-->\n).*?(<!-- /claims -->)", re.DOTALL)
    text, found = place.subn(lambda match: f"{match[1]}{block}\n{match[2]}", text)
    if not found:
        raise ValueError("the README has no block of claims, <!-- claims: … --> to <!-- /claims -->")
    for begin, file, metric in re.findall(r"(<!-- table: (\S+) (\w+) -->\n)", text):
        head, _, rest = text.partition(begin)
        after = rest[rest.index("<!-- /table -->") :]
        text = f"{head}{begin}{comparison(pd.read_csv(base / file), [metric]).data}\n{after}"
    return text


def _pages(chapter: str, judged: list[Judged], to_come: str) -> list[tuple[str, str]]:
    """The file names and texts of a chapter's pages; that of intervals only where a claim was tested."""
    claims = part(chapter, "claims")
    each, verdicts = [one.claim for one in judged], [one.verdict for one in judged]
    found = [("README.md", page(claims.TITLE, claims.INTRODUCTION, each, verdicts, to_come))]
    if any(verdict.answer for verdict in verdicts):
        records = list(dict.fromkeys(one.files.records for one in judged if one.files.records))
        found.append((INTERVALS, intervals(claims.TITLE.partition(":")[0], each, verdicts, records)))
    return found


def standing(judged: list[Judged]) -> dict[str, bool]:
    """Which tested claims stay decided when the number of claims is taken into account, see `discoveries`."""
    tested = [each for each in judged if each.verdict.answer]
    errors = [each.verdict.answer.p() if each.verdict.verdict in DECIDED else 1.0 for each in tested]
    return dict(zip([each.name for each in tested], discoveries(errors), strict=True))


def as_data(judged: list[Judged]) -> dict:
    """What ``claims.json`` holds: claims, verdicts, and every interval behind them."""
    stand = standing(judged)
    return {
        "schema": SCHEMA,
        "rule": {"level": LEVEL, "band": BAND, "share of the protocol": ENOUGH},
        "claims": [_data(each, stand.get(each.name, False)) for each in judged],
    }


def _data(judged: Judged, stands: bool) -> dict:
    claim, found = judged.claim, judged.verdict
    tested = {} if found.answer is None else {
        "protocol": found.protocol and asdict(found.protocol) | {"enough": found.protocol.enough},
        "power": found.power and asdict(found.power),
        "stands among all claims": stands,
        **answered(found.answer),
    }  # fmt: skip
    about = {name: getattr(claim, name) for name in ("place", "text", "notebook", "status", "scale")}
    identity = {"id": judged.name, "chapter": judged.chapter, **about}
    found_in = {"verdict": found.verdict, "evidence": found.evidence, "files": asdict(judged.files)}
    return rounded({**identity, **found_in, **tested})


def overview(judged: list[Judged]) -> str:
    """The page on verdicts: the rule, the counts of every chapter, and what the number of claims does to them."""
    stand = standing(judged)
    names = dict.fromkeys(each.chapter for each in judged)
    counts = {name: told_counts(each.verdict for each in judged if each.chapter == name) for name in names}
    decided = [each.name for each in judged if each.verdict.verdict in DECIDED]
    fallen = [name for name in decided if not stand[name]]
    powers = [each.verdict.power for each in judged if each.verdict.power]
    return Template((Path(__file__).parent / "how_verdicts_are_made.md").read_text(encoding="utf-8")).substitute(
        band=f"{BAND:g}",
        level=f"{LEVEL:.0%}",
        error=f"{1 - LEVEL:.0%}",
        enough=f"{ENOUGH:.0%}",
        powered=len(powers),
        weak=sum(power.probability < WEAK for power in powers),
        counts="\n".join(f"| [{name}]({name}/README.md) | {told} |" for name, told in counts.items()),
        tested=len(stand),
        decided=len(decided),
        standing=len(decided) - len(fallen),
        fallen=f" These {len(fallen)} do not: {', '.join(fallen)}." if fallen else "",
    )
