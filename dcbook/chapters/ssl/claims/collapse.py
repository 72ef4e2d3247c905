"""Judges of the article's claims about collapse."""

from collections.abc import Sequence

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.grids import WEIGHTS, weighted
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.records import place

ALL, HALF = 99.0, 50.0  # per cent of the samples in the largest cluster that count as "all", and as a collapse


def largest_share(records: Sequence[Record], method: str) -> Contrast:
    """The share of the samples in the largest cluster, %, of each run of a method."""
    found = [r for r in records if r.run["method"] == method]
    if not found:
        raise NotTested(f"no record of {method}")
    return Contrast(grouped((place(r.run), 100 * usage(r.portrait["sizes"])["largest"]) for r in found), "%")


def all_in_one(records: Sequence[Record]) -> Answer:
    """Neighbor consistency puts all samples into one cluster without its entropy term, and not with SCAN's weight."""
    without, released = weighted(WEIGHTS[0]), weighted(WEIGHTS[-1])
    return Answer(
        [
            Question(f"samples in the largest cluster, {without}:", largest_share(records, without), above=ALL),
            Question(f"samples in the largest cluster, {released}:", largest_share(records, released), below=HALF),
        ],
    )


def every_weight_prevents(records: Sequence[Record]) -> Answer:
    """Each weight above 0 keeps the largest cluster below half of the samples."""
    names = [weighted(w) for w in WEIGHTS if w]
    return Answer(
        [Question(f"samples in the largest cluster, {n}:", largest_share(records, n), below=HALF) for n in names],
        every=True,
    )


def needs(safe: str, unsafe: str) -> Judge:
    """Without its safeguard a method puts more than half of the samples into one cluster; with it, less."""

    def judge(records: Sequence[Record]) -> Answer:
        guarded = Question(f"samples in the largest cluster, {safe}:", largest_share(records, safe), below=HALF)
        bare = Question(f"samples in the largest cluster, {unsafe}:", largest_share(records, unsafe), above=HALF)
        return Answer([bare], premises=[guarded])

    return judge
