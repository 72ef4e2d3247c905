"""Rows of the printed tables: their values and sources, alone and side by side."""

import re
from collections.abc import Sequence

import pandas as pd

from dcbook.book.chapters import reported

TITLES = {
    "cifar10": "CIFAR-10",
    "cifar100-20": "CIFAR-100-20",
    "stl10": "STL-10",
    "imagenet10": "ImageNet-10",
    "imagenet-dogs": "ImageNet-Dogs",
    "tiny-imagenet": "Tiny-ImageNet",
}
OF_DCSS = ("cifar10", "cifar100-20", "stl10", "imagenet10")  # color images in DCSS's table
MORE = ("SCAN after self-labelling (best)", "TCL", "SCAN+RUC (confidence)", "SPICE", "ProPos")  # left out by DCSS
SHORT = (
    (r"^(.*?) image in .*", r"picture of \1"),
    (r"^last printed line of the log in (\S+) .*", r"last line of the log in \1"),
    (r"^README model zoo", "README"),
)  # how a table shortens a source


def value(method: str, dataset: str, metric: str = "acc") -> float:
    """The printed result of a method, in per cent; for DCSS from its own table. KeyError if there is none."""
    table = "dcss/table1" if method == "DCSS" else "contrastive/printed"
    frame = reported(table)
    found = frame[(frame["method"] == method) & (frame["dataset"] == dataset) & (frame["metric"] == metric)]["value"]
    if found.empty:
        raise KeyError(f"nothing is printed for {method} on {dataset} in {metric}")
    return float(found.iloc[0])


def both(method: str, dataset: str) -> str:
    """ACC and NMI in words: "79.0 / 70.5", "61.7 / –" if one is missing, "" if there is neither."""
    words = []
    for metric in ("acc", "nmi"):
        try:
            words.append(f"{value(method, dataset, metric):.1f}")
        except KeyError:
            words.append("–")
    return "" if words == ["–", "–"] else " / ".join(words)


def sources(methods: Sequence[str], datasets: Sequence[str]) -> list[str]:
    """Where ACC and NMI of some methods on some data sets are printed, each place once."""
    frame = reported("contrastive/printed")
    frame = frame[frame["method"].isin(methods) & frame["dataset"].isin(datasets)]
    places = frame[frame["metric"].isin(["acc", "nmi"])]["source"]
    return list(dict.fromkeys([*(["DCSS Table 1"] if "DCSS" in methods else []), *places]))


def shown(method: str) -> str:
    """The name of a printed row in this book's spelling."""
    return method.replace("labelling", "labeling")


def side_by_side(methods: Sequence[str], datasets: Sequence[str] = tuple(TITLES)) -> pd.DataFrame:
    """Printed ACC / NMI of some methods: a row for each method, a column for each data set, the sources in short."""
    rows = []
    for method in methods:
        found = []
        for source in sources([method], datasets):
            for pattern, short in SHORT:
                source = re.sub(pattern, short, source)
            found.append(source)
        cells = {TITLES[name]: both(method, name) for name in datasets}
        rows.append({"ACC / NMI, %": shown(method), **cells, "source": "; ".join(dict.fromkeys(found))})
    return pd.DataFrame(rows)


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
    return pd.DataFrame([{"row": shown(row), "ACC": value(row, "cifar10")} for row in [*rows, "DCSS"]])
