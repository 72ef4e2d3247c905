"""Results reported in the papers, and the papers' data sets that correspond to ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcbook.experiments.records import place

if TYPE_CHECKING:  # imported only where tables are made, to keep the workers of a sweep small
    import pandas as pd


@dataclass(frozen=True)
class Counterpart:
    """The paper's data set with which one of our data sets is compared.

    Attributes
    ----------
    dataset : str
        Its name in the reported tables.
    kind : "same", "part" (ours is a part of the paper's) or "other" (other data, for orientation only)
    note : str
        What a reader must know about the difference.
    """

    dataset: str
    kind: str = "same"
    note: str = ""

    def __post_init__(self):
        if self.kind not in ("same", "part", "other"):
            raise ValueError(f'kind must be "same", "part" or "other", not {self.kind!r}')

    def __str__(self) -> str:
        return f"{self.dataset} ({self.note})" if self.note else self.dataset


OTHER = "other data, for orientation only"
COUNTERPARTS = {
    "usps": Counterpart("usps"),
    "mnist": Counterpart("mnist"),
    "mnist-test": Counterpart("mnist", "part", "ours: 10,000 of its 70,000 images"),
    "fashion-mnist": Counterpart("fashion-mnist"),
    "fashion-mnist-test": Counterpart("fashion-mnist", "part", "ours: 10,000 of its 70,000 images"),
    "2mnist": Counterpart("2mnist"),
    "cifar10": Counterpart("cifar10"),
    "cifar100-20": Counterpart("cifar100-20"),
    "stl10": Counterpart("stl10"),
    "imagenet10": Counterpart("imagenet10"),
    "digits": Counterpart("mnist", "other", OTHER),
    "digits-rgb": Counterpart("cifar10", "other", OTHER),
}
ALTERED = {"retention", "mixed_with", "noise"}  # options of a sample that make it other data than the paper's


def counterpart(run: Mapping, counterparts: Mapping[str, Counterpart] = COUNTERPARTS) -> Counterpart | None:
    """The counterpart of a run: a sample of a data set is a part of it, or other data where it is `ALTERED`.

    Features are compared with their own rows.
    """
    found, sampling = counterparts.get(run["dataset"]), run.get("sampling", {})
    if found and ALTERED & sampling.keys():
        found = replace(found, kind="other", note=OTHER)
    if found and "subset" in sampling and found.kind != "other":
        found = replace(found, kind="part", note=f"ours: {sampling['subset']:,} of its images")
    if found and "features" in sampling:
        found = replace(found, dataset=found.dataset + place(run).removeprefix(run["dataset"]))
    return found


def stand_in(dataset: str, present: Iterable[str]) -> str:
    """The first data set of those `present` that is the paper's or a part of it, or else the first of all."""
    present = list(present)
    beside = {COUNTERPARTS[name].dataset: name for name in reversed(present) if COUNTERPARTS[name].kind != "other"}
    return beside.get(dataset, present[0])


def read_reported(path: Path) -> pd.DataFrame:
    """A table of values reported in a paper, in per cent, one value per row.

    Parameters
    ----------
    path : path
        A CSV file with a column `value` and a column `status`: "checked" (against the paper's text), or another origin
        of the value, such as "transcribed, unverified".

    Raises
    ------
    FileNotFoundError
        If the file does not exist; the message lists the files that do.
    ValueError
        If a column is missing, or a value is not a number.
    """
    if not path.is_file():
        there = ", ".join(sorted(each.stem for each in path.parent.glob("*.csv"))) or "none"
        raise FileNotFoundError(f"no reported table {path.stem!r} in {path.parent}: there are {there}")
    import pandas as pd

    frame = pd.read_csv(path)
    if missing := {"value", "status"} - set(frame.columns):
        raise ValueError(f"{path} lacks the column {' and '.join(sorted(missing))}")
    wrong = pd.to_numeric(frame["value"], errors="coerce").isna()
    if wrong.any():
        raise ValueError(f"{path}: the value in line {wrong.idxmax() + 2} is not a number; leave out what has none")
    return frame
