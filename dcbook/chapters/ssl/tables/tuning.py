"""Which setting would be chosen without labels: criteria that need none, beside the ACC that they did not see."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from dcbook.chapters.ssl.tables.texts import kind_of
from dcbook.chapters.ssl.watches import agreement
from dcbook.experiments import Record

# Larger is better for each: the criterion in words, by its column
CRITERIA = {"silhouette": "silhouette", "agreement": "agreement between seeds", "explained": "smallest loss"}


def criteria(records: Iterable[Record], setting: Callable[[Record], str] = kind_of) -> pd.DataFrame:
    """A row a run: dataset, setting, seed, acc, nmi, silhouette, agreement, explained; all × 100, larger is better.

    agreement : mean ARI between the clusters of the run and those of the other seeds at the same setting.
    explained : minus the loss of k-means as a share of the variance about the mean.
    """
    runs = list(records)
    ids: dict[tuple[str, str], dict[int, str]] = {}
    for record in runs:
        ids.setdefault((record.run["dataset"], setting(record)), {})[record.run["seed"]] = record.portrait["ids"]
    rows = []
    for record in runs:
        dataset, at, seed = record.run["dataset"], setting(record), record.run["seed"]
        mine = ids[dataset, at]
        others = [agreement([mine[seed], other]) for each, other in mine.items() if each != seed]
        silhouette = record.portrait["silhouette"]
        rows.append(
            {
                "dataset": dataset,
                "setting": at,
                "seed": seed,
                "acc": 100 * record.scores["acc"],
                "nmi": 100 * record.scores["nmi"],
                "silhouette": np.nan if silhouette is None else 100 * silhouette,
                "agreement": 100 * float(np.mean(others)) if others else np.nan,
                "explained": -100 * record.portrait.get("loss", np.nan),
            }
        )
    return pd.DataFrame(rows)


def correlations(frame: pd.DataFrame, criterion: str, score: str = "acc") -> dict[str, tuple[float, ...]]:
    """Data set to Spearman's rank correlation, over the settings, of a criterion with a score: one for each seed."""
    found: dict[str, list[float]] = {}
    for (dataset, _), part in frame.groupby(["dataset", "seed"], sort=False):
        found.setdefault(dataset, []).append(float(spearmanr(part[criterion], part[score]).statistic))
    return {dataset: tuple(each) for dataset, each in found.items()}


def chosen(
    frame: pd.DataFrame, named: Callable[[str], str] = str, names: Sequence[str] = tuple(CRITERIA)
) -> pd.DataFrame:
    """A row a data set and criterion: the setting with the best mean over the seeds, and its ACC.

    The last two columns are what labels would have chosen.
    """
    rows = []
    for dataset, part in frame.groupby("dataset", sort=False):
        mean = part.groupby("setting", sort=False)[["acc", *names]].mean()
        rows += [
            {
                "data set": dataset,
                "chosen by": CRITERIA[name],
                "setting": named(mean[name].idxmax()),
                "ACC, %": mean["acc"][mean[name].idxmax()],
                "rank correlation × 100": 100 * np.mean(correlations(part, name)[dataset]),
                "best ACC, %": mean["acc"].max(),
                "at": named(mean["acc"].idxmax()),
            }
            for name in names
        ]
    return pd.DataFrame(rows)
