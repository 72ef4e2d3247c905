"""How records judge whether settings matter, and whether anything that needs no label tells which is good."""

from collections.abc import Sequence

import numpy as np

from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.ssl.tables import CRITERIA, correlations, criteria
from dcbook.experiments import Contrast, Question, Record
from dcbook.experiments.compare import TOLERANCE


def setting_matters(records: Sequence[Record]) -> Answer:
    """The best setting over the worst, in ACC, where the other seeds tell which they are: no seed judges itself."""
    frame, gains = criteria(records), {}
    for dataset, part in frame.groupby("dataset", sort=False):
        acc = part.pivot(index="seed", columns="setting", values="acc")
        if len(acc) < 2 or acc.shape[1] < 2:
            raise NotTested(f"{dataset} has records of fewer than two seeds or settings")
        found = []
        for seed, row in acc.iterrows():
            others = acc.drop(index=seed).mean()
            found.append(row[others.idxmax()] - row[others.idxmin()])
        gains[dataset] = tuple(map(float, found))
    return Answer([Question("ACC of the best vectors over the worst", Contrast(gains), above=TOLERANCE, band=None)])


def ranks_as_labels(criterion: str) -> Judge:
    """Over the settings, a criterion without labels has a positive rank correlation with ACC."""

    def judge(records: Sequence[Record]) -> Answer:
        found = correlations(criteria(records), criterion)
        if not found or any(np.isnan(each).any() for each in found.values()):
            raise NotTested(f"no record tells the {CRITERIA[criterion]}")
        question = Question("rank correlation with ACC", Contrast(found, "", paired=True), band=None)
        return Answer([question])

    return judge
