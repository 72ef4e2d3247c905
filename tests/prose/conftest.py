"""What tests of numbers in prose share: the text of notebooks and pages, and the committed tables and records."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcbook.book import paths
from dcbook.experiments.records import read_all

ROOT = Path(__file__).parents[2]
NOTEBOOKS = paths.notebooks(ROOT / "notebooks")


def prose(name):
    """All text of a notebook, or of a page, with single spaces."""
    if name.endswith(".md"):
        return " ".join((ROOT / name).read_text().split())
    cells = json.loads(NOTEBOOKS[name].read_text())["cells"]
    return " ".join(" ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown").split())


def means(name, scale="laptop"):
    """The committed table of a notebook: a row for each data set and method, a column for each metric."""
    table = pd.read_csv(paths.table(name, scale, ROOT))
    return table.pivot(index=["dataset", "method"], columns="metric", values="mean")


def state(name, *sentences):
    """Assert that the prose holds each sentence, made from numbers as they are now."""
    text = prose(name)
    assert not [sentence for sentence in sentences if sentence not in text]


def between(values, decimals=0):
    """The smallest and the largest of some numbers, as text: "7 to 11"."""
    return f"{min(values):.{decimals}f} to {max(values):.{decimals}f}"


def percent(records, score):
    """A score of some records, in per cent."""
    return np.array([100 * record.scores[score] for record in records])


def minus(text):
    """With the sign that prose has."""
    return text.replace("-", "−")


def words(values, decimals=1):
    """Numbers in order, as text: "8.2, 6.5 and 6.4"."""
    *first, last = (f"{value:.{decimals}f}" for value in values)
    return f"{', '.join(first)} and {last}"


def by_method(chapter, scale, dataset):
    """The committed records of a data set by method, each list in the order of the seeds."""
    found = {}
    for record in read_all(ROOT / "figures" / scale / chapter / "records"):
        if record.run["dataset"] == dataset:
            found.setdefault(record.run["method"], []).append(record)
    return {name: sorted(some, key=lambda r: r.run["seed"]) for name, some in found.items()}


@pytest.fixture(scope="module")
def at_paper():
    return by_method("dcss", "paper", "usps")


@pytest.fixture(scope="module")
def at_laptop():
    return {name: by_method("dcss", "laptop", name) for name in ("usps", "mnist-test", "fashion-mnist-test")}


@pytest.fixture(scope="module")
def on_clothes():
    return by_method("contrastive", "laptop", "fashion-mnist-test")
