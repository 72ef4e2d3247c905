"""Judges of claims that compare scores: one method with another, one setting with another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.experiments import Contrast, Question, Record, by_value, contrast, paired
from dcbook.experiments.compare import TOLERANCE
from dcbook.experiments.records import value_of

METRICS = {"acc": "ACC", "nmi": "NMI"}


def gains(better: str, worse: str, setting: Callable[[Record], str] | None = None) -> Judge:
    """`better` beats `worse` in ACC and in NMI: pairs of one data set and seed.

    setting : as in `beats_all`.
    """
    return lambda records: in_both_metrics(lambda metric: several(contrast(records, better, worse, metric, setting)))


def beats_all(
    better: str,
    rivals: Sequence[str],
    metrics: Sequence[str] = tuple(METRICS),
    setting: Callable[[Record], str] | None = None,
    **how: Any,
) -> Judge:
    """`better` beats every one of `rivals` in each metric; those without records are `absent`.

    `how` goes to `Question`.

    setting : the place of a run where the runs of a seed differ in a setting, see `dcbook.experiments.over_settings`.
    """

    def judge(records: Sequence[Record]) -> Answer:
        there = {record.run["method"] for record in records}
        if better not in there or not there & set(rivals):
            raise NotTested(f"no records of {better} beside {', '.join(rivals)}")
        questions = [
            Question(
                f"{METRICS[metric]} over {rival}", several(contrast(records, better, rival, metric, setting)), **how
            )
            for metric in metrics
            for rival in rivals
            if rival in there
        ]
        return Answer(questions, every=True, absent=[rival for rival in rivals if rival not in there])

    return judge


def several(found: Contrast) -> Contrast:
    """Without the data sets that have one seed, as long as another has more: records come one by one."""
    more = {place: values for place, values in found.gains.items() if len(values) > 1}
    return replace(found, gains=more or found.gains)


def beats(setting: str, better: Any, worse: Any) -> Judge:
    """The same method is better at one value of a setting than at another, in ACC and in NMI, pair by pair."""

    def judge(records: Sequence[Record]) -> Answer:
        found = by_value(records, setting)
        return in_both_metrics(lambda metric: paired(found.get(better, []), found.get(worse, []), metric))

    return judge


def in_both_metrics(contrast_in: Callable[[str], Contrast], **how: Any) -> Answer:
    """A comparison that is made in ACC and in NMI; `how` goes to `Question`."""
    return Answer([Question(name, contrast_in(metric), **how) for metric, name in METRICS.items()])


def matters_little(setting: Mapping[str, Any], *others: Mapping[str, Any], limit: float = TOLERANCE) -> Judge:
    """At each of the `others` scores lie within `limit` points of those at `setting`, in ACC and in NMI, pair by pair.

    A setting is a mapping from names to values: {"zeta": 0.8, "gamma": 0.2}.
    """

    def judge(records: Sequence[Record]) -> Answer:
        def at(values: Mapping[str, Any]) -> list[Record]:
            return [r for r in records if all(value_of(r, name) == value for name, value in values.items())]

        questions = [
            Question(f"{METRICS[metric]} at {_told(other)}", paired(at(other), at(setting), metric), within=limit)
            for metric in METRICS
            for other in others
        ]
        return Answer(questions, f"differences from {_told(setting)}", every=True)

    return judge


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())
