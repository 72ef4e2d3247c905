"""How records judge what the R-DC paper claims of its own method, tested on a reconstruction of it."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from dcbook.book.verdicts import NOT_YET, Judgment, combined, counted
from dcbook.chapters.rdc import grids, tables
from dcbook.chapters.rdc.grids import PARADIGMS, RDC
from dcbook.experiments import Record, by_value, contrast
from dcbook.experiments.compare import TOLERANCE

NAMES = {"acc": "ACC", "nmi": "NMI", "f1_macro": "F1-macro"}
SMALL = 0.1  # a cosine up to this is near 0
PSEUDO = ("DEC", "IDEC")  # whose cosines those of R-DC (reconstruction) should exceed
TOLERATED = {"id": 0.25, "curvature_gap": 0.25, "spectral_gap": 0.05}  # of the order of their sampling errors
FALLING = {"curvature_gap": "LID - ID", "spectral_gap": "spectral gap"}


def aligned(cosine: str) -> Callable[[Sequence[Record]], Judgment]:
    """R-DC (reconstruction)'s mean over phase 2 of a cosine is above 0, above DEC's and above IDEC's, run by run."""

    def judge(records: Sequence[Record]) -> Judgment:
        runs = tables.diagnoses(records).pivot(index=["dataset", "seed"], columns="method", values=cosine)
        runs = runs.reindex(columns=list(grids.METHODS)).dropna(subset=[RDC, *PSEUDO])
        if runs.empty:
            return NOT_YET, f"no records of {RDC}, {' and '.join(PSEUDO)} with that number"
        above = {"0": runs[RDC] > 0, **{f"{name}'s": runs[RDC] > runs[name] for name in PSEUDO}}
        told = ", ".join(f"{name} {value:.2f}" for name, value in runs.dropna(axis=1, how="all").mean().items())
        text = ", ".join(f"above {name} in {each.sum()}" for name, each in above.items())
        parts = [int(each.sum()) for each in above.values()]
        return counted(sum(parts), 3 * len(runs)), f"on average {told}; {text} of {len(runs)} runs"

    return judge


def opposed(cosine: str, paradigms: Collection[str]) -> Callable[[Sequence[Record]], Judgment]:
    """The mean over the training of a cosine is near 0 or below, at most `SMALL`, in every run of these paradigms."""

    def judge(records: Sequence[Record]) -> Judgment:
        runs = tables.diagnoses(records).dropna(subset=[cosine])
        runs = runs[runs["method"].map(PARADIGMS).isin(paradigms)]
        if runs.empty:
            return NOT_YET, "no record of such a method with that number"
        near = int((runs[cosine] <= SMALL).sum())
        means = runs.groupby("method", sort=False)[cosine].mean()
        told = ", ".join(f"{name} {value:.2f}" for name, value in means.items())
        return counted(near, len(runs)), f"on average {told}; at most {SMALL} in {near} of {len(runs)} runs"

    return judge


def untwisted(records: Sequence[Record]) -> Judgment:
    """In R-DC (reconstruction) ID does not rise, and neither LID - ID nor the spectral gap falls, but for `TOLERATED`.

    Three parts of one claim, in every run.
    """
    runs = tables.diagnoses(records).dropna(subset=list(TOLERATED)).set_index("method")
    if RDC not in runs.index:
        return NOT_YET, f"no record of {RDC} and of its phase 1"
    ours = runs.loc[[RDC]]
    kept = {"ID": ours["id"] <= TOLERATED["id"]}
    kept |= {title: ours[name] >= -TOLERATED[name] for name, title in FALLING.items()}
    told = "; ".join(
        f"{name} ID {each['id']:+.2f}, LID - ID {each['curvature_gap']:+.2f}, "
        f"spectral gap {100 * each['spectral_gap']:+.1f} points"
        for name, each in runs.groupby(level=0, sort=False)[list(TOLERATED)].mean().iterrows()
        if name in (RDC, *PSEUDO)
    )
    text = ", ".join(f"{name} in {each.sum()}" for name, each in kept.items())
    parts = [int(each.sum()) for each in kept.values()]
    return counted(sum(parts), 3 * len(ours)), f"on average {told}; as claimed {text} of {len(ours)} runs"


def improves(records: Sequence[Record]) -> Judgment:
    """R-DC (reconstruction) over its phase 1, in ACC, NMI and macro-averaged F1."""
    try:
        found = {metric: contrast(records, RDC, grids.BEFORE, metric) for metric in NAMES}
    except ValueError as error:
        return NOT_YET, str(error)
    text = "; ".join(f"{NAMES[metric]} {gain}" for metric, gain in found.items())
    ours = tables.diagnoses([record for record in records if record.run["method"] == RDC])
    above = int((ours["acc"] > ours["majority"]).sum())
    verdict = combined([gain.verdict for gain in found.values()])
    return verdict, f"{text}; ACC above the largest class's share in {above} of {len(ours)} runs"


def steady(records: Sequence[Record]) -> Judgment:
    """With each of `HYPERPARAMETERS` changed the means stay within `TOLERANCE` points, in ACC and in NMI."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(tables.setting(record), []).append(record)
    changed = [name for name in found if name.partition(" = ")[0] in grids.HYPERPARAMETERS]
    if not changed or "as it is" not in found:
        return NOT_YET, "no record of a changed setting"
    texts, near = [], 0
    for metric in ("acc", "nmi"):
        means = {name: 100 * np.mean([record.scores[metric] for record in found[name]]) for name in found}
        away = {name: means[name] - means["as it is"] for name in changed}
        near += sum(abs(points) <= TOLERANCE for points in away.values())
        farthest = max(away, key=lambda name: abs(away[name]))
        texts.append(
            f"{metric.upper()} {means['as it is']:.1f} %, changed by {min(away.values()):+.1f} to "
            f"{max(away.values()):+.1f} points, most at {farthest}"
        )
    return counted(near, 2 * len(changed)), f"{'; '.join(texts)}; {len(changed)} settings"


def unshaken(records: Sequence[Record]) -> Judgment:
    """At each level of noise on the images, means over the seeds fall by at most `TOLERANCE` points, in ACC and NMI."""
    ours, before = {}, {}
    for name, found in ((RDC, ours), (grids.BEFORE, before)):
        for level, some in by_value([r for r in records if r.run["method"] == name], "noise").items():
            found[level or 0] = {m: 100 * np.mean([record.scores[m] for record in some]) for m in ("acc", "nmi")}
    levels = sorted(set(ours) & set(before) - {0})
    if not levels or 0 not in ours or 0 not in before:
        return NOT_YET, "no records with noise and without"
    falls = {level: {m: ours[0][m] - ours[level][m] for m in ("acc", "nmi")} for level in levels}
    small = sum(fall <= TOLERANCE for each in falls.values() for fall in each.values())
    text = "; ".join(
        f"at sd {level:g} ACC {-each['acc']:+.1f}, NMI {-each['nmi']:+.1f} points "
        f"(its phase 1 {before[level]['acc'] - before[0]['acc']:+.1f}, {before[level]['nmi'] - before[0]['nmi']:+.1f})"
        for level, each in falls.items()
    )
    return counted(small, 2 * len(levels)), text
