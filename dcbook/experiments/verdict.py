"""The rule by which all claims of the book are judged.

A claim is divided into questions. Each asks whether one measured difference, or the rate of an event, lies above a
limit (`above`; 0 unless the claim states another limit), or whether it is small (`within`). The answer comes from its
confidence interval:

- supported: the interval lies above the limit, or within the band;
- contradicted: it lies below the limit, or outside the band;
- no effect: it lies within `BAND` points on both sides of 0, although a gain was claimed;
- mixed: supported on one data set, contradicted or without effect on another;
- undecided: none of these; the runs do not decide the question.

The intervals of a claim hold simultaneously at 95 %: with m questions, each has the level 1 - 0.05 / m (Bonferroni). A
claim such as "better than every other method" has an interval for each rival. Whether data sets disagree, which makes
a question mixed, is read from intervals of the data sets that hold together at 95 % for that question alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcbook.experiments.contrast import LEVEL, POINTS, Contrast, Interval, Rate

SUPPORTED, CONTRADICTED, NO_EFFECT = "supported", "contradicted", "no effect"
MIXED, UNDECIDED = "mixed", "undecided"
VERDICTS = (SUPPORTED, CONTRADICTED, NO_EFFECT, MIXED, UNDECIDED)
BAND = 1.0  # points: half of what counts as an improvement where a paper names no size, see `TOLERANCE`
MOST = 50.0  # per cent of the runs, the limit for "in most runs"


@dataclass(frozen=True)
class Question:
    """One comparison that a claim rests on.

    Attributes
    ----------
    about : str
        What is compared, in a few words: "ACC over DEC".
    estimate : Contrast or Rate
        The measured quantity.
    above : float
        The claim is that the true value is larger than this, in the estimate's unit.
    below : float, optional
        The claim is instead that the true value is smaller than this.
    within : float, optional
        The claim is instead that the true value is at most this far from 0.
    band : float, optional
        Values at most this far from 0 count as no effect; None if the unit has no band or the claim is not a gain
        over 0.
    """

    about: str
    estimate: Contrast | Rate
    above: float = 0.0
    below: float | None = None
    within: float | None = None
    band: float | None = BAND

    def verdict(self, level: float = LEVEL) -> str:
        """One of `VERDICTS`, from the interval over all data sets, unless single data sets disagree.

        `level` is that of the interval over all data sets. Those of the single data sets hold together at `LEVEL`
        whatever `level` is: a claim of many questions hides no disagreement.
        """
        names = list(self.estimate.means)
        alone = simultaneous(len(names))
        each = {self.read(self.estimate.interval_on(name, alone)) for name in names}
        if SUPPORTED in each and each & {CONTRADICTED, NO_EFFECT}:
            return MIXED
        return self.read(self.estimate.interval(level))

    def read(self, interval: Interval) -> str:
        """The verdict from one interval of the estimate."""
        low, high = interval
        if self.within is not None:
            if -self.within <= low and high <= self.within:
                return SUPPORTED
            return CONTRADICTED if high < -self.within or low > self.within else UNDECIDED
        if self.below is not None:
            return SUPPORTED if high < self.below else CONTRADICTED if low > self.below else UNDECIDED
        if self._banded and -self.band <= low and high <= self.band:
            return NO_EFFECT
        return SUPPORTED if low > self.above else CONTRADICTED if high < self.above else UNDECIDED

    def p(self) -> float:
        """The smallest error probability at which the question has its verdict; 1 unless supported or contradicted."""
        verdict = self.verdict()
        if verdict not in (SUPPORTED, CONTRADICTED):
            return 1.0
        kept, lost = LEVEL, 1.0
        for _ in range(30):
            middle = (kept + lost) / 2
            kept, lost = (middle, lost) if self.verdict(middle) == verdict else (kept, middle)
        return 1 - kept

    @property
    def _banded(self) -> bool:
        return self.band is not None and self.above == 0 and self.estimate.unit == POINTS


def simultaneous(n: int) -> float:
    """The level of each of n intervals that hold simultaneously at `LEVEL`."""
    return 1 - (1 - LEVEL) / n


def combined(verdicts: Sequence[str], every: bool = False) -> str:
    """The verdict of a claim that consists of several statements, all of which must be true.

    every : whether the claim is about each of several, such as all rivals, so that one contradiction contradicts it.
    """
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    if CONTRADICTED in found and (every or not found & {SUPPORTED, MIXED}):
        return CONTRADICTED
    partly = MIXED in found or CONTRADICTED in found or {SUPPORTED, NO_EFFECT} <= found
    return MIXED if partly else UNDECIDED


def discoveries(errors: Sequence[float], rate: float = 1 - LEVEL) -> list[bool]:
    """Which of many results remain at a false discovery rate of `rate` (Benjamini and Hochberg 1995).

    errors : the smallest error probability of each result (`Question.p`).
    """
    order = sorted(range(len(errors)), key=errors.__getitem__)
    passed = [rank for rank, i in enumerate(order, 1) if errors[i] <= rate * rank / len(errors)]
    standing = set(order[: max(passed, default=0)])
    return [i in standing for i in range(len(errors))]
