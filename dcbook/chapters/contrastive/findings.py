"""Observations on printed tables and on descriptions of released code, with their sources and certainty.

All numbers come from ``reported/printed.csv`` and from DCSS's own table.
"""

from dataclasses import dataclass

import pandas as pd

from dcbook.book.chapters import reported

SURE, LIKELY, READ = "sure", "likely", "as read in the code, not run"
COLOR = ("cifar10", "cifar100-20", "stl10")
TITLES = {"cifar10": "CIFAR-10", "cifar100-20": "CIFAR-100-20", "stl10": "STL-10", "imagenet10": "ImageNet-10"}
MORE = ("SCAN after self-labelling (best)", "TCL", "SCAN+RUC (confidence)", "SPICE", "ProPos")  # left out by DCSS


@dataclass(frozen=True)
class Finding:
    """An observation, its evidence, and its certainty."""

    finding: str
    evidence: str
    sure: str


def value(method: str, dataset: str, metric: str = "acc") -> float:
    """The printed result of a method, in per cent; for DCSS from its own table. KeyError if there is none."""
    table, column = ("dcss/table1", "method") if method == "DCSS" else ("contrastive/printed", "method")
    frame = reported(table)
    found = frame[(frame[column] == method) & (frame["dataset"] == dataset) & (frame["metric"] == metric)]["value"]
    if found.empty:
        raise KeyError(f"nothing is printed for {method} on {dataset} in {metric}")
    return float(found.iloc[0])


def both(method: str, dataset: str) -> str:
    """ACC and NMI in words: "79.0 / 70.5"."""
    return f"{value(method, dataset):.1f} / {value(method, dataset, 'nmi'):.1f}"


def findings() -> list[Finding]:
    """Observations on printed results, then on released code."""
    more = ", ".join(f"{name.split(' after')[0].split(' (')[0]} {value(name, 'cifar10'):.1f}" for name in MORE)
    ours = "CC (as printed by DCSS)"
    return [
        Finding(
            "DCSS's row of CC on CIFAR-10 is another run than CC's own",
            f"DCSS prints {both(ours, 'cifar10')} (ACC / NMI), ProPos' table has {both('CC', 'cifar10')} for CC, and "
            f"the log of C3, by the lab of DCSS, starts at {both('CC (re-run, start of C3)', 'cifar10')}. On "
            f"CIFAR-100-20 it is {both(ours, 'cifar100-20')} against {both('CC', 'cifar100-20')}",
            f"the numbers: {SURE}; that DCSS took them from that run: {LIKELY}",
        ),
        Finding(
            "DCSS's row of PICA is the best of several trials, not their mean",
            "; ".join(
                f"{TITLES[name]}: DCSS {value('PICA (as printed by DCSS)', name):.1f}, best "
                f"{value('PICA (best of trials)', name):.1f}, mean {value('PICA (mean)', name):.1f}"
                for name in COLOR
            ),
            SURE,
        ),
        Finding(
            "Methods without a row in DCSS's table print more than DCSS",
            f"ACC on CIFAR-10: {more}; DCSS {value('DCSS', 'cifar10'):.1f}. DCSS's text says that it beats all methods "
            "that it compares with; these are not among them. Their trunks and schedules differ",
            f"the numbers: {SURE}",
        ),
        Finding(
            "ProPos' table prints an ACC of PCL on STL-10 below its NMI and ARI",
            f"ACC {value('PCL', 'stl10'):.1f}, NMI {value('PCL', 'stl10', 'nmi'):.1f}, ARI "
            f"{value('PCL', 'stl10', 'ari'):.1f}",
            f"a misprint: {LIKELY}",
        ),
        Finding(
            "Labels choose checkpoints in DCCM, PICA and SPICE",
            "DCCM keeps the epoch with the best NMI (main.py:113-121), PICA that with the best ACC (main.py:131-137), "
            "SPICE epoch and head with the best ACC (train_self_v2.py:344-360), from which its last stage starts",
            READ,
        ),
        Finding(
            "SCAN's selection knows no labels, but looks at the test images",
            "the epoch with the lowest loss on them is kept (scan.py:107)",
            READ,
        ),
        Finding(
            "One in 21 of SCAN's neighbors is the image itself, and its random crop does nothing at 32 pixels",
            "memory.py:44-54 keeps the image in its own list; a crop of 32×32 without padding leaves the image whole",
            READ,
        ),
        Finding(
            "DCCM pairs many images with the wrong partner",
            "an index is not shifted back (sampling.py:28); negatives are the first two unlinked images of the batch "
            "for every image (sampling.py:9-19). Our version of these lines runs below",
            READ,
        ),
        Finding(
            "DAC's repository holds a version with one threshold for most sets, and one with two for CIFAR-10",
            f"last lines of the logs on CIFAR-10: {both('DAC* (repo log v1)', 'cifar10')} with one, "
            f"{both('DAC (repo log v2 two thresholds)', 'cifar10')} with two; the paper prints "
            f"{both('DAC', 'cifar10')}. The log on STL-10 stops at epoch 36 of 75",
            SURE,
        ),
        Finding(
            "C3 trains the trunk under a cluster head that gets no gradient, and ACC rises",
            f"log on CIFAR-10: {both('CC (re-run, start of C3)', 'cifar10')} before, {both('C3', 'cifar10')} after",
            f"the log: {SURE}; that the head gets none: {READ}",
        ),
    ]


def as_table() -> pd.DataFrame:
    """The findings, a row each."""
    return pd.DataFrame([{"what": f.finding, "rests on": f.evidence, "how sure": f.sure} for f in findings()])


def on_cifar10() -> pd.DataFrame:
    """Printed ACC on CIFAR-10 of DCSS, of its table's rows, and of those that it leaves out: row, ACC."""
    rows = [
        "DAC",
        "DCCM",
        "PICA (mean)",
        "PICA (best of trials)",
        "CC (as printed by DCSS)",
        "CC",
        "IDFD",
        "MiCE",
        *MORE,
    ]
    return pd.DataFrame([{"row": row, "ACC": value(row, "cifar10")} for row in [*rows, "DCSS"]])
