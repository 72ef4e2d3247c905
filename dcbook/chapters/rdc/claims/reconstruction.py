"""Judges of the R-DC paper's claims about its own method, tested on a reconstruction of it."""

from collections.abc import Collection, Sequence

import pandas as pd

from dcbook.book.comparisons import METRICS
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.rdc import grids, tables
from dcbook.chapters.rdc.grids import PARADIGMS, RDC
from dcbook.experiments import Contrast, Question, Record, by_value, contrast, grouped, paired
from dcbook.experiments.compare import TOLERANCE

TITLES = {"fr_dynae": "FR", "fd_dynae": "FD", "fd_rdc": "FD (rdc)"}
BY_CONSTRUCTION = {"fd_rdc": "; IDEC's loss contains reconstruction, so that its FD (rdc) is high by construction"}
SMALL = 0.1  # largest cosine that counts as near 0
PSEUDO = ("DEC", "IDEC")  # methods whose cosines R-DC (reconstruction) should exceed
TOLERATED = {"id": 0.25, "curvature_gap": 0.25, "spectral_gap": 0.05}  # of the order of the sampling errors


def aligned(cosine: str) -> Judge:
    """The mean of a cosine over phase 2 of R-DC (reconstruction) is above 0, DEC's and IDEC's, paired by run."""

    def judge(records: Sequence[Record]) -> Answer:
        runs = tables.diagnoses(records).pivot(index=["dataset", "seed"], columns="method", values=cosine)
        runs = runs.reindex(columns=list(grids.METHODS)).dropna(subset=[RDC, *PSEUDO])
        if runs.empty:
            raise NotTested(f"no records of {RDC}, {' and '.join(PSEUDO)} with that number")
        questions = [Question(TITLES[cosine], _of_runs(runs[RDC].reset_index(), RDC))]
        for rival in PSEUDO:
            gain = (runs[RDC] - runs[rival]).rename("gain").reset_index()
            questions.append(Question(f"{TITLES[cosine]} over that of {rival}", _of_runs(gain, "gain", paired=True)))
        means = ", ".join(f"{name} {value:.2f}" for name, value in runs.dropna(axis=1, how="all").mean().items())
        return Answer(questions, f"on average {means}{BY_CONSTRUCTION.get(cosine, '')}")

    return judge


def opposed(cosine: str, paradigms: Collection[str]) -> Judge:
    """The mean of a cosine over the training is near 0 or negative (below `SMALL`), for each of these methods."""

    def judge(records: Sequence[Record]) -> Answer:
        runs = tables.diagnoses(records).dropna(subset=[cosine])
        runs = runs[runs["method"].map(PARADIGMS).isin(paradigms)]
        if runs.empty:
            raise NotTested("no record of such a method with that number")
        questions = [
            Question(f"{TITLES[cosine]} of {name}", _of_runs(part, cosine), below=SMALL)
            for name, part in runs.groupby("method", sort=False)
        ]
        return Answer(questions, every=True)

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
        for name, row in runs.groupby(level=0, sort=False)[list(TOLERATED)].mean().iterrows()
        if name in PSEUDO
    ]
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
    try:
        questions = [Question(name, contrast(records, RDC, grids.BEFORE, metric)) for metric, name in names.items()]
    except ValueError as error:
        raise NotTested(str(error)) from None
    ours = tables.diagnoses([record for record in records if record.run["method"] == RDC])
    above = int((ours["acc"] > ours["majority"]).sum())
    return Answer(questions, f"ACC above the largest class's share in {above} of {len(ours)} runs")


def steady(records: Sequence[Record]) -> Answer:
    """Changing each of `HYPERPARAMETERS` changes ACC and NMI by at most `TOLERANCE` points, paired by seed."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(tables.setting(record), []).append(record)
    changed = [name for name in found if name.partition(" = ")[0] in grids.HYPERPARAMETERS]
    if not changed or "as it is" not in found:
        raise NotTested("no record of a changed setting")
    return _within({name: (found[name], found["as it is"]) for name in changed})


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
    return Answer(answer.questions, f"phase 1 alone: {told}" if told else "", every=True)


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
