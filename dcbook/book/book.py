"""`Book`: a notebook's parameters, checked, with the runs they stand for and the places of what comes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dcbook.book import output, paths, provenance
from dcbook.book.parameters import given_names, validated
from dcbook.experiments import Record, Result, Run, Scale, runs, sweep_scale
from dcbook.experiments.records import path_of, read
from dcbook.experiments.runs import SCALES

NO_RUNS = {name: Scale(name=name) for name in SCALES}


@dataclass(frozen=True)
class Book:
    """One notebook at one scale. Made by `Book.open` in the cell after the parameters.

    Attributes
    ----------
    notebook : str
        "<chapter>/<notebook>", such as "dcss/table1_benchmark".
    scale : str
    datasets, methods : tuple of str
    seeds : tuple of int
    budget : float or None
        Seconds that the sweep may take.
    """

    notebook: str
    scale: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    budget: float | None
    scales: Mapping[str, Scale] = field(repr=False, compare=False)
    records_of: str

    @classmethod
    def open(
        cls,
        notebook: str,
        *,
        scales: Mapping[str, Scale] = NO_RUNS,
        records_of: str | None = None,
        own: Mapping[str, Any] = MappingProxyType({}),
        **parameters: Any,
    ) -> "Book":
        """Check the parameters of a notebook, whatever they were set by: its own cell, papermill or a reader.

        Parameters
        ----------
        notebook : str
            "<chapter>/<notebook>"; the chapter of notebooks directly in ``notebooks/`` is "start".
        scales : mapping
            Settings of each scale; by default none, for a notebook without runs.
        records_of : str, optional
            Chapter whose records it shares; its own by default.
        own : mapping
            Other parameters that the notebook has and checks itself.
        **parameters
            ``scale``, and those of ``datasets``, ``methods``, ``seeds`` and ``budget`` that the notebook has.

        Raises
        ------
        ValueError
            For a name, type or value that is wrong, before any work; the message says what is right.
        """
        known = ("scale", "datasets", "methods", "seeds", "budget")
        if odd := [name for name in parameters if name not in known]:
            raise ValueError(f"Book.open takes {', '.join(known)}, not {', '.join(odd)}")
        if "scale" not in parameters:
            raise ValueError("Book.open needs the notebook's scale: Book.open(..., scale=scale)")
        if notebook.count("/") != 1:
            raise ValueError(f"{notebook!r} is not '<chapter>/<notebook>', such as 'dcss/table1_benchmark'")
        chapter = records_of or notebook.partition("/")[0]
        names = [name for name in given_names() if name not in own]
        return cls(notebook, **validated(parameters, scales, names), scales=scales, records_of=chapter)

    @property
    def folder(self) -> Path:
        """Of the pictures and the table: ``figures/<scale>/<chapter>``."""
        return paths.figures(self.notebook, self.scale, paths.output_root())

    @property
    def records_folder(self) -> Path:
        """Of the records, shared by the notebooks of a chapter: ``figures/<scale>/<chapter>/records``."""
        return self.folder.parent / self.records_of / "records"

    @property
    def starts_folder(self) -> Path:
        """Of the trained starts, shared by all notebooks; a cache: ``build/starts/<scale>``."""
        return paths.output_root() / "build" / "starts" / self.scale

    def runs(self) -> list[Run]:
        """The grid: methods × data sets × seeds."""
        return runs(self.scales[self.scale], self.methods, self.datasets, self.seeds)

    def sweep(self, runs: Iterable[Run] | None = None, **options: Any) -> Result:
        """Make those runs (by default the grid) that have no record yet, by `dcbook.experiments.sweep`.

        The features that they need are made first, where they are missing.

        Raises
        ------
        RuntimeError
            If a run failed; the other runs have been made and recorded by then.
        """
        todo = self.runs() if runs is None else list(runs)
        options = {"starts_folder": self.starts_folder, "budget": self.budget, **options}
        result = sweep_scale(self.scales[self.scale], todo, self.records_folder, **options)
        if result.failed:
            first = result.failed[0]
            raise RuntimeError(
                f"{len(result.failed)} of {len(todo)} runs failed; the first, {first.run}: {first.error}"
            )
        recorded = (path_of(run.identity, self.records_folder).exists() for run in todo)
        if todo and self.budget is not None and not any(recorded):
            print(
                f"None of these {len(todo)} runs has a record at scale {self.scale!r}, and the budget allowed none: "
                "what follows from them cannot be drawn. Without a budget, they are made"
            )
        return result

    def records(self, runs: Iterable[Run] | None = None) -> list[Record]:
        """The records of those runs (all of the grid by default) that are there, in the grid's order."""
        wanted = (path_of(run.identity, self.records_folder) for run in (self.runs() if runs is None else runs))
        return [read(path) for path in wanted if path.exists()]

    def save_figure(self, figure: Figure, name: str) -> Path:
        """Write a picture as ``<notebook>_<name>``, the same bytes for the same picture.

        `name` ends in ``.svg`` or ``.png`` (150 dpi).
        """
        path = self.folder / f"{self.notebook.partition('/')[2]}_{name}"
        output.save_figure(figure, path)
        return path

    def save_table(self, frame: pd.DataFrame) -> Path:
        """Write the notebook's table, ``figures/<scale>/<chapter>/<notebook>.csv``."""
        path = paths.table(self.notebook, self.scale, paths.output_root())
        output.save_table(frame, path)
        return path

    def committed(self, scale: str, notebook: str | None = None) -> pd.DataFrame | None:
        """The committed table of a scale ("laptop", "paper"), of this notebook or another; None if there is none."""
        if scale not in self.scales:
            raise ValueError(f"scale = {scale!r} is not one of {', '.join(map(repr, self.scales))}")
        path = paths.table(notebook or self.notebook, scale, paths.root())
        return pd.read_csv(path) if path.exists() else None

    def provenance(self, runs: Iterable[Run] | None = None) -> None:
        """Print what the numbers above were made with, from those runs (by default the grid).

        It varies between machines, so the cell isn't checked.
        """
        print(provenance.text(self.scale, self.records(runs)))
