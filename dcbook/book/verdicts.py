"""A chapter's verdict: every claim of a paper, the notebook that tests it, and what the records say of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcbook.experiments import Contrast, Record, Run, by_value, contrast, paired
from dcbook.experiments.compare import TOLERANCE
from dcbook.experiments.contrast import HOLDS, IN_PART, NOT
from dcbook.experiments.records import path_of, read, value_of

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
        From records to a verdict and its evidence; or why it is not tested.
    runs : callable, optional
        From the name of a scale to the runs that decide; none where `judge` says why it is not tested.
    status : str, optional
        How well what is tested is known to be what the paper tested; a column of the page, where a chapter has it.
    """

    place: str
    text: str
    notebook: str
    judge: Callable[[Sequence[Record]], Judgment] | str
    runs: Callable[[str], Iterable[Run]] | None = None
    status: str = ""

    def verdict(self, records: Sequence[Record]) -> Judgment:
        """Its verdict from the records of its runs, and the evidence."""
        if isinstance(self.judge, str):
            return (NOT_YET if self.judge.startswith(NOT_YET) else NOT_HERE), self.judge
        if not records:
            return NOT_YET, "its runs have no records"
        return self.judge(records)


def gains(better: str, worse: str | Sequence[str]) -> Callable[[Sequence[Record]], Judgment]:
    """`better` beats `worse` (of several, the best) in ACC and in NMI: pairs of one data set and seed, t interval."""
    return lambda records: in_both_metrics(lambda metric: contrast(records, better, worse, metric))


def beats(setting: str, better: Any, worse: Any) -> Callable[[Sequence[Record]], Judgment]:
    """The same method is better at one value of a setting than at another, in ACC and in NMI, pair by pair."""

    def judge(records: Sequence[Record]) -> Judgment:
        found = by_value(records, setting)
        return in_both_metrics(lambda metric: paired(found.get(better, []), found.get(worse, []), metric))

    return judge


def in_both_metrics(contrast_in: Callable[[str], Contrast]) -> Judgment:
    """The verdict of a comparison that is made in ACC and in NMI; not tested yet where it finds no pairs."""
    try:
        found = {metric: contrast_in(metric) for metric in ("acc", "nmi")}
    except ValueError as error:
        return NOT_YET, str(error)
    return combined([each.verdict for each in found.values()]), "; ".join(
        f"{metric.upper()} {each}" for metric, each in found.items()
    )


def matters_little(*settings: str) -> Callable[[Sequence[Record]], Judgment]:
    """The means over the seeds at all values of these settings lie within `TOLERANCE` points, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Judgment:
        means = {metric: means_at(records, settings, metric) for metric in ("acc", "nmi")}
        spread = {metric: max(found.values()) - min(found.values()) for metric, found in means.items()}
        text = "; ".join(
            f"{metric.upper()} {min(found.values()):.1f} to {max(found.values()):.1f} %, best at "
            + ", ".join(f"{name} = {v:g}" for name, v in zip(settings, max(found, key=found.get), strict=True))
            for metric, found in means.items()
        )
        return counted(sum(points <= TOLERANCE for points in spread.values()), 2), text

    return judge


def means_at(records: Sequence[Record], settings: Sequence[str], metric: str) -> dict[tuple, float]:
    """Values of the settings to the mean over the seeds, in per cent."""
    found: dict[tuple, list[float]] = {}
    for record in records:
        found.setdefault(tuple(value_of(record, name) for name in settings), []).append(100 * record.scores[metric])
    return {values: float(np.mean(scores)) for values, scores in found.items()}


def counted(successes: int, of: int) -> str:
    """The verdict of a claim about single runs: all, some, or none of them."""
    return HOLDS if successes == of else IN_PART if successes else NOT


def combined(verdicts: Sequence[str]) -> str:
    """Holds if all do, does not hold if none does even in part."""
    distinct = set(verdicts)
    return distinct.pop() if len(distinct) == 1 else IN_PART


def page(
    title: str, introduction: str, claims: Sequence[Claim], records_of: Callable[[Claim], Sequence[Record]]
) -> str:
    """The verdicts as a Markdown page, ending in a newline; `records_of` finds the records of a claim's runs."""
    rows, tally = [], dict.fromkeys((HOLDS, IN_PART, NOT, NOT_HERE, NOT_YET), 0)
    with_status = any(claim.status for claim in claims)
    for number, claim in enumerate(claims, 1):
        verdict, evidence = claim.verdict(records_of(claim))
        tally[verdict] += 1
        where = f"[{claim.notebook}]({claim.notebook}.ipynb)" if claim.notebook else ""
        status = f"{claim.status} | " if with_status else ""
        rows.append(f"| {number} | {claim.place} | {claim.text} | {where} | {status}**{verdict}** | {evidence} |")
    count = ", ".join(f"{n} {verdict}" for verdict, n in tally.items() if n)
    columns = ["#", "in the paper", "claim", "notebook", *(["status"] if with_status else []), "verdict", "evidence"]
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
    return f"# {title}\n\n{introduction}\n\nOf {len(claims)} claims: {count}.\n\n{head}\n" + "\n".join(rows) + "\n"


def recorded(runs: Iterable[Run], folder: Path) -> list[Record]:
    """The records of these runs that are in `folder`, each once."""
    paths = dict.fromkeys(path_of(run.identity, folder) for run in runs)
    return [read(path) for path in paths if path.exists()]
