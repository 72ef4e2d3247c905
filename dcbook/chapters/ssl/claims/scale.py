"""Judges of the article's claims about scale, for each kind of data: what mini-batches save and what they cost.

Times and inertias are compared as ratios, on a logarithmic scale.
"""

from collections.abc import Callable, Sequence

from dcbook.book.verdicts import Answer, Claim, Judge, NotTested
from dcbook.chapters.ssl.grids import BATCHES, CLUSTERS, GRIDS, LLOYD, in_batches
from dcbook.chapters.ssl.tables.scale import clusters_of, cpu_seconds, inertia
from dcbook.chapters.ssl.watches import usage
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.ratio import Ratio
from dcbook.experiments.records import place

PAGE = "scale"
HALF = 0.5  # of the time of Lloyd's algorithm
CROWD = 50.0  # per cent of the samples in the largest cluster
MORE = 1.05  # times the inertia of Lloyd's algorithm
IMAGES, TEXTS = "images", "sparse texts"


def kind_of_data(record: Record) -> str:
    """IMAGES, or TEXTS where the samples are vectors of texts."""
    return TEXTS if "vectors" in record.run["sampling"] else IMAGES


def beside_lloyd(
    records: Sequence[Record], kind: str, k: int, batch: int, what: Callable[[Record, Record], float]
) -> dict[str, tuple[float, ...]]:
    """Data set to `what(mini-batch run, Lloyd's run)` of each seed, at k clusters of that kind of data."""
    runs = {
        (r.run["method"], place(r.run), r.run["seed"]): r
        for r in records
        if clusters_of(r) == k and kind_of_data(r) == kind and r.run["method"] in (LLOYD, in_batches(batch))
    }
    pairs = [
        (where, what(run, runs[LLOYD, where, seed]))
        for (method, where, seed), run in runs.items()
        if method == in_batches(batch) and (LLOYD, where, seed) in runs
    ]
    if not pairs:
        raise NotTested(f"no runs on {kind} with {k} clusters in batches of {batch} and by Lloyd's algorithm")
    return grouped(pairs)


def remedy(kind: str, k: int) -> Judge:
    """With k clusters, mini-batches of either size take less than half of the time, for less than 5 % more inertia."""

    def judge(records: Sequence[Record]) -> Answer:
        questions = []
        for batch in BATCHES:
            time = beside_lloyd(records, kind, k, batch, lambda run, lloyd: cpu_seconds(run) / cpu_seconds(lloyd))
            cost = beside_lloyd(records, kind, k, batch, lambda run, lloyd: inertia(run) / inertia(lloyd))
            questions.append(Question(f"processor time in batches of {batch:,}", Ratio(time), below=HALF))
            questions.append(Question("inertia", Ratio(cost), below=MORE))
        return Answer(questions, "as a multiple of Lloyd's algorithm, geometric means", every=True)

    return judge


def keeps_classes(kind: str, k: int) -> Judge:
    """With k clusters, the NMI in mini-batches is at most 2 points below that of Lloyd's algorithm."""

    def judge(records: Sequence[Record]) -> Answer:
        def gain(run: Record, lloyd: Record) -> float:
            return 100 * (run.scores["nmi"] - lloyd.scores["nmi"])

        return Answer(
            [
                Question(
                    f"NMI in batches of {batch:,}", Contrast(beside_lloyd(records, kind, k, batch, gain)), above=-2.0
                )
                for batch in BATCHES
            ]
        )

    return judge


def crowds(k: int) -> Judge:
    """On texts, with k clusters, mini-batches put more than half into one cluster, Lloyd's algorithm less."""

    def judge(records: Sequence[Record]) -> Answer:
        def largest(method: str) -> Contrast:
            shares = _largest(records, method, k)
            return Contrast(grouped((where, share) for (where, _), share in shares.items()), "%", bounds=(0, 100))

        limits = {in_batches(batch): {"above": CROWD} for batch in BATCHES} | {LLOYD: {"below": CROWD}}
        about = "samples in the largest cluster"
        questions = [Question(f"{about}, {name}:", largest(name), **how) for name, how in limits.items()]
        return Answer(questions, every=True)

    return judge


def crowds_by_moving(k: int) -> Judge:
    """On texts, with k clusters, the largest cluster is smaller when small clusters keep their centers."""

    def judge(records: Sequence[Record]) -> Answer:
        questions = []
        for batch in BATCHES:
            moved, kept = (_largest(records, in_batches(batch, kept), k) for kept in (False, True))
            lost = grouped((at[0], moved[at] - kept[at]) for at in moved if at in kept)
            questions.append(Question(f"share of the largest cluster in batches of {batch:,}", Contrast(lost)))
        return Answer(questions, "moved over kept")

    return judge


def _largest(records: Sequence[Record], method: str, k: int) -> dict[tuple[str, int], float]:
    """On texts, with k clusters, by data set and seed: the samples in the largest cluster, in per cent."""
    runs = [r for r in records if r.run["method"] == method and clusters_of(r) == k and kind_of_data(r) == TEXTS]
    if not runs:
        raise NotTested(f"no run of {method} on {TEXTS} with {k} clusters")
    return {(place(r.run), r.run["seed"]): 100 * usage(r.portrait["sizes"])["largest"] for r in runs}


# One claim for each kind of data: the two were judged together at first, and were parted after the records were seen
CLAIMS = [
    *(
        Claim(
            "C5",
            f"on {kind}, with {k:,} clusters, mini-batch k-means, in batches of 256 and of 4,096, takes less than "
            "half of the computing time of Lloyd's algorithm and raises the inertia by less than 5 %",
            PAGE,
            remedy(kind, k),
            GRIDS["speed"],
        )
        for kind in (IMAGES, TEXTS)
        for k in CLUSTERS["laptop"]
    ),
    *(
        Claim(
            "C5, this book",
            f"on {kind}, with 1,000 clusters, the NMI of mini-batch k-means, in batches of 256 and of 4,096, is "
            "at most 2 points below that of Lloyd's algorithm",
            PAGE,
            keeps_classes(kind, 1000),
            GRIDS["speed"],
        )
        for kind in (IMAGES, TEXTS)
    ),
    *(
        Claim(
            "C5, this book",
            f"on {TEXTS}, with {k:,} clusters, mini-batch k-means, in batches of 256 and of 4,096, puts more than "
            "half of the texts into one cluster, and Lloyd's algorithm does not",
            PAGE,
            crowds(k),
            GRIDS["speed"],
        )
        for k in CLUSTERS["laptop"]
    ),
    Claim(
        "C5, this book",
        f"on {TEXTS}, with 100 clusters, the largest cluster of mini-batch k-means holds more texts because small "
        "clusters have their centers moved, as scikit-learn does by default",
        PAGE,
        crowds_by_moving(100),
        GRIDS["speed"],
    ),
]
