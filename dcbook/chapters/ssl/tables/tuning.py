"""Settings that would be chosen without labels: criteria that need no labels, and the ACC of their choices."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from dcbook.chapters.ssl.tables.texts import kind_of, named_vectors
from dcbook.chapters.ssl.watches import agreement
from dcbook.experiments import Record

# The criteria in words, by their columns; larger is better for each, so the loss has a minus
CRITERIA = {"silhouette": "silhouette", "agreement": "agreement between seeds", "loss": "loss of k-means"}
LOSSES = ("total", "pairwise", "loss")  # of a history, the first that it has


def criteria(records: Iterable[Record]) -> pd.DataFrame:
    """A row for each run: dataset, setting (its vectors), seed, acc, nmi, silhouette, agreement, loss; all × 100.

    agreement : mean ARI between the clusters of the run and those of the other seeds at the same setting.
    loss : minus that of k-means, as a share of the variance about the mean.
    """
    runs = list(records)
    ids: dict[tuple[str, str], dict[int, str]] = {}
    for record in runs:
        ids.setdefault((record.run["dataset"], kind_of(record)), {})[record.run["seed"]] = record.portrait["ids"]
    rows = []
    for record in runs:
        dataset, setting, seed = record.run["dataset"], kind_of(record), record.run["seed"]
        mine = ids[dataset, setting]
        others = [agreement([mine[seed], other]) for each, other in mine.items() if each != seed]
        found = {
            "acc": record.scores["acc"],
            "nmi": record.scores["nmi"],
            "silhouette": record.portrait["silhouette"],
            "agreement": np.mean(others) if others else None,
            "loss": -record.portrait["loss"],
        }
        numbers = {name: np.nan if value is None else 100 * value for name, value in found.items()}
        rows.append({"dataset": dataset, "setting": setting, "seed": seed, **numbers})
    return pd.DataFrame(rows)


def correlations(frame: pd.DataFrame, criterion: str) -> dict[str, tuple[float, ...]]:
    """Data set to Spearman's rank correlation, over the settings, of a criterion with ACC: one for each seed."""
    found: dict[str, list[float]] = {}
    for (dataset, _), part in frame.groupby(["dataset", "seed"], sort=False):
        found.setdefault(dataset, []).append(_rank_correlation(part[criterion], part["acc"]))
    return {dataset: tuple(each) for dataset, each in found.items()}


def tuning_numbers(frame: pd.DataFrame) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, from `criteria`."""
    names = ["acc", "nmi", *CRITERIA]
    return [
        (named_vectors(row["setting"]), row["dataset"], name, row[name])
        for row in frame.to_dict("records")
        for name in names
    ]


def chosen(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(tuning_numbers(…))`: a row for each data set and criterion, with the setting that it chooses.

    The rank correlation is that of the means over the seeds. The last two columns are what labels would have chosen.
    """
    rows = []
    for dataset, part in frame.groupby("dataset", sort=False):
        mean = part.pivot(index="method", columns="metric", values="mean").loc[part["method"].unique()]
        rows += [
            {
                "data set": dataset,
                "chosen by": name,
                "vectors": mean[criterion].idxmax(),
                "ACC, %": mean["acc"][mean[criterion].idxmax()],
                "rank correlation with ACC": f"{_rank_correlation(mean[criterion], mean['acc']):+.2f}",
                "best ACC, %": mean["acc"].max(),
                "with": mean["acc"].idxmax(),
            }
            for criterion, name in CRITERIA.items()
        ]
    return pd.DataFrame(rows)


def by_setting(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: a row for each data set and number (ACC, silhouette, agreement), a column for each setting."""
    names = {"acc": "ACC, %", "silhouette": "silhouette × 100", "agreement": "agreement, ARI × 100"}
    rows = []
    for dataset, part in frame.groupby("dataset", sort=False):
        mean = part.pivot(index="metric", columns="method", values="mean")
        mean = mean[sorted(mean, key=lambda name: (len(name), name))]
        rows += [{"data set": dataset, "": told, **mean.loc[name]} for name, told in names.items()]
    return pd.DataFrame(rows)


def stored_sweeps(sweeps: Mapping[str, Iterable[Record]]) -> pd.DataFrame:
    """A row for each sweep and data set: Spearman's correlation of minus the last loss with ACC, for each seed.

    sweeps : name to records of one method at several settings; one without records has no row. `settings` counts those
        of the seed that has most.
    """
    found: dict[tuple[str, str], dict[int, list[tuple[float, float]]]] = {}
    for name, records in sweeps.items():
        for record in records:
            last, run = record.history[-1], record.run
            loss = next(last[key] for key in LOSSES if key in last)
            seeds = found.setdefault((name, run["dataset"]), {})
            seeds.setdefault(run["seed"], []).append((-loss, record.scores["acc"]))
    rows = []
    for (name, dataset), seeds in found.items():
        told = [f"{_rank_correlation(*zip(*pairs, strict=True)):+.2f}" for _, pairs in sorted(seeds.items())]
        about = {"sweep": name, "data set": dataset, "settings": max(map(len, seeds.values()))}
        rows.append(about | {"rank correlation, each seed": ", ".join(told)})
    return pd.DataFrame(rows)


def _rank_correlation(a: Iterable[float], b: Iterable[float]) -> float:
    """Spearman's rank correlation; 0 if one of the two is constant."""
    a, b = list(a), list(b)
    return float(spearmanr(a, b).statistic) if len(set(a)) > 1 and len(set(b)) > 1 else 0.0
