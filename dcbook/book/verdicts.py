"""A chapter's verdict: every claim of a paper, the notebook that tests it, and what the records say of it.

How a verdict is reached is told in `dcbook.experiments.verdict`; here claims are put to that rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dcbook.book.protocol import Protocol
from dcbook.experiments import Question, Record, Run, power, seeds_needed
from dcbook.experiments.compare import TOLERANCE
from dcbook.experiments.contrast import POINTS, Contrast, NoPairs, Rate
from dcbook.experiments.power import ENOUGH, MOST
from dcbook.experiments.records import path_of, read
from dcbook.experiments.verdict import (
    CONTRADICTED,
    MIXED,
    NO_EFFECT,
    SUPPORTED,
    UNDECIDED,
    VERDICTS,
    combined,
    simultaneous,
)

NOT_YET, NOT_HERE = "not tested yet", "not testable here"
AGAINST = (CONTRADICTED, NO_EFFECT, MIXED)  # verdicts that speak against a paper, all of it or a part
TOO_SMALL = "at this share of the protocol, which is too small to count against the paper"


class NotTested(NoPairs):
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
    absent : sequence of str
        What the claim is about, too, and no record is of, such as rivals that were not run. Without them the claim is
        undecided where it would be supported; it may well be contradicted.
    """

    questions: Sequence[Question]
    note: str = ""
    every: bool = False
    premises: Sequence[Question] = ()
    absent: Sequence[str] = ()

    def __post_init__(self):
        if not self.questions:
            raise NotTested("its records answer no question")

    @property
    def level(self) -> float:
        """Of each interval, so that all of them hold together at 95 %."""
        return simultaneous(len(self.questions) + len(self.premises))

    @property
    def bounded(self) -> bool:
        """Whether every interval has two ends; that of a single seed has none."""
        return all(math.isfinite(end) for found in self._estimates for end in found.interval(self.level))

    @property
    def unbounded(self) -> str:
        """In words, why an interval has no two ends; for an answer that is not `bounded`."""
        asked = [*self.premises, *self.questions]
        if broken := [each.about for each in asked if not math.isfinite(each.estimate.mean)]:
            return f"a run has no finite value of: {', '.join(broken)}"
        contrasts = [found for found in self._estimates if isinstance(found, Contrast)]
        sizes = {len(values) for found in contrasts for values in found.samples.values()}
        which = "only one seed has run" if sizes == {1} else "a data set has one seed"
        return f"{which} so far, and an interval takes at least two"

    @property
    def verdict(self) -> str:
        """What the questions come to together."""
        return UNDECIDED if self._missed or self._too_few else self._combined

    @property
    def evidence(self) -> str:
        """The premises and the questions with their estimates and intervals, then the note."""
        told = [f"premise: {self._told(premise)}" for premise in self.premises]
        told += [self.missed] * bool(self.missed)
        told += [self._told(question) for question in self.questions]
        return "; ".join(told + [self.note] * bool(self.note))

    @property
    def missed(self) -> str:
        """In words, that a premise is not supported, and what was not run; empty where neither is so."""
        which = "a premise is" if self.premises[1:] else "the premise is"
        told = [f"undecided, since {which} not supported"] * bool(self._missed)
        told += [f"{'undecided, since ' * self._too_few}not run: {', '.join(self.absent)}"] * bool(self.absent)
        return "; ".join(told)

    @property
    def _combined(self) -> str:
        return combined([question.verdict(self.level) for question in self.questions], self.every)

    @property
    def _too_few(self) -> bool:
        return bool(self.absent) and self._combined == SUPPORTED

    @property
    def _missed(self) -> list[Question]:
        return [premise for premise in self.premises if premise.verdict(self.level) != SUPPORTED]

    @property
    def _estimates(self) -> list[Contrast | Rate]:
        return [each.estimate for each in (*self.premises, *self.questions)]

    def _told(self, question: Question) -> str:
        return f"{question.about} {question.estimate.told(self.level)}".strip()

    def p(self) -> float:
        """The smallest error at which the claim is still supported or contradicted; 1 where it is neither."""
        if self._missed or self._too_few:
            return 1.0
        each, premises = ([asked.p() for asked in some] for some in (self.questions, self.premises))
        if self.verdict == CONTRADICTED:
            against = [p for p, q in zip(each, self.questions, strict=True) if q.verdict() == CONTRADICTED]
            return max([min(1.0, len(each) * min(against, default=1.0)), *premises])
        return max(each + premises)

    def power(self, gain: float) -> Power | None:
        """The chance to support a true gain of that many points, at the scatter of the seeds.

        Of several parts, that of the one which scatters most. Parts that ask for no more than a small loss have none,
        nor have those that ask for more than a limit above 0: the power is that of a gain over 0. A
        claim that differences are small has the chance to support a true difference of 0. None for other claims, such
        as on rates, correlations and shares, for which no paper names a size.
        """
        gains = [q for q in self.questions if q.within is None and q.below is None and q.above == 0]
        asked = _scattering(gains) or _scattering(q for q in self.questions if q.within)
        if not asked:
            return None
        widest = max(asked, key=lambda question: question.estimate.scatter)
        gain = gain if widest.within is None else 0.0
        scatter, n = round(widest.estimate.scatter, 2), len(self.questions) + len(self.premises)
        seeds = tuple(map(len, widest.estimate.samples.values()))
        found = power(gain, scatter, seeds, n, widest.within)
        return Power(gain, found, seeds_needed(gain, scatter, len(seeds), n, widest.within))


def _scattering(questions: Iterable[Question]) -> list[Question]:
    """Those about differences in points that every data set has for two seeds or more."""
    points = [question for question in questions if question.estimate.unit == POINTS]
    return [question for question in points if min(map(len, question.estimate.samples.values())) > 1]


@dataclass(frozen=True)
class Power:
    """With which probability a true gain, in points, would be supported; and the seeds a data set that 0.8 takes.

    A gain of 0 is that of a claim that a difference is small. `seeds` is None where more than
    `dcbook.experiments.power.MOST` would be needed.
    """

    gain: float
    probability: float
    seeds: int | None

    @property
    def truth(self) -> str:
        """The true difference that it is computed for, in words."""
        return f"a true gain of {self.gain:g} points" if self.gain else "a true difference of 0"

    def __str__(self) -> str:
        found = f"power {self.probability:.2f} for {self.truth}"
        if self.probability >= ENOUGH:
            return found
        return f"{found} ({ENOUGH:g} needs {f'{self.seeds} seeds' if self.seeds else f'more than {MOST} seeds'})"


Judge = Callable[[Sequence[Record]], Answer]


@dataclass(frozen=True)
class Verdict:
    """The outcome for one claim; `answer` is None where it was not tested, and `evidence` says why."""

    verdict: str
    evidence: str
    answer: Answer | None = None
    protocol: Protocol | None = None
    power: Power | None = None

    def noting(self, note: str) -> Verdict:
        """The same with one more note; for a claim that was tested."""
        if not note:
            return self
        answer = replace(self.answer, note="; ".join(filter(None, (self.answer.note, note))))
        return replace(self, evidence=f"{self.evidence}; {note}", answer=answer)


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
        From records to an `Answer`, raising `NotTested` (or `NoPairs`) where they do not hold one; or why it is not
        tested.
    runs : callable, optional
        From the name of a scale to the runs that decide; none where `judge` says why it is not tested.
    status : str, optional
        How well what is tested is known to be what the paper tested; a column of the page, where a chapter has it.
    scale : str
        Whose records decide: "laptop", or "paper" where those cover as many data sets.
    beside : str
        Another scale, whose records are told in the note and have no say in the verdict; by default none.
    gain : float
        The gain that the paper claims, in points; where it names none, `TOLERANCE`. The power of the test is for this.
    protocol : callable, optional
        In place of the chapter's, for a claim of another paper, or of none.
    picture : str, optional
        Which of the pictures that its notebook shows, as `Book.save_figure` named it ("loss.svg"); by default the
        first, None where none of them shows the claim.
    """

    place: str
    text: str
    notebook: str
    judge: Judge | str
    runs: Callable[[str], Iterable[Run]] | None = None
    status: str = ""
    scale: str = "laptop"
    beside: str = ""
    gain: float = TOLERANCE
    protocol: Callable[[Sequence[Record]], Protocol | None] | None = None
    picture: str | None = ""

    def verdict(
        self, records: Sequence[Record], protocol: Callable[[Sequence[Record]], Protocol | None] = lambda _: None
    ) -> Verdict:
        """What the records of its runs say, and which share of the paper's protocol that rests on.

        A claim is called contradicted, without effect or mixed only where that share is large enough; else it is
        undecided.
        """
        if isinstance(self.judge, str):
            return Verdict(NOT_YET if self.judge.startswith(NOT_YET) else NOT_HERE, self.judge)
        if not records:
            return Verdict(NOT_YET, "its runs have no records")
        try:
            answer = self.judge(records)
        except NoPairs as missing:
            return Verdict(NOT_YET, str(missing))
        if not answer.bounded:
            return Verdict(NOT_YET, answer.unbounded)
        share, verdict, evidence = (self.protocol or protocol)(records), answer.verdict, answer.evidence
        if share and not share.enough and verdict in AGAINST:
            evidence = f"{verdict} {TOO_SMALL}: {evidence}"
            verdict = UNDECIDED
        return Verdict(verdict, evidence, answer, share, answer.power(self.gain))


def told_counts(verdicts: Iterable[Verdict]) -> str:
    """How many claims have each verdict: "3 supported, 5 undecided"."""
    found = [each.verdict for each in verdicts]
    return ", ".join(f"{found.count(name)} {name}" for name in (*VERDICTS, NOT_HERE, NOT_YET) if name in found)


def recorded(runs: Iterable[Run], folder: Path) -> list[Record]:
    """The records of these runs that are in `folder`, each once."""
    paths = dict.fromkeys(path_of(run.identity, folder) for run in runs)
    return [read(path) for path in paths if path.exists()]
