"""How records judge whether cluster ids are passing targets, and what passes."""

from collections.abc import Callable, Sequence

from dcbook.book.verdicts import Answer, Claim, NotTested
from dcbook.chapters.ssl.grids.targets import targets
from dcbook.chapters.ssl.tables.targets import mean_change, time_share
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.records import place

PAGE = "passing_targets"
METHODS = ("DeepCluster", "DeepCluster-v2", "SwAV")
FEW, MANY = 10.0, 50.0  # per cent of images, of targets or of time: what we call few and many


def of_runs(records: Sequence[Record], method: str, measure: Callable[[Record], float], unit: str = "%") -> Contrast:
    """A number of each run of a method; per cent are shares, from 0 to 100."""
    found = [(place(r.run), measure(r)) for r in records if r.run["method"] == method]
    if not found:
        raise NotTested(f"no record of {method}")
    bounds = {"bounds": (0, 100)} if unit == "%" else {}
    return Contrast(grouped(found), unit, **bounds)


def moved(record: Record) -> float:
    return mean_change(record, "moved")


def renumbered(record: Record) -> float:
    return mean_change(record, "renumbered")


def passes(records: Sequence[Record]) -> Answer:
    """In each method, more than `FEW` per cent of the images change their cluster from an epoch to the next."""
    return Answer(
        [Question(f"images that change cluster, {m},", of_runs(records, m, moved), above=FEW) for m in METHODS],
        every=True,
    )


def slower(records: Sequence[Record]) -> Answer:
    """Fewer images change their cluster in SwAV than in DeepCluster: pairs of one data set and seed."""
    runs = {(r.run["method"], place(r.run), r.run["seed"]): moved(r) for r in records}
    pairs = [
        (where, value - runs["DeepCluster", where, seed])
        for (method, where, seed), value in runs.items()
        if method == "SwAV" and ("DeepCluster", where, seed) in runs
    ]
    if not pairs:
        raise NotTested("no runs of SwAV and DeepCluster with one seed")
    return Answer([Question("images that change cluster, over DeepCluster", Contrast(grouped(pairs)), below=0)])


def new_numbers(records: Sequence[Record]) -> Answer:
    """In DeepCluster most targets get another number in each epoch; in SwAV less than half of them do."""
    return Answer(
        [
            Question("with another number, DeepCluster,", of_runs(records, "DeepCluster", renumbered), above=100 - FEW),
            Question("SwAV,", of_runs(records, "SwAV", renumbered), below=MANY),
        ]
    )


def takes_time(records: Sequence[Record]) -> Answer:
    """Making targets takes DeepCluster more than `FEW` per cent of its time, SwAV less."""
    return Answer(
        [
            Question("of the time, DeepCluster,", of_runs(records, "DeepCluster", time_share), above=FEW),
            Question("SwAV,", of_runs(records, "SwAV", time_share), below=FEW),
        ]
    )


def nearer(records: Sequence[Record]) -> Answer:
    """In each method, targets of the last epoch have a higher NMI with the classes than those of the first."""

    def gain(record: Record) -> float:
        return 100 * (record.history[-1]["class_nmi"] - record.history[0]["class_nmi"])

    return Answer([Question(f"NMI gained, {m},", of_runs(records, m, gain, "points")) for m in METHODS], every=True)


CLAIMS = [
    Claim(
        "C2",
        "DeepCluster and SwAV both use cluster ids as passing targets: from an epoch to the next, more than 10 % of "
        "the images change their cluster in each of DeepCluster, DeepCluster-v2 and SwAV",
        PAGE,
        passes,
        targets,
    ),
    Claim("C2, this book", "fewer images change their cluster in SwAV than in DeepCluster", PAGE, slower, targets),
    Claim(
        "C2, this book",
        "DeepCluster numbers its clusters anew: more than 90 % of the targets get another number in an epoch; in SwAV, "
        "whose prototypes stay, less than half do",
        PAGE,
        new_numbers,
        targets,
    ),
    Claim(
        "C2, this book",
        "making targets (DeepCluster: features of all images, whitening and k-means; SwAV: Sinkhorn) takes DeepCluster "
        "more than a tenth of its time, and SwAV less",
        PAGE,
        takes_time,
        targets,
    ),
    Claim(
        "C2, this book",
        "the targets come closer to the classes while each of the three methods trains",
        PAGE,
        nearer,
        targets,
    ),
]
