"""A chapter's verdict: every claim of a paper, the notebook that tests it, and what the records say of it.

How a verdict is reached is told in `dcbook.experiments.verdict`; here claims are put to that rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcbook.book.protocol import Protocol
from dcbook.experiments import Contrast, Question, Record, Run, by_value, contrast, paired, power, seeds_needed
from dcbook.experiments.compare import TOLERANCE
from dcbook.experiments.contrast import POINTS
from dcbook.experiments.power import ENOUGH, MOST
from dcbook.experiments.records import path_of, read, value_of
from dcbook.experiments.verdict import (
    CONTRADICTED,
    NO_EFFECT,
    SUPPORTED,
    UNDECIDED,
    VERDICTS,
    combined,
    simultaneous,
)

NOT_YET, NOT_HERE = "not tested yet", "not testable here"
TOO_SMALL = "at this share of the protocol, which is too small to count against the paper"
METRICS = {"acc": "ACC", "nmi": "NMI"}


class NotTested(ValueError):
    """A claim's records do not answer it; the message says what is missing."""


@dataclass(frozen=True)
class Answer:
    """What records say of a claim.

    Attributes
    ----------
    questions : sequence of Question
        Each part of the claim.
    note : str
        More evidence, in words.
    every : bool
        Whether the claim is about each of several, see `dcbook.experiments.verdict.combined`.
    premises : sequence of Question
        What must be supported before the questions mean anything, such as that the measure tells a trained from an
        untrained network. With one that is not, the claim is undecided.
    """

    questions: Sequence[Question]
    note: str = ""
    every: bool = False
    premises: Sequence[Question] = ()

    @property
    def level(self) -> float:
        """Of each interval, so that all of them hold together at 95 %."""
        return simultaneous(len(self.questions) + len(self.premises))

    @property
    def verdict(self) -> str:
        """What the questions come to together."""
        if self._missed:
            return UNDECIDED
        return combined([question.verdict(self.level) for question in self.questions], self.every)

    @property
    def evidence(self) -> str:
        """The premises and the questions with their estimates and intervals, then the note."""
        told = [f"premise: {self._told(premise)}" for premise in self.premises]
        if self._missed:
            told.append(f"undecided, since {'a premise is' if self.premises[1:] else 'the premise is'} not supported")
        told += [self._told(question) for question in self.questions]
        return "; ".join(told + [self.note] * bool(self.note))

    @property
    def _missed(self) -> list[Question]:
        return [premise for premise in self.premises if premise.verdict(self.level) != SUPPORTED]

    def _told(self, question: Question) -> str:
        return f"{question.about} {question.estimate.told(self.level)}".strip()

    def p(self) -> float:
        """The smallest error at which the claim is still supported or contradicted; 1 where it is neither."""
        if self._missed:
            return 1.0
        each = [question.p() for question in self.questions]
        if self.verdict == CONTRADICTED:
            against = [p for p, q in zip(each, self.questions, strict=True) if q.verdict() == CONTRADICTED]
            return min(1.0, len(each) * min(against))
        return max(each + [premise.p() for premise in self.premises])

    def power(self, gain: float) -> Power | None:
        """The chance to support a true gain of that many points, at the scatter of the seeds; None without such a part.

        Of several parts, that of the one which scatters most. Parts that ask for something small, or for no more than
        a small loss, have none.
        """
        asked = [q for q in self.questions if q.within is None and q.below is None and q.above >= 0]
        gains = [q.estimate for q in asked if q.estimate.unit == POINTS]
        scatters = [(each.scatter, each) for each in gains if min(map(len, each.gains.values())) > 1]
        if not scatters:
            return None
        scatter, widest = max(scatters, key=lambda pair: pair[0])
        scatter, n = round(scatter, 2), len(self.questions) + len(self.premises)
        seeds = tuple(map(len, widest.gains.values()))
        return Power(gain, power(gain, scatter, seeds, n), seeds_needed(gain, scatter, len(seeds), n))


@dataclass(frozen=True)
class Power:
    """With which probability a true gain, in points, would be supported; and the seeds a data set that 0.8 takes.

    `seeds` is None where more than `dcbook.experiments.power.MOST` would be needed.
    """

    gain: float
    probability: float
    seeds: int | None

    def __str__(self) -> str:
        found = f"a true gain of {self.gain:g} points would be noticed with probability {self.probability:.2f}"
        if self.probability >= ENOUGH:
            return found
        return f"{found} ({f'{self.seeds} seeds' if self.seeds else f'more than {MOST} seeds'} would be needed)"


Judge = Callable[[Sequence[Record]], Answer]


@dataclass(frozen=True)
class Verdict:
    """The outcome for one claim; `answer` is None where it was not tested, and `evidence` says why."""

    verdict: str
    evidence: str
    answer: Answer | None = None
    protocol: Protocol | None = None
    power: Power | None = None


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
        From records to an `Answer`, raising `NotTested` where they do not hold one; or why it is not tested.
    runs : callable, optional
        From the name of a scale to the runs that decide; none where `judge` says why it is not tested.
    status : str, optional
        How well what is tested is known to be what the paper tested; a column of the page, where a chapter has it.
    scale : str
        Whose records decide: "laptop", or "paper" as soon as those are there.
    gain : float
        The gain that the paper claims, in points; where it names none, `TOLERANCE`. The power of the test is for this.
    protocol : callable, optional
        In place of the chapter's, for a claim of another paper, or of none.
    """

    place: str
    text: str
    notebook: str
    judge: Judge | str
    runs: Callable[[str], Iterable[Run]] | None = None
    status: str = ""
    scale: str = "laptop"
    gain: float = TOLERANCE
    protocol: Callable[[Sequence[Record]], Protocol | None] | None = None

    def verdict(
        self, records: Sequence[Record], protocol: Callable[[Sequence[Record]], Protocol | None] = lambda _: None
    ) -> Verdict:
        """What the records of its runs say, and which share of the paper's protocol that rests on.

        A claim is called contradicted, or without effect, only where that share is large enough; else it is undecided.
        """
        if isinstance(self.judge, str):
            return Verdict(NOT_YET if self.judge.startswith(NOT_YET) else NOT_HERE, self.judge)
        if not records:
            return Verdict(NOT_YET, "its runs have no records")
        try:
            answer = self.judge(records)
        except NotTested as missing:
            return Verdict(NOT_YET, str(missing))
        share, verdict, evidence = (self.protocol or protocol)(records), answer.verdict, answer.evidence
        if share and not share.enough and verdict in (CONTRADICTED, NO_EFFECT):
            evidence = (
                f"{verdict} at this share of the protocol, which is too small to count against the paper: {evidence}"
            )
            verdict = UNDECIDED
        return Verdict(verdict, evidence, answer, share, answer.power(self.gain))


def gains(better: str, worse: str) -> Judge:
    """`better` beats `worse` in ACC and in NMI: pairs of one data set and seed."""
    return lambda records: in_both_metrics(lambda metric: contrast(records, better, worse, metric))


def beats_all(better: str, rivals: Sequence[str]) -> Judge:
    """`better` beats every one of `rivals`, those that have records, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Answer:
        there = {record.run["method"] for record in records}
        if better not in there or not there & set(rivals):
            raise NotTested(f"no records of {better} beside {', '.join(rivals)}")
        questions = [
            Question(f"{METRICS[metric]} over {rival}", contrast(records, better, rival, metric))
            for metric in METRICS
            for rival in rivals
            if rival in there
        ]
        return Answer(questions, every=True)

    return judge


def beats(setting: str, better: Any, worse: Any) -> Judge:
    """The same method is better at one value of a setting than at another, in ACC and in NMI, pair by pair."""

    def judge(records: Sequence[Record]) -> Answer:
        found = by_value(records, setting)
        return in_both_metrics(lambda metric: paired(found.get(better, []), found.get(worse, []), metric))

    return judge


def in_both_metrics(contrast_in: Callable[[str], Contrast], **how: Any) -> Answer:
    """A comparison that is made in ACC and in NMI; `how` goes to `Question`. NotTested where it finds no pairs."""
    try:
        return Answer([Question(name, contrast_in(metric), **how) for metric, name in METRICS.items()])
    except ValueError as error:
        raise NotTested(str(error)) from None


def matters_little(setting: Mapping[str, Any], *others: Mapping[str, Any], limit: float = TOLERANCE) -> Judge:
    """At each of the `others` scores lie within `limit` points of those at `setting`, in ACC and in NMI, pair by pair.

    A setting is a mapping from names to values: {"zeta": 0.8, "gamma": 0.2}.
    """

    def judge(records: Sequence[Record]) -> Answer:
        def at(values: Mapping[str, Any]) -> list[Record]:
            return [r for r in records if all(value_of(r, name) == value for name, value in values.items())]

        try:
            questions = [
                Question(f"{METRICS[metric]} at {_told(other)}", paired(at(other), at(setting), metric), within=limit)
                for metric in METRICS
                for other in others
            ]
        except ValueError as error:
            raise NotTested(str(error)) from None
        return Answer(questions, f"differences from {_told(setting)}", every=True)

    return judge


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())


def means_at(records: Sequence[Record], settings: Sequence[str], metric: str) -> dict[tuple, float]:
    """Values of the settings to the mean over the seeds, in per cent."""
    found: dict[tuple, list[float]] = {}
    for record in records:
        found.setdefault(tuple(value_of(record, name) for name in settings), []).append(100 * record.scores[metric])
    return {values: float(np.mean(scores)) for values, scores in found.items()}


def page(title: str, introduction: str, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> str:
    """The verdicts as a Markdown page, ending in a newline."""
    with_status = any(claim.status for claim in claims)
    columns = ["#", "in the paper", "claim", "notebook", *(["status"] if with_status else [])]
    columns += ["verdict", "rests on", "evidence"]
    rows = []
    for number, (claim, found) in enumerate(zip(claims, verdicts, strict=True), 1):
        where = f"[{claim.notebook}]({claim.notebook}.ipynb)" if claim.notebook else ""
        cells = [str(number), claim.place, claim.text, where, *([claim.status] if with_status else [])]
        rows.append(f"| {' | '.join([*cells, f'**{found.verdict}**', rests_on(claim, found), found.evidence])} |")
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
    count = f"Of {len(claims)} claims: {told_counts(verdicts)}."
    return f"# {title}\n\n{introduction}\n\n{count}\n\n{head}\n" + "\n".join(rows) + "\n"


def told_counts(verdicts: Iterable[Verdict]) -> str:
    """How many claims have each verdict: "3 supported, 5 undecided"."""
    found = [each.verdict for each in verdicts]
    return ", ".join(f"{found.count(name)} {name}" for name in (*VERDICTS, NOT_HERE, NOT_YET) if name in found)


def rests_on(claim: Claim, found: Verdict) -> str:
    """Scale, share of the protocol and power of a verdict, in words."""
    if found.answer is None:
        return ""
    parts = [f"`{claim.scale}`" + (f": {found.protocol}" if found.protocol else "")]
    if found.power:
        parts.append(str(found.power))
    return "; ".join(parts)


def recorded(runs: Iterable[Run], folder: Path) -> list[Record]:
    """The records of these runs that are in `folder`, each once."""
    paths = dict.fromkeys(path_of(run.identity, folder) for run in runs)
    return [read(path) for path in paths if path.exists()]
