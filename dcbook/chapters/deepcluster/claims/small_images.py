"""Judges of the claims about DeepCluster's settings for small images, and about its relatives."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dcbook.book.verdicts import Answer, NotTested
from dcbook.experiments import Contrast, Question, Record, contrast, grouped
from dcbook.experiments.records import place
from dcbook.experiments.verdict import BAND

MEASURES = {"probe": "linear probe", "nmi": "NMI of k-means"}


def ends_below(method: str, most: float) -> Callable[[Sequence[Record]], Answer]:
    """The final NMI of the method's own clusters, in per cent, is below `most`."""

    def judge(records: Sequence[Record]) -> Answer:
        found = [(place(r.run), 100 * r.scores["nmi"]) for r in records if r.run["method"] == method]
        if not found:
            raise NotTested(f"{method} has no records")
        low, high = (choose(nmi for _, nmi in found) for choose in (min, max))
        question = Question("NMI between the final clusters and the classes", Contrast(grouped(found), "%"), below=most)
        return Answer([question], f"run by run: {low:.1f} to {high:.1f} %")

    return judge


def worth_more(better: str, worse: str, within: float = 0.0) -> Callable[[Sequence[Record]], Answer]:
    """The gain of the trained features of `better` over those of `worse`, paired, by a linear probe and by k-means.

    within : deficit of `better`, in points, that is allowed.
    """

    def judge(records: Sequence[Record]) -> Answer:
        scored = [replace(record, scores={m: record.portrait["trained"][m] for m in MEASURES}) for record in records]
        how = {"above": -within, "band": None} if within else {"band": BAND}
        return Answer([Question(told, contrast(scored, better, worse, m), **how) for m, told in MEASURES.items()])

    return judge
