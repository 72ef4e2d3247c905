"""Judges of this chapter's claims."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from dcbook.book.comparisons import METRICS, beats_all, several
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.contrastive import tables
from dcbook.chapters.contrastive.grids import ALONE, PRETEXT
from dcbook.experiments import Contrast, Question, Record, grouped, over_settings
from dcbook.experiments.compare import TOLERANCE

HALF = 50.0  # per cent of the neighbors: "most"
CONFOUNDED = (
    f"CC and {PRETEXT} differ in more than the cluster head: CC is trained by Adam with a constant step, {PRETEXT} by "
    "SGD with a falling step and weight decay, and with both views in one batch"
)


def naming_single_seeds(judge: Judge) -> Judge:
    """As `judge`; but if an interval is infinite, NotTested names the methods that have a single seed on a data set."""

    def judged(records: Sequence[Record]) -> Answer:
        answer = judge(records)
        if not answer.bounded and (names := _of_a_single_seed(records)):
            raise NotTested(f"only one seed of {listed(names)} has run so far, and an interval takes at least two")
        return answer

    return judged


def _of_a_single_seed(records: Sequence[Record]) -> list[str]:
    seeds = grouped(((record.run["method"], record.run["dataset"]), record.run["seed"]) for record in records)
    return list(dict.fromkeys(method for (method, _), found in seeds.items() if len(set(found)) == 1))


def listed(names: Iterable[str]) -> str:
    """Names as words: "CC, PICA and SCAN"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def clusters_help_instances(records: Sequence[Record]) -> Answer:
    """CC has higher scores than k-means after SimCLR and, where it has run, after CC's instance head alone."""
    answer = beats_all("CC", (PRETEXT, ALONE))(tables.on_codes(records))
    return replace(answer, note=CONFOUNDED)


def step_2_gains(records: Sequence[Record]) -> Answer:
    """The gain of SCAN's step 2, at the epoch that SCAN selects, over k-means and, where it was run, over our phase."""
    questions = _gained(records, "pretext", "step 2", " over k-means on the codes")
    return Answer([*questions, *_gained(records, "frozen", "step 2", " over the heads trained on frozen codes")])


def self_labels_help(records: Sequence[Record]) -> Answer:
    """The gain of SCAN's final result over its step 2, run by run."""
    return Answer(_gained(records, "step 2", "step 3"))


def _gained(records: Sequence[Record], before: str, after: str, over: str = "") -> list[Question]:
    """The gain of one step of SCAN over another, run by run, in ACC and NMI; none if no run has both."""
    frame = tables.scan_steps(records)
    if frame.empty:
        raise NotTested("no record of SCAN beside its pretext")
    frame = frame.dropna(subset=[before])

    def gain(metric: str) -> Contrast:
        rows = frame[frame["metric"] == metric]
        return Contrast(grouped(zip(rows["dataset"], rows[after] - rows[before], strict=True)))

    return [Question(f"{name}{over}", gain(metric)) for metric, name in METRICS.items()] if len(frame) else []


def confusion_falls_as_nmi_rises(records: Sequence[Record]) -> Answer:
    """PICA's confusion, its loss without the balance, and NMI have a negative rank correlation over the epochs."""
    found, trend = [], []
    for record in records:
        told = [(e["confusion"], e["nmi"]) for e in record.history if "confusion" in e and "nmi" in e]
        if record.run["method"] == "PICA" and len(told) > 2:
            confusion, nmi = zip(*told, strict=True)
            found.append((record.run["dataset"], _rank_correlation(confusion, nmi)))
            trend.append(_rank_correlation(range(len(nmi)), nmi))
    if not found:
        raise NotTested("no record of PICA")
    note = (
        "whatever falls steadily in training has such a correlation with NMI: "
        f"the rank correlation of the number of the epoch and NMI is {np.mean(trend):.2f}"
    )
    return Answer(
        [Question("rank correlation of confusion and NMI over the epochs", _correlation(found), below=0, band=None)],
        note,
    )


def mostly_of_one_class(records: Sequence[Record]) -> Answer:
    """On each data set, more than half of the 20 neighbors by the pretext of the table have the image's class."""
    portraits = [(record.run["dataset"], record.portrait) for record in records if record.run["method"] == PRETEXT]
    if not portraits:
        raise NotTested("no record of the pretext")
    purity, pixels = (grouped((name, 100 * each[space]) for name, each in portraits) for space in ("z", "pixels"))
    purity = several(Contrast(purity, "%")).gains
    questions = [
        Question(
            f"neighbors with the image's class on {name}",
            Contrast({name: found}, "%", bounds=(0, 100)),
            above=HALF,
            band=None,
        )
        for name, found in purity.items()
    ]
    told = ", ".join(f"{name} {np.mean(pixels[name]):.1f} %" for name in purity)
    return Answer(questions, f"by unit-length pixels instead of z: {told}", every=True)


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
        correlation = _correlation((name, value) for name, which, value in told if which == metric)
        return Question(f"rank correlation of neighbor purity and gain in {METRICS[metric]}", correlation, band=None)

    return Answer([question(metric) for metric in METRICS], every=True)


def gains_only_where_most_agree(records: Sequence[Record]) -> Answer:
    """SCAN's heads gain over k-means where more than half of the neighbors have the image's class, elsewhere not.

    The lengths of the pretext are settings of a data set and seed.
    """
    frame = tables.premise(records)
    questions = []
    for where, limit in (("most", {}), ("less than half", {"below": TOLERANCE, "band": None})):
        rows = frame[(frame["purity"] > HALF) == (where == "most")] if len(frame) else frame
        if rows.empty:
            raise NotTested(f"no record of heads after a pretext with {where} of the neighbors in the image's class")
        for metric, name in METRICS.items():
            lengths = [f"{row.dataset}, {row.epochs} epochs" for row in rows.itertuples()]
            gains = over_settings(zip(rows["dataset"], lengths, rows["seed"], rows[metric], strict=True))
            questions.append(Question(f"gain in {name} where {where} of the neighbors share the class", gains, **limit))
    return Answer(questions, every=True)


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
    for (method, variant), rows in frame.groupby(["method", "variant"], sort=False):
        lost = rows["clusters"] - rows["clusters_without"]
        contrast = Contrast(grouped(zip(rows["dataset"], lost, strict=True)), "", True)
        title = f"effective number of clusters of {method}, as it is over {variant.removeprefix(f'{method}, ')}"
        questions.append(Question(title, contrast, band=None))
    return Answer(questions, every=True)


def _correlation(found: Iterable[tuple[str, float]]) -> Contrast:
    """Correlations, from pairs of a data set and the correlation in a run."""
    return several(Contrast(grouped(found), "", False, bounds=(-1.0, 1.0)))


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation, in [-1, 1]; 0 if one of the two is constant."""
    return float(spearmanr(a, b).statistic) if len(set(a)) > 1 and len(set(b)) > 1 else 0.0
