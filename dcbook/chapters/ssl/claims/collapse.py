"""Judges of the article's claims about collapse."""

from collections.abc import Callable, Sequence

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.grids import WEIGHTS, weighted
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Contrast, Question, Record, counted, grouped
from dcbook.experiments.records import place
from dcbook.experiments.verdict import MOST

ALL, HALF = 99.0, 50.0  # per cent of the samples in the largest cluster that count as "all", and as a collapse


def largest_share(records: Sequence[Record], method: str) -> Contrast:
    """The share of the samples in the largest cluster, %, of each run of a method."""
    found = [r for r in records if r.run["method"] == method]
    if not found:
        raise NotTested(f"no record of {method}")
    shares = grouped((place(r.run), 100 * usage(r.portrait["sizes"])["largest"]) for r in found)
    return Contrast(shares, "%", bounds=(0, 100))


def all_in_one(records: Sequence[Record]) -> Answer:
    """Neighbor consistency puts all samples into one cluster without its entropy term, and not with SCAN's weight."""
    without, released = weighted(WEIGHTS[0]), weighted(WEIGHTS[-1])
    shares = largest_share(records, without).gains
    all_in = counted((where, share > ALL) for where, found in shares.items() for share in found)
    return Answer(
        [
            Question(f"all samples in one cluster, {without}, in", all_in, above=MOST),
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


def ran_empty(records: Sequence[Record], method: str) -> Question:
    """Some cluster ran empty without repair: the largest share of empty clusters in any epoch is above 0."""
    found = [
        (place(r.run), 100 * (1 - min(epoch["clusters"] for epoch in r.history) / r.run["params"]["n_clusters"]))
        for r in records
        if r.run["method"] == method
    ]
    if not found:
        raise NotTested(f"no record of {method}")
    share = Contrast(grouped(found), "% of the clusters", bounds=(0, 100))
    return Question(f"some cluster ran empty without repair, {method}:", share, band=None)


def needs(safe: str, unsafe: str, *happened: Callable[[Sequence[Record], str], Question]) -> Judge:
    """Without its safeguard a method puts more than half of the samples into one cluster; with it, less: a premise.

    `happened`: further premises, from the records and `unsafe`: what the safeguard is for must have happened.
    """

    def judge(records: Sequence[Record]) -> Answer:
        guarded = Question(f"samples in the largest cluster, {safe}:", largest_share(records, safe), below=HALF)
        bare = Question(f"samples in the largest cluster, {unsafe}:", largest_share(records, unsafe), above=HALF)
        return Answer([bare], premises=[guarded, *(event(records, unsafe) for event in happened)])

    return judge
