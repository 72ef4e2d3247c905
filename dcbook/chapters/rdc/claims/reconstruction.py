"""Judges of the R-DC paper's claims about its own method, tested on a reconstruction of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import pandas as pd

from dcbook.book.comparisons import METRICS, beats_all
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.rdc import grids, tables
from dcbook.chapters.rdc.grids import PARADIGMS, RDC
from dcbook.experiments import Contrast, Question, Record, by_value, contrast, grouped, paired
from dcbook.experiments.compare import TOLERANCE
from dcbook.methods import RDCReconstruction
from dcbook.plots.names import called

TITLES = {"fr_dynae": "FR", "fd_dynae": "FD", "fd_rdc": "FD (rdc)"}
BY_CONSTRUCTION = (
    "FD (rdc) is high by construction where the loss contains reconstruction: in IDEC, DCN, DKM and VaDE, in DynAE for "
    f"conflicted samples, and in {RDC} before the hand-over, after which it is"
)
NO_COSINE = {"DynAE": "where its phase 2 would be reconstruction alone"}  # why it has no cosine on some data sets
SMALL = 0.1  # largest cosine that counts as near 0
PSEUDO = ("DEC", "IDEC")  # methods whose cosines R-DC (reconstruction) should exceed
RIVALS = ("DEC", "IDEC", "DCN", "DKM", "VaDE", "DynAE")  # no reconstruction, and after the same phase 1
TOLERATED = {"id": 0.25, "curvature_gap": 0.25, "spectral_gap": 0.05}  # of the order of the sampling errors
NEAR_COPIES = "breastmnist"  # 40 % of its images have a near-copy, which TwoNN takes for a low dimension
ABSOLUTE = "absolute changes, not compared with rivals"


def aligned(cosine: str) -> Judge:
    """The mean of a cosine over phase 2 of R-DC (reconstruction) is above `SMALL`, DEC's and IDEC's, paired by run."""

    def judge(records: Sequence[Record]) -> Answer:
        runs = tables.diagnoses(records).pivot(index=["dataset", "seed"], columns="method", values=cosine)
        runs = runs.reindex(columns=list(grids.METHODS)).dropna(subset=[RDC, *PSEUDO])
        if runs.empty:
            raise NotTested(f"no records of {RDC}, {' and '.join(PSEUDO)} with that number")
        questions = [Question(TITLES[cosine], _of_runs(runs[RDC].reset_index(), RDC), above=SMALL)]
        for rival in PSEUDO:
            gain = (runs[RDC] - runs[rival]).rename("gain").reset_index()
            questions.append(Question(f"{TITLES[cosine]} over that of {rival}", _of_runs(gain, "gain", paired=True)))
        note = f"on average {', '.join(_means(runs.dropna(axis=1, how='all')))}"
        late = after_the_hand_over(records, cosine) if cosine == "fd_rdc" else {}
        if late:
            each = ", ".join(f"{called(name)} {value:.2f}" for name, value in late.items())
            note += f"; {BY_CONSTRUCTION} {sum(late.values()) / len(late):.2f} ({each})"
        return Answer(questions, note)

    return judge


def after_the_hand_over(records: Iterable[Record], cosine: str) -> dict[str, float]:
    """Mean of a cosine of R-DC (reconstruction) over the looks after its hand-over, data set to mean of its runs."""
    course = tables.courses(records)
    late = course[(course["method"] == RDC) & (course["progress"] >= RDCReconstruction.hand_over)]
    late = late.dropna(subset=[cosine]).astype({cosine: float})
    by_run = late.groupby(["dataset", "seed"], sort=False)[cosine].mean()
    return by_run.groupby("dataset", sort=False).mean().to_dict()


def _means(runs: pd.DataFrame) -> list[str]:
    """The mean of each method (a column) in words, with its data sets where they are not those of all."""
    told = []
    for name, values in runs.items():
        there = values.dropna().index.unique("dataset")
        without = runs.index.unique("dataset").difference(there)
        about = ""
        if 0 < len(without) < len(there):
            about = f" (without {', '.join(map(called, without))})"
        elif len(without):
            about = f" ({', '.join(map(called, there))} alone)"
        told.append(f"{name} {values.mean():.2f}{about}")
    return told


def opposed(cosine: str, paradigms: Collection[str]) -> Judge:
    """The mean of a cosine over the training is near 0 or negative (below `SMALL`), for each of these methods."""

    def judge(records: Sequence[Record]) -> Answer:
        found = tables.diagnoses(records)
        found = found[found["method"].map(PARADIGMS).isin(paradigms)]
        runs = found.dropna(subset=[cosine])
        if runs.empty:
            raise NotTested("no record of such a method with that number")
        questions, told = [], []
        for name, part in runs.groupby("method", sort=False):
            questions.append(Question(f"{TITLES[cosine]} of {name}", _of_runs(part, cosine), below=SMALL))
            without = [called(each) for each in found["dataset"].unique() if each not in set(part["dataset"])]
            if without and name in NO_COSINE:
                told.append(f"no {TITLES[cosine]} of {name} on {', '.join(without)}, {NO_COSINE[name]}")
        return Answer(questions, "; ".join(told), every=True)

    return judge


def untwisted(records: Sequence[Record]) -> Answer:
    """In R-DC (reconstruction), ID does not rise and LID - ID and the spectral gap do not fall by over `TOLERATED`."""
    runs = tables.diagnoses(records).dropna(subset=list(TOLERATED)).set_index("method")
    if RDC not in runs.index:
        raise NotTested(f"no record of {RDC} and of its phase 1")
    change = {name: _of_runs(runs.loc[[RDC]], name, paired=True) for name in TOLERATED}
    told = [
        f"changes in {name}: ID {row['id']:+.2f}, LID - ID {row['curvature_gap']:+.2f}, "
        f"spectral gap {row['spectral_gap']:+.2f}"
        for name, row in _changes(runs).iterrows()
        if name in PSEUDO
    ]
    others = runs[runs["dataset"] != NEAR_COPIES]
    if 0 < len(others) < len(runs):
        each = [
            f"{name} ID {row['id']:+.2f}, LID - ID {row['curvature_gap']:+.2f}"
            for name, row in _changes(others).iterrows()
            if name in (*PSEUDO, RDC)
        ]
        told.append(f"ID of {called(NEAR_COPIES)} is low by its near-copies; without that set {', '.join(each)}")
    return Answer(
        [
            Question("change of ID", change["id"], below=TOLERATED["id"]),
            Question("change of LID - ID", change["curvature_gap"], above=-TOLERATED["curvature_gap"]),
            Question("change of the spectral gap", change["spectral_gap"], above=-TOLERATED["spectral_gap"]),
        ],
        "; ".join(told),
    )


def improves(records: Sequence[Record]) -> Answer:
    """The gain of R-DC (reconstruction) over its phase 1, in ACC, NMI and macro-averaged F1."""
    names = METRICS | {"f1_macro": "F1-macro"}
    questions = [Question(name, contrast(records, RDC, grids.BEFORE, metric)) for metric, name in names.items()]
    ours = tables.diagnoses([record for record in records if record.run["method"] == RDC])
    above = int((ours["acc"] > ours["majority"]).sum())
    note = f"ACC above the largest class's share in {above} of {len(ours)} runs"
    return Answer(questions, f"{note}; the abstract names no baseline: phase 1 is our reading")


def leads(records: Sequence[Record]) -> Answer:
    """R-DC (reconstruction) has higher ACC and NMI than each of `RIVALS`, paired by data set and seed."""
    sets: dict[str, dict[str, None]] = {name: {} for name in (RDC, *RIVALS)}
    for record in records:
        sets.get(record.run["method"], {})[called(record.run["dataset"])] = None
    without = {name: [each for each in sets[RDC] if each not in there] for name, there in sets.items() if there}
    fewer = "".join(f" ({name} without {', '.join(which)})" for name, which in without.items() if which)
    note = f"on {', '.join(sets[RDC])}{fewer}; the summary names six sets and no number"
    return replace(beats_all(RDC, RIVALS)(records), note=note)


def steady(records: Sequence[Record]) -> Answer:
    """Changing each of `HYPERPARAMETERS` changes ACC and NMI by at most `TOLERANCE` points, paired by seed.

    The note has the mean changes by the other choices.
    """
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(tables.setting(record), []).append(record)
    changed = [name for name in found if name.partition(" = ")[0] in grids.HYPERPARAMETERS]
    if not changed or "as it is" not in found:
        raise NotTested("no record of a changed setting")
    base = found["as it is"]
    told = [
        f"{name} {', '.join(f'{title} {paired(some, base, metric).mean:+.1f}' for metric, title in METRICS.items())}"
        for name, some in found.items()
        if name.partition(" = ")[0] in set(grids.CHOICES) - set(grids.HYPERPARAMETERS)
    ]
    beside = f"; not judged, as they change the method: {'; '.join(told)}" if told else ""
    return replace(_within({name: (found[name], base) for name in changed}), note=f"{ABSOLUTE}{beside}")


def unshaken(records: Sequence[Record]) -> Answer:
    """Each level of noise on the images changes ACC and NMI by at most `TOLERANCE` points, paired by seed."""
    ours, before = (_by_noise(records, name) for name in (RDC, grids.BEFORE))
    levels = sorted(set(ours) - {0})
    if not levels or 0 not in ours:
        raise NotTested("no records with noise and without")
    told = ", ".join(
        f"{name} at sd {level:g} {paired(before[level], before[0], metric).mean:+.1f}"
        for metric, name in METRICS.items()
        for level in levels
        if level in before and 0 in before
    )
    answer = _within({f"sd {level:g}": (ours[level], ours[0]) for level in levels})
    return replace(answer, note=f"{ABSOLUTE}; phase 1 alone: {told}" if told else ABSOLUTE)


def _changes(runs: pd.DataFrame) -> pd.DataFrame:
    """The mean changes of the shape by method, the index of `runs`."""
    return runs.groupby(level=0, sort=False)[list(TOLERATED)].mean()


def _of_runs(rows: pd.DataFrame, name: str, paired: bool = False) -> Contrast:
    """A column of a table with one row per run and a column `dataset`, as a contrast."""
    return Contrast(grouped(zip(rows["dataset"], rows[name], strict=True)), "", paired)


def _within(pairs: dict[str, tuple[list[Record], list[Record]]]) -> Answer:
    """The two sets of records of each setting differ by at most `TOLERANCE` points in ACC and NMI."""
    return Answer(
        [
            Question(f"{title} at {name}", paired(some, others, metric), within=TOLERANCE)
            for metric, title in METRICS.items()
            for name, (some, others) in pairs.items()
        ],
        every=True,
    )


def _by_noise(records: Sequence[Record], method: str) -> dict[float, list[Record]]:
    """The records of a method by the standard deviation of the noise (0 without noise)."""
    found = by_value([record for record in records if record.run["method"] == method], "noise")
    return {level or 0: some for level, some in found.items()}
