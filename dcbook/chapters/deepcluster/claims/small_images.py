"""How records judge claims on what small images ask of DeepCluster, and on its relatives."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dcbook.book.verdicts import NOT_YET, Judgment, combined, counted
from dcbook.experiments import Record, contrast

MEASURES = {"probe": "linear probe", "nmi": "NMI of k-means"}


def stays_below(method: str, most: float) -> Callable[[Sequence[Record]], Judgment]:
    """The NMI of the method's own clusters, in per cent, is below `most` at the end of every run."""

    def judge(records: Sequence[Record]) -> Judgment:
        found = [100 * record.scores["nmi"] for record in records if record.run["method"] == method]
        if not found:
            return NOT_YET, f"{method} has no records"
        kept = sum(value < most for value in found)
        return counted(kept, len(found)), f"NMI {min(found):.1f} to {max(found):.1f} %, below {most:g} in {kept} runs"

    return judge


def worth_more(
    better: str, worse: str, gained: bool = False, within: float = 0.0
) -> Callable[[Sequence[Record]], Judgment]:
    """Features of `better` over those of `worse`, pair by pair, by a linear probe and by k-means.

    gained : whether what counts is the gain over the method's own untrained network, as for networks that differ.
    within : points that `better` may fall behind.
    """

    def judge(records: Sequence[Record]) -> Judgment:
        scored = [replace(record, scores=_worth(record, gained)) for record in records]
        try:
            found = {measure: contrast(scored, better, worse, measure) for measure in MEASURES}
        except ValueError as error:
            return NOT_YET, str(error)
        texts = [f"{MEASURES[measure]} {each}" for measure, each in found.items()]
        return combined([each.within(within).verdict for each in found.values()]), "; ".join(texts)

    return judge


def _worth(record: Record, gained: bool) -> dict[str, float]:
    """Of the trained features, or what they have over the untrained ones."""
    found = record.portrait
    return {m: found["trained"][m] - (found["untrained"][m] if gained else 0) for m in MEASURES}
