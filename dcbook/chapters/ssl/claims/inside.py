"""Judges of what clustering costs inside DeepCluster, and of two ways to make it cheaper.

That making targets takes DeepCluster more than a tenth of its time is asked in `targets`, too, with 20 images a
cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from dcbook.book.verdicts import Answer, Claim, Judge, NotTested
from dcbook.chapters.ssl.claims.scale import HALF, PAGE
from dcbook.chapters.ssl.claims.targets import FEW, of_runs
from dcbook.chapters.ssl.grids.inside import BATCH, EACH, FOURTH, FREQUENCIES, inside_deepcluster, variant
from dcbook.chapters.ssl.grids.probes import UNTRAINED
from dcbook.chapters.ssl.grids.scale import LLOYD, in_batches
from dcbook.chapters.ssl.tables.targets import time_share
from dcbook.chapters.ssl.watches.probes import TRUNK
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.ratio import Ratio
from dcbook.experiments.records import place

Pair = tuple[str, str]  # names of two methods
MINI = in_batches(BATCH)
MOST = 1.0  # points of accuracy: a small loss
BY_ALGORITHM = [(variant(MINI, each), variant(LLOYD, each)) for each in FREQUENCIES]
BY_FREQUENCY = [(variant(each, FOURTH), variant(each, EACH)) for each in (LLOYD, MINI)]
BY_TRAINING = [(variant(*each), UNTRAINED) for each in product((LLOYD, MINI), FREQUENCIES)]


def compared(
    records: Sequence[Record], pairs: Sequence[Pair], what: Callable[[Record, Record], float]
) -> dict[str, tuple[float, ...]]:
    """Data set to `what(first, second)`, its mean over the pairs of methods, for each seed that has all of them."""
    runs = {(r.run["method"], place(r.run), r.run["seed"]): r for r in records}
    names = {name for pair in pairs for name in pair}
    where = dict.fromkeys((dataset, seed) for _, dataset, seed in runs)
    found = [
        (dataset, sum(what(runs[a, dataset, seed], runs[b, dataset, seed]) for a, b in pairs) / len(pairs))
        for dataset, seed in where
        if all((name, dataset, seed) in runs for name in names)
    ]
    if not found:
        raise NotTested(f"no seed has records of {' and '.join(sorted(names))}")
    return grouped(found)


def takes_time(records: Sequence[Record]) -> Answer:
    """After each pass by Lloyd's algorithm, making targets takes more than `FEW` per cent of the time."""
    return Answer([Question("of the time", of_runs(records, variant(LLOYD, EACH), time_share), above=FEW)])


def halves_time(records: Sequence[Record]) -> Answer:
    """After each pass, making targets with mini-batches takes less than half as long as with Lloyd's algorithm."""

    def ratio(run: Record, lloyd: Record) -> float:
        return run.history[-1]["target_seconds"] / lloyd.history[-1]["target_seconds"]

    time = Ratio(compared(records, BY_ALGORITHM[:1], ratio))
    return Answer([Question("time of features and k-means", time, below=HALF)], "as a multiple of Lloyd's algorithm")


def costs_little(pairs: Sequence[Pair]) -> Judge:
    """The probe loses at most `MOST` points, at each number of labels, averaged over the pairs for each seed.

    That means something only where training has improved the probe: a premise.
    """

    def judge(records: Sequence[Record]) -> Answer:
        numbers = list(dict.fromkeys(n for r in records for n in r.portrait["probes"][TRUNK]))

        def over(pairs: Sequence[Pair], number: str) -> Contrast:
            scored = [replace(r, scores={"probe": 100 * r.portrait["probes"][TRUNK][number]}) for r in records]
            return Contrast(compared(scored, pairs, lambda a, b: a.scores["probe"] - b.scores["probe"]))

        return Answer(
            [Question(f"accuracy with {n} labels a class", over(pairs, n), above=-MOST) for n in numbers],
            premises=[Question(f"{n} labels, trained over untrained:", over(BY_TRAINING, n)) for n in numbers],
        )

    return judge


CLAIMS = [
    Claim(
        "C5",
        "frequent clustering is an overhead: with 500 clusters for 5,000 images and a clustering after every pass, "
        "DeepCluster spends more than 10 % of its computing time on the features of all images and on k-means",
        PAGE,
        takes_time,
        inside_deepcluster,
    ),
    Claim(
        "C5",
        "mini-batch k-means is the remedy: with 500 clusters for 5,000 images, it halves the time that DeepCluster "
        "spends on the features of all images and on k-means",
        PAGE,
        halves_time,
        inside_deepcluster,
    ),
    Claim(
        "C5, this book",
        "inside DeepCluster, mini-batch k-means in place of Lloyd's algorithm costs a linear probe of the features at "
        "most 1 point of accuracy",
        PAGE,
        costs_little(BY_ALGORITHM),
        inside_deepcluster,
    ),
    Claim(
        "C5, this book",
        "inside DeepCluster, clustering after every fourth pass in place of every pass costs a linear probe of the "
        "features at most 1 point of accuracy",
        PAGE,
        costs_little(BY_FREQUENCY),
        inside_deepcluster,
    ),
]
