"""Judges of this chapter's claims."""

from collections.abc import Sequence

from scipy.stats import spearmanr

from dcbook.book.comparisons import METRICS, in_both_metrics
from dcbook.book.verdicts import Answer, NotTested
from dcbook.chapters.contrastive import tables
from dcbook.experiments import Contrast, Question, Record, grouped

HALF = 50.0  # per cent of the neighbors: "most"


def step_2_gains(records: Sequence[Record]) -> Answer:
    """The gain of SCAN's step 2, at the epoch that SCAN selects, over k-means on its pretext, pair by pair."""
    return _between(records, "pretext", "step 2")


def self_labels_help(records: Sequence[Record]) -> Answer:
    """The gain of SCAN's final result over its step 2, run by run."""
    return _between(records, "step 2", "step 3")


def _between(records: Sequence[Record], before: str, after: str) -> Answer:
    frame = tables.scan_steps(records)
    if frame.empty:
        raise NotTested("no record of SCAN beside its pretext")

    def gain(metric: str) -> Contrast:
        rows = frame[frame["metric"] == metric]
        return Contrast(grouped(zip(rows["dataset"], rows[after] - rows[before], strict=True)))

    return in_both_metrics(gain)


def confident_is_right(records: Sequence[Record]) -> Answer:
    """Confidence and NMI over the epochs have a positive rank correlation, in the runs of PICA."""
    found = [
        (record.run["dataset"], _rank_correlation(*zip(*told, strict=True)))
        for record in records
        if record.run["method"] == "PICA"
        and len(told := [(e["confidence"], e["nmi"]) for e in record.history if "nmi" in e and "confidence" in e]) > 2
    ]
    if not found:
        raise NotTested("no record of PICA")
    about = "rank correlation of confidence and NMI over the epochs"
    return Answer([Question(about, Contrast(grouped(found), "", False), band=None)])


def mostly_of_one_class(records: Sequence[Record]) -> Answer:
    """On each data set, more than half of the 20 neighbors by the longest pretext have the image's class."""
    frame = tables.premise(records)
    if frame.empty:
        raise NotTested("no record of the pretext")
    longest = frame[frame["epochs"] == frame.groupby("dataset")["epochs"].transform("max")]
    questions = [
        Question(
            f"neighbors with the image's class on {name}",
            Contrast({name: tuple(rows["purity"])}, "%"),
            above=HALF,
            band=None,
        )
        for name, rows in longest.groupby("dataset", sort=False)
    ]
    return Answer(questions, every=True)


def purer_gains_more(records: Sequence[Record]) -> Answer:
    """Over the lengths of the pretext, purity and SCAN's gain have a positive rank correlation, seed by seed."""
    frame = tables.premise(records)
    told = [
        (dataset, metric, _rank_correlation(rows["purity"], rows[metric]))
        for (dataset, _), rows in (frame.groupby(["dataset", "seed"], sort=False) if len(frame) else ())
        if len(rows) > 2
        for metric in METRICS
    ]
    if not told:
        raise NotTested("no record of SCAN's heads after pretexts of three lengths or more")

    def question(metric: str) -> Question:
        correlation = Contrast(grouped((name, value) for name, which, value in told if which == metric), "", False)
        return Question(f"rank correlation of neighbor purity and gain in {METRICS[metric]}", correlation, band=None)

    return Answer([question(metric) for metric in METRICS], every=True)


def labels_choose_better(records: Sequence[Record]) -> Answer:
    """The epoch that the released code chooses by labels scores higher than the last one, in DCCM, PICA and SPICE."""
    frame = tables.choices(records)
    if frame.empty:
        raise NotTested("no record of DCCM, PICA or SPICE")

    def question(method: str, metric: str) -> Question:
        rows = frame[(frame["method"] == method) & (frame["metric"] == metric)]
        gains = Contrast(grouped(zip(rows["dataset"], rows["chosen"] - rows["last"], strict=True)))
        return Question(f"{METRICS[metric]} of {method}, chosen epoch over last epoch", gains)

    methods = [name for name in tables.CHOSEN_BY if name in set(frame["method"])]
    return Answer([question(method, metric) for method in methods for metric in METRICS])


def guards_hold(records: Sequence[Record]) -> Answer:
    """Each method has a larger effective number of clusters than without its term or step against collapse."""
    frame = tables.guards(records)
    if frame.empty:
        raise NotTested("no record of a method beside its variant")
    questions = []
    for (method, taken), rows in frame.groupby(["method", "taken"], sort=False):
        lost = rows["clusters"] - rows["clusters_without"]
        contrast = Contrast(grouped(zip(rows["dataset"], lost, strict=True)), "", True)
        questions.append(
            Question(f"effective number of clusters of {method} over that without {taken}", contrast, band=None)
        )
    return Answer(questions, every=True)


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation, in [-1, 1]; 0 if one of the two is constant."""
    return float(spearmanr(a, b).statistic) if len(set(a)) > 1 and len(set(b)) > 1 else 0.0
