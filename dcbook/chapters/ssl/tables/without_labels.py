"""Records of medical images and spoken vowels as rows: clusters beside a majority vote and linear probes."""

from collections.abc import Iterable

import pandas as pd

from dcbook.chapters.ssl.grids.without_labels import K_MEANS
from dcbook.experiments import Record, with_spread
from dcbook.plots.names import called

MAJORITY, FEW, ALL = "majority vote", "probe, few labels", "probe, all labels"
BALANCED, F1, NMI = "balanced", "f1_macro", "nmi"


def probed_numbers(records: Iterable[Record]) -> list[tuple[str, str, str, float]]:
    """Rows for `summarize`, in per cent: clusters of a method, a majority vote, and probes on the method's features.

    The names of the numbers of a probe begin with "few" and "probe", those of the majority vote with "majority";
    "brightness in clusters" and "in classes" are shares of the variance of the mean value of a sample.
    """
    rows = []
    for record in records:
        seen = record.portrait
        numbers = {
            BALANCED: seen["balanced"],
            F1: record.scores["f1_macro"],
            NMI: record.scores["nmi"],
            "acc": record.scores["acc"],
            "majority balanced": seen["chance"],
            "majority f1_macro": seen["majority"]["f1_macro"],
            "majority acc": seen["majority"]["acc"],
        }
        numbers |= {f"{who} {name}": value for who in ("few", "probe") for name, value in seen[who].items()}
        numbers |= {f"brightness in {groups}": value for groups, value in seen["mean value"].items()}
        rows += [(record.run["method"], record.run["dataset"], name, 100 * value) for name, value in numbers.items()]
    return rows


def probed_table(frame: pd.DataFrame) -> pd.DataFrame:
    """`summarize(probed_numbers(records))`: a row a data set and method, every score beside that of a majority vote."""
    rows = []
    for (dataset, method), part in frame.groupby(["dataset", "method"], sort=False):
        mean, std = (dict(zip(part["metric"], part[column], strict=True)) for column in ("mean", "std"))
        balanced = with_spread(mean[BALANCED], std[BALANCED])
        rows.append(
            {
                "data set": called(dataset),
                "clusters by": method,
                "balanced accuracy (majority vote), %": f"{balanced} ({mean['majority balanced']:.1f})",
                "macro F1 (majority vote), %": f"{mean[F1]:.1f} ({mean['majority f1_macro']:.1f})",
                "NMI (majority vote), %": f"{mean[NMI]:.1f} (0.0)",
                "ACC (majority vote), %": f"{mean['acc']:.1f} ({mean['majority acc']:.1f})",
                "probe with few labels, balanced, %": mean["few balanced"],
                "probe with all labels, balanced, %": mean["probe balanced"],
            }
        )
    return pd.DataFrame(rows)


def brightness_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: which share of the variance of brightness lies between clusters, and between classes."""
    rows = []
    for (dataset, method), part in frame.groupby(["dataset", "method"], sort=False):
        mean = dict(zip(part["metric"], part["mean"], strict=True))
        rows.append(
            {
                "data set": called(dataset),
                "clusters by": method,
                "brightness between clusters, %": mean["brightness in clusters"],
                "between classes, %": mean["brightness in classes"],
                "NMI of clusters and classes, %": mean[NMI],
            }
        )
    return pd.DataFrame(rows)


def beside_probes(records: Iterable[Record]) -> dict[str, dict[str, list[float]]]:
    """Data set to balanced accuracies in per cent, each seed: a majority vote, the clusters, probes on the samples.

    For `dcbook.plots.dots`. The probes are those on what k-means clusters.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for record in records:
        seen, lines = record.portrait, found.setdefault(called(record.run["dataset"]), {MAJORITY: []})
        lines.setdefault(record.run["method"], []).append(100 * seen["balanced"])
        if record.run["method"] == K_MEANS:
            for name, value in (
                (MAJORITY, seen["chance"]),
                (FEW, seen["few"]["balanced"]),
                (ALL, seen["probe"]["balanced"]),
            ):
                lines.setdefault(name, []).append(100 * value)
    last = (FEW, ALL)
    return {
        dataset: {name: lines[name] for name in [*(n for n in lines if n not in last), *last]}
        for dataset, lines in found.items()
    }
