"""Judges of the article's claims about scale: what mini-batches save and what they cost."""

from collections.abc import Callable, Sequence

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.grids import BATCHES, LLOYD, in_batches
from dcbook.chapters.ssl.tables.scale import clusters_of, cpu_seconds, inertia
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.records import place

HALF = 50.0  # per cent: least share of time saved; share of samples in the largest cluster that counts as crowded
LOSS = 5.0  # per cent of inertia


def beside_lloyd(
    records: Sequence[Record], k: int, batch: int, what: Callable[[Record, Record], float], unit: str
) -> Contrast:
    """`what(mini-batch run, Lloyd's run)` of each data set and seed, at k clusters."""
    runs = {
        (r.run["method"], place(r.run), r.run["seed"]): r
        for r in records
        if clusters_of(r) == k and r.run["method"] in (LLOYD, in_batches(batch))
    }
    pairs = [
        (where, what(run, runs[LLOYD, where, seed]))
        for (method, where, seed), run in runs.items()
        if method == in_batches(batch) and (LLOYD, where, seed) in runs
    ]
    if not pairs:
        raise NotTested(f"no runs with {k} clusters in batches of {batch} and by Lloyd's algorithm")
    return Contrast(grouped(pairs), unit)


def saved(run: Record, lloyd: Record) -> float:
    """Processor time saved, in per cent."""
    return 100 * (1 - cpu_seconds(run) / cpu_seconds(lloyd))


def lost(run: Record, lloyd: Record) -> float:
    """Increase of the inertia, in per cent."""
    return 100 * (inertia(run) / inertia(lloyd) - 1)


def remedy(k: int) -> Judge:
    """At k clusters, mini-batches of either size save more than half of the time, for less than 5 % of the inertia."""

    def judge(records: Sequence[Record]) -> Answer:
        questions = []
        for batch in BATCHES:
            time = beside_lloyd(records, k, batch, saved, "% of the time")
            cost = beside_lloyd(records, k, batch, lost, "% of the inertia")
            questions.append(Question(f"saved by batches of {batch:,}:", time, above=HALF))
            questions.append(Question(f"lost by batches of {batch:,}:", cost, below=LOSS))
        return Answer(questions)

    return judge


def keeps_classes(k: int) -> Judge:
    """At k clusters, the NMI in mini-batches is at most 2 points below that of Lloyd's algorithm."""

    def judge(records: Sequence[Record]) -> Answer:
        def gain(run: Record, lloyd: Record) -> float:
            return 100 * (run.scores["nmi"] - lloyd.scores["nmi"])

        return Answer(
            [
                Question(
                    f"NMI in batches of {batch:,} over Lloyd's algorithm",
                    beside_lloyd(records, k, batch, gain, "points"),
                    above=-2.0,
                )
                for batch in BATCHES
            ]
        )

    return judge


def crowds(kind: str, k: int) -> Judge:
    """On texts as `kind`, with k clusters, mini-batches put more than half into one cluster, Lloyd's algorithm less."""

    def judge(records: Sequence[Record]) -> Answer:
        def largest(method: str) -> Contrast:
            runs = [r for r in records if r.run["method"] == method and clusters_of(r) == k and kind in place(r.run)]
            if not runs:
                raise NotTested(f"no run of {method} on {kind}")
            return Contrast(grouped((place(r.run), 100 * usage(r.portrait["sizes"])["largest"]) for r in runs), "%")

        names = [in_batches(batch) for batch in BATCHES]
        return Answer(
            [Question(f"samples in the largest cluster, {name}:", largest(name), above=HALF) for name in names],
            premises=[Question(f"samples in the largest cluster, {LLOYD}:", largest(LLOYD), below=HALF)],
        )

    return judge
