"""The questions behind a claim as ``claims.json`` holds them, and which of them a page has room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dcbook.book.verdicts import Answer
from dcbook.experiments import Question
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED

SHOWN = 4  # questions that a page shows, those that speak most against the claim; ``INTERVALS.md`` has all
AGAINST = (CONTRADICTED, NO_EFFECT, MIXED, UNDECIDED, SUPPORTED)
Data = Mapping[str, Any]


def answered(answer: Answer) -> dict[str, list[dict]]:
    """The premises and the questions of an answer, at its level."""
    return {
        "premises": [as_data(premise, answer.level) for premise in answer.premises],
        "questions": [as_data(question, answer.level) for question in answer.questions],
    }


def as_data(question: Question, level: float) -> dict[str, Any]:
    """A question with its estimate, its interval at that level, and the interval of each data set."""
    estimate = question.estimate
    limits = {name: getattr(question, name) for name in ("within", "below", "above")}
    limit = next({name: limit} for name, limit in limits.items() if limit is not None)
    between = estimate.between(level)
    return {
        "about": question.about,
        "verdict": question.verdict(level),
        "unit": estimate.unit,
        "paired": estimate.differs,
        **limit,
        **_interval(estimate.mean, estimate.interval(level)),
        "level": level,
        "n": estimate.n,
        "n data sets": estimate.n_sets,
        "between data sets": list(between) if between else None,
        "data sets": {n: _interval(m, estimate.interval_on(n, level)) for n, m in estimate.means.items()},
    }


def _interval(mean: float, interval: tuple[float, float]) -> dict[str, float]:
    low, high = interval
    return {"mean": mean, "low": low, "high": high}


def asked(claim: Data) -> list[dict]:
    """The premises, marked as premises, and the questions of a claim; none if the claim was not tested."""
    premises = [{**each, "about": f"premise: {each['about']}"} for each in claim.get("premises", [])]
    return [*premises, *claim.get("questions", [])]


def most_telling(questions: Sequence[dict]) -> list[dict]:
    """At most `SHOWN` questions: where there are more, those that speak most against the claim."""
    if len(questions) <= SHOWN:
        return list(questions)
    return sorted(questions, key=lambda each: (AGAINST.index(each["verdict"]), _support(each)))[:SHOWN]


def _support(question: Data) -> float:
    """Larger for a mean that speaks more for the claim."""
    if "within" in question:
        return -abs(question["mean"])
    return -question["mean"] if "below" in question else question["mean"]
