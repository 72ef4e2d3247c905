"""A chapter's verdict: every claim of a paper, the notebook that tests it, and what the records say of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcbook.experiments import Record, Scale, contrast, runs
from dcbook.experiments.claims import HOLDS, IN_PART, NOT
from dcbook.experiments.records import path_of, place, read

NOT_YET, NOT_HERE = "not tested yet", "not testable here"
Judgment = tuple[str, str]  # a verdict and its evidence in words


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Attributes
    ----------
    place : str
        Section and table or figure.
    text : str
        What the paper says, in our words.
    notebook : str
        The notebook that tests it, without ``.ipynb``; empty if none does.
    judge : callable, or str
        From the records of the chapter to a verdict and its evidence; or why it is not tested.
    on_features : bool
        Whether it is about runs on features in place of images, or about the others.
    """

    place: str
    text: str
    notebook: str
    judge: Callable[[Sequence[Record]], Judgment] | str
    on_features: bool = False

    def verdict(self, records: Sequence[Record]) -> Judgment:
        """Its verdict from these records, and the evidence."""
        if isinstance(self.judge, str):
            return (NOT_YET if self.judge.startswith(NOT_YET) else NOT_HERE), self.judge
        return self.judge([r for r in records if (place(r.run) != r.run["dataset"]) == self.on_features])


def gains(better: str, worse: str | Sequence[str]) -> Callable[[Sequence[Record]], Judgment]:
    """`better` beats `worse` (of several, the best) in ACC and in NMI: pairs of one data set and seed, t interval."""

    def judge(records: Sequence[Record]) -> Judgment:
        try:
            found = {metric: contrast(records, better, worse, metric) for metric in ("acc", "nmi")}
        except ValueError as error:
            return NOT_YET, f"{NOT_YET}: {error}"
        return combined([each.verdict for each in found.values()]), "; ".join(
            f"{metric.upper()} {each}" for metric, each in found.items()
        )

    return judge


def counted(successes: int, of: int) -> str:
    """The verdict of a claim about single runs: all, some, or none of them."""
    return HOLDS if successes == of else IN_PART if successes else NOT


def combined(verdicts: Sequence[str]) -> str:
    """Holds if all do, does not hold if none does even in part."""
    distinct = set(verdicts)
    return distinct.pop() if len(distinct) == 1 else IN_PART


def page(title: str, introduction: str, claims: Sequence[Claim], records: Sequence[Record]) -> str:
    """The verdicts as a Markdown page, ending in a newline."""
    rows, tally = [], dict.fromkeys((HOLDS, IN_PART, NOT, NOT_HERE, NOT_YET), 0)
    for number, claim in enumerate(claims, 1):
        verdict, evidence = claim.verdict(records)
        tally[verdict] += 1
        where = f"[{claim.notebook}]({claim.notebook}.ipynb)" if claim.notebook else ""
        rows.append(f"| {number} | {claim.place} | {claim.text} | {where} | **{verdict}** | {evidence} |")
    count = ", ".join(f"{n} {verdict}" for verdict, n in tally.items() if n)
    head = "| # | in the paper | claim | notebook | verdict | evidence |\n|---|---|---|---|---|---|"
    return f"# {title}\n\n{introduction}\n\nOf {len(claims)} claims: {count}.\n\n{head}\n" + "\n".join(rows) + "\n"


def recorded(grids: Mapping[str, Mapping[str, Scale]], scale: str, folder: Path) -> list[Record]:
    """The records of all runs of these grids at a scale that are in `folder`, each once."""
    identities = [run.identity for grid in grids.values() for run in runs(grid[scale], name=scale)]
    paths = dict.fromkeys(path_of(identity, folder) for identity in identities)
    return [read(path) for path in paths if path.exists()]
