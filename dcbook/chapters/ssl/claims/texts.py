"""Judges of the article's claims about texts, and of results that the literature reports."""

from collections.abc import Callable, Sequence

from scipy.stats import spearmanr

from dcbook.book.chapters import reported
from dcbook.book.comparisons import METRICS
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.tables.texts import kind_of
from dcbook.chapters.ssl.watches import CONTROL, SIGNAL
from dcbook.experiments import Contrast, Question, Record, grouped, over_settings
from dcbook.experiments.records import place

LOST = 10.0  # per cent of NMI up to which the clusters have lost the classes
PLACE = "all sets and vectors"  # place of a number that belongs to all of them together


def where(record: Record) -> str:
    """Data set and kind of vectors: the kinds of a data set share its texts and seeds."""
    return place(record.run)


def measured(records: Sequence[Record], measure: Callable[[Record], float]) -> Contrast:
    """A difference in points, measured within each run; a seed's kinds of vectors are one observation."""
    if not records:
        raise NotTested("no record of a text")
    return over_settings((r.run["dataset"], where(r), r.run["seed"], 100 * measure(r)) for r in records)


def signal_helps(records: Sequence[Record]) -> Answer:
    """Scores after the last round over those of the start; the note counts gains, and has that from shuffled ids."""

    def gain(metric: str, ids: str = SIGNAL) -> Callable[[Record], float]:
        return lambda record: record.portrait[ids][metric][-1] - record.portrait[ids][metric][0]

    questions = [Question(f"{name} over the start", measured(records, gain(m))) for m, name in METRICS.items()]
    rises = sum(gain("acc")(record) > 0 for record in records)
    shuffled = measured(records, gain("acc", CONTROL)).mean
    return Answer(
        questions,
        f"ACC rises in {rises} of {len(records)} runs; from shuffled ids, which start at chance, ACC over the start "
        f"{shuffled:+.1f} points",
    )


def poor_starts_gain(records: Sequence[Record]) -> Answer:
    """The rank correlation of ACC and its gain, over all sets and kinds of vectors, for each seed.

    ACC is the mean of start and end: with the start alone, whose noise the gain contains with the opposite sign, the
    correlation would be negative in pure noise (Oldham, 1962).
    """
    found: dict[int, list[tuple[float, float]]] = {}
    for record in records:
        acc = record.portrait[SIGNAL]["acc"]
        found.setdefault(record.run["seed"], []).append((acc[0] + acc[-1], acc[-1] - acc[0]))
    rhos = tuple(float(spearmanr(*zip(*pairs, strict=True)).statistic) for pairs in found.values() if len(pairs) > 1)
    if not rhos:
        raise NotTested("no seed with two records")
    correlation = Contrast({PLACE: rhos}, "", paired=True, bounds=(-1, 1))
    return Answer(
        [Question("rank correlation of the gain in ACC with the mean ACC of start and end", correlation, below=0)]
    )


def helps_with_few_labels(records: Sequence[Record]) -> Answer:
    """A probe with few labels, on the vectors and what was learned from their clusters, over either input alone."""

    def over(what: str) -> Callable[[Record], float]:
        return lambda record: record.portrait["few"]["vectors and learned"] - record.portrait["few"][what]

    return Answer(
        [Question(f"accuracy over {what} alone", measured(records, over(what))) for what in ("vectors", "words")]
    )


def depends_on_input(method: str, start: str, words: str, averages: str) -> Judge:
    """`method` gains more over its `start` from vectors of the kind `words` than from those of the kind `averages`.

    The premise is that it has not lost the classes with `averages`: its NMI is above 10 %.
    """

    def judge(records: Sequence[Record]) -> Answer:
        nmi = [
            (r.run["dataset"], 100 * r.scores["nmi"])
            for r in records
            if r.run["method"] == method and kind_of(r) == averages
        ]
        acc: dict[str, dict[tuple[str, str, int], float]] = {method: {}, start: {}}
        for r in records:
            if r.run["method"] in acc:
                acc[r.run["method"]][r.run["dataset"], kind_of(r), r.run["seed"]] = 100 * r.scores["acc"]
        gain = {at: value - acc[start][at] for at, value in acc[method].items() if at in acc[start]}
        pairs = [
            (dataset, value - gain[dataset, averages, seed])
            for (dataset, kind, seed), value in gain.items()
            if kind == words and (dataset, averages, seed) in gain
        ]
        if not pairs:
            raise NotTested(f"no records of {method} and {start} on {words} and on {averages}")
        about = f"gain in ACC with {words} over that with {averages}"
        kept = Question(f"NMI of {method} with {averages}", Contrast(grouped(nmi), "%", bounds=(0, 100)), above=LOST)
        return Answer([Question(about, Contrast(grouped(pairs)))], premises=[kept])

    return judge


def stays_below(method: str, dataset: str, kinds: Sequence[str]) -> Judge:
    """k-means in each of these kinds of vectors has a lower ACC than is reported of `method`."""

    def judge(records: Sequence[Record]) -> Answer:
        table = reported("ssl/texts").set_index(["method", "dataset", "metric"])["value"]
        value, questions = table[method, dataset, "acc"], []
        for kind in kinds:
            found = [100 * r.scores["acc"] for r in records if r.run["dataset"] == dataset and kind_of(r) == kind]
            if not found:
                raise NotTested(f"no record of {dataset}, {kind}")
            questions.append(Question(f"ACC of k-means on {kind}", Contrast({dataset: tuple(found)}, "%"), below=value))
        return Answer(questions, f"reported for {method}: {value} % (unverified)")

    return judge
