"""How records judge whether contrastive learning first and clustering after it is steadier than either.

All runs of SCAN but those from pixels begin with a phase of ours, in which the heads learn from frozen codes.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from dcbook.book.comparisons import gains
from dcbook.book.verdicts import Answer, Claim, Judge, NotTested
from dcbook.chapters.ssl.grids.contrastive_first import AE, PIXELS, SIMCLR, contrastive_first, kmeans_on, scan_on
from dcbook.chapters.ssl.tables.contrastive_first import purities
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.records import place

PAGE = "contrastive_first"
DECIDING = 5  # seeds
TOO_FEW = f"fewer than {DECIDING} seeds cannot decide this: the median seed of each method has a distance of 0"
EVERYWHERE = "all sets and spaces"  # where a number is one of all of them together


def steadier(steady: str, others: Sequence[str]) -> Judge:
    """ACC of a run of `steady` is nearer to the median of its method's seeds than that of each of `others`.

    This is Levene's comparison of spreads in Brown and Forsythe's form: pairs of one data set and seed.
    """

    def judge(records: Sequence[Record]) -> Answer:
        far = {name: distances(records, name) for name in (steady, *others)}
        questions = []
        for other in others:
            pairs = [(key[0], far[steady][key] - far[other][key]) for key in far[steady] if key in far[other]]
            if not pairs:
                raise NotTested(f"no runs of {steady} and {other} with one seed")
            about = f"distance of a seed's ACC from the median of its method, over {other}"
            questions.append(Question(about, Contrast(grouped(pairs)), below=0))
        seeds = max(len(values) for question in questions for values in question.estimate.samples.values())
        return Answer(questions, TOO_FEW * (seeds < DECIDING))

    return judge


def distances(records: Sequence[Record], method: str) -> dict[tuple[str, int], float]:
    """(Data set, seed) → distance of the run's ACC from the median over the seeds on that set, in points."""
    runs = {(place(r.run), r.run["seed"]): 100 * r.scores["acc"] for r in records if r.run["method"] == method}
    places = {where for where, _ in runs}
    medians = {name: np.median([acc for (where, _), acc in runs.items() if where == name]) for name in places}
    return {(where, seed): abs(acc - medians[where]) for (where, seed), acc in runs.items()}


def follows_purity(records: Sequence[Record]) -> Answer:
    """The more of 5 neighbors share their class in a space, the higher is SCAN's ACC there: a rank correlation a seed.

    SCAN itself uses 20 neighbors.
    """
    pure, found = purities(records), {}
    for record in records:
        for space in (PIXELS, AE, SIMCLR):
            key = place(record.run), record.run["seed"], space
            if record.run["method"] == scan_on(space) and key in pure:
                found.setdefault(record.run["seed"], []).append((pure[key], record.scores["acc"]))
    rhos = [float(spearmanr(*zip(*pairs, strict=True)).statistic) for pairs in found.values() if len(pairs) > 2]
    if not rhos:
        raise NotTested("no seed with SCAN on three spaces")
    correlation = Contrast({EVERYWHERE: tuple(rhos)}, "", paired=True, bounds=(-1, 1))
    return Answer([Question("rank correlation of SCAN's ACC with the purity of the neighbors", correlation)])


CLAIMS = [
    Claim(
        "C7",
        "contrastive learning first and clustering after it (SCAN) is steadier than either: its ACC scatters less over "
        "the seeds than that of DEC and that of k-means on the contrastive codes",
        PAGE,
        steadier(scan_on(SIMCLR), ("DEC", kmeans_on(SIMCLR))),
        contrastive_first,
    ),
    Claim(
        "C7, this book",
        "the more of its 5 nearest neighbors share an image's class, the better are SCAN's clusters, which use 20: "
        "pixels, codes of an autoencoder and codes of SimCLR",
        PAGE,
        follows_purity,
        contrastive_first,
    ),
    Claim(
        "C7, this book",
        "SCAN, with a phase of ours on frozen codes before its own steps, finds the classes better than k-means does "
        "on the same contrastive codes",
        PAGE,
        gains(scan_on(SIMCLR), kmeans_on(SIMCLR)),
        contrastive_first,
    ),
    Claim(
        "C7, this book",
        "five epochs of self-labeling, with ten times the released step, improve on SCAN's clustering step, on 5,000 "
        "images",
        PAGE,
        gains(scan_on(SIMCLR), scan_on(SIMCLR, selflabel=False)),
        contrastive_first,
    ),
]
