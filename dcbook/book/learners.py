"""Claims on what DeepCluster needs to learn from small images, and on its relatives."""

from collections.abc import Callable, Iterable, Sequence

from dcbook.book.verdicts import NOT_YET, Claim, Judgment, combined, counted
from dcbook.experiments import Contrast, Record, Run, Scale, runs
from dcbook.experiments.learners import ALL, FAMILY, OURS, RECIPE
from dcbook.experiments.records import place

SMALL_IMAGES, RELATIVES = "small_images", "relatives"
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
        contrasts = {m: _contrast(records, better, worse, m, gained) for m in MEASURES}
        if not all(each.gains for each in contrasts.values()):
            return NOT_YET, f"{better} and {worse} have no data set and seed in common"
        leeway = {
            m: Contrast({d: tuple(g + within for g in gains) for d, gains in each.gains.items()})
            for m, each in contrasts.items()
        }
        texts = [f"{MEASURES[measure]} {each}" for measure, each in contrasts.items()]
        return combined([each.verdict for each in leeway.values()]), "; ".join(texts)

    return judge


def _contrast(records: Sequence[Record], better: str, worse: str, measure: str, gained: bool) -> Contrast:
    ours, theirs = (_values(records, name, measure, gained) for name in (better, worse))
    gains: dict[str, tuple[float, ...]] = {}
    for dataset, seed in sorted(ours.keys() & theirs.keys()):
        gains[dataset] = (*gains.get(dataset, ()), ours[dataset, seed] - theirs[dataset, seed])
    return Contrast(gains)


def _values(records: Sequence[Record], method: str, measure: str, gained: bool) -> dict[tuple[str, int], float]:
    """Data set and seed to per cent, or to points if `gained`."""
    return {
        (place(record.run), record.run["seed"]): 100
        * (record.portrait["trained"][measure] - gained * record.portrait["untrained"][measure])
        for record in records
        if record.run["method"] == method
    }


def _of(grid: dict[str, Scale]) -> Callable[[str], Iterable[Run]]:
    return lambda scale: runs(grid[scale], name=scale)


CLAIMS = [
    Claim(
        "issue 22 of the released code",
        "on CIFAR-10 with k = 10 the NMI with the classes stays below 0.1",
        SMALL_IMAGES,
        stays_below(ALL, 10),
        _of(RECIPE),
    ),
    Claim(
        "this book",
        "on small images, settings chosen for them are better than the released ones",
        SMALL_IMAGES,
        worth_more(OURS, ALL),
        _of(RECIPE),
    ),
    Claim(
        "appendix, as recalled",
        "PIC in place of k-means does about as well (at most 2 points behind)",
        RELATIVES,
        worth_more("DeepCluster, PIC", "DeepCluster", within=2),
        _of(FAMILY),
    ),
    *(
        Claim(
            "SwAV's paper, as recalled",
            f"{name} learns more than DeepCluster in as many epochs (each over its own untrained network)",
            RELATIVES,
            worth_more(name, "DeepCluster", gained=True),
            _of(FAMILY),
        )
        for name in ("DeepCluster-v2", "SwAV")
    ),
]
