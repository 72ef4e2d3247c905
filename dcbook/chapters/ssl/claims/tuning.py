"""Judges of whether settings matter, and of whether a criterion without labels identifies a good setting."""

from collections.abc import Sequence

import pandas as pd

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.tables import CRITERIA, correlations, criteria
from dcbook.experiments import Contrast, Question, Record
from dcbook.experiments.compare import TOLERANCE


def setting_matters(records: Sequence[Record]) -> Answer:
    """ACC of the best setting over the worst; for each seed, the other seeds determine which these are."""
    frame, gains = criteria(records), {}
    for dataset, part in frame.groupby("dataset", sort=False):
        acc, found = _acc(part), []
        for seed, row in acc.iterrows():
            others = acc.drop(index=seed).mean()
            found.append(row[others.idxmax()] - row[others.idxmin()])
        gains[dataset] = tuple(map(float, found))
    return Answer([Question("ACC of the best vectors over the worst", Contrast(gains), above=TOLERANCE, band=None)])


def tells_the_best(criterion: str) -> Judge:
    """A criterion without labels has a rank correlation with ACC above 0, and chooses within 2 points of the best."""

    def judge(records: Sequence[Record]) -> Answer:
        frame = criteria(records)
        found = correlations(frame, criterion)
        if not found or frame[criterion].isna().any():
            raise NotTested(f"no record tells the {CRITERIA[criterion]}")
        behind = {dataset: _behind(part, criterion) for dataset, part in frame.groupby("dataset", sort=False)}
        return Answer(
            [
                Question(
                    f"rank correlation of the {CRITERIA[criterion]} with ACC",
                    Contrast(found, "", paired=True, bounds=(-1, 1)),
                    band=None,
                ),
                Question("ACC of the chosen vectors over the best", Contrast(behind), above=-TOLERANCE, band=None),
            ]
        )

    return judge


def _acc(frame: pd.DataFrame) -> pd.DataFrame:
    """ACC on a data set, a row a seed and a column a setting; NotTested where there are not two of each, all run."""
    acc = frame.pivot(index="seed", columns="setting", values="acc")
    if min(acc.shape) < 2 or acc.isna().any(axis=None):
        raise NotTested(f"{frame['dataset'].iloc[0]} has records of fewer than two seeds or settings, or not of all")
    return acc


def _behind(frame: pd.DataFrame, criterion: str) -> tuple[float, ...]:
    """ACC of the setting with the best mean criterion over the best by the other seeds; one value for each seed."""
    choice, acc = frame.groupby("setting")[criterion].mean().idxmax(), _acc(frame)
    return tuple(float(row[choice] - row[acc.drop(index=seed).mean().idxmax()]) for seed, row in acc.iterrows())
