"""A data file of the explorer from a chapter's plan: train, map, write; and the index of all such files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import seaborn as sns

from dcbook.book import paths
from dcbook.book.explorer import data_file
from dcbook.book.explorer.course import Frame, Plan, chain, of_pixels, of_route, of_start, thinned
from dcbook.book.explorer.data_file import Maps, TooLarge
from dcbook.book.explorer.maps import check_installed, kept_tsne, on_grid, pca
from dcbook.book.explorer.packing import ALONE
from dcbook.data import Dataset, arcs, load
from dcbook.experiments import Run, runs
from dcbook.experiments.provenance import environment
from dcbook.experiments.records import digest
from dcbook.experiments.starts import Starts
from dcbook.files import write_whole
from dcbook.plots import PALETTE

INDEX, ARCS = "index.js", "arcs"
PIXELS_FRAME, START_FRAME = 0, 1
MAPPERS = ("openTSNE", "umap-learn")


def folder() -> Path:
    """Where the page looks for its data."""
    return paths.root() / "dcbook" / "book" / "site" / "static" / "explorer"


def make(plan: Plan, dataset: str, seed: int, to: Path, say: Callable[[str], None] = print) -> Path:
    """Write ``<to>/<dataset>.js`` and the index beside it. Starts, frames and maps that were kept are not made again.

    Where a file with the frames of all epochs is too large, those of later epochs are thinned until it is not.

    Raises
    ------
    ValueError
        For a data set that the plan does not have, or one that the page cannot show.
    ImportError
        Where openTSNE, or what a method needs, is not installed.
    """
    if dataset not in plan.titles:
        raise ValueError(f"the explorer shows {', '.join(plan.titles)}, not {dataset!r}")
    check_installed()
    data = load(dataset, **plan.settings.datasets[dataset])
    data_file.check_size(data)  # before the training
    made_with = _made_with(data)  # the commit that the training begins with
    build = paths.output_root() / "build"
    starts = Starts(build / "starts" / plan.settings.name)
    ends = {name: runs(plan.settings, [route.run], [dataset], [seed])[0] for name, route in plan.routes.items()}
    first = _the_start(list(ends.values()))

    common = [of_pixels(data, seed), of_start(first, data, starts)]
    courses = {}
    for name, run in ends.items():
        say(f"{name}: frames")
        courses[name] = of_route(plan.routes[name], run, data, starts, build / "explorer")
    about = [
        {
            "name": name,
            "about": plan.routes[name].about,
            "settings": [f"{part.method}: {_settings(part)}" for part in chain(run)[1:]],
        }
        for name, run in ends.items()
    ]
    start = f"{plan.start} Settings: {_settings(first)}."
    made = {"seed": seed, "scale": plan.settings.name, "start": start, "made_with": made_with}
    for every in count(1):  # fewer frames until the file is small enough
        fewer = {name: thinned(course, every) for name, course in courses.items()}
        try:
            shown = _shown(data, common, fewer, about, seed, build / "explorer", say)
            text = data_file.script(dataset, data_file.content(data, plan.titles[dataset], *shown, **made))
        except TooLarge as error:
            say(str(error))
            if fewer == {name: thinned(course, every + 1) for name, course in courses.items()}:
                raise
        else:
            break
    write_whole(to / f"{dataset}.js", text)
    write_index(to)
    return to / f"{dataset}.js"


def _shown(
    data: Dataset,
    common: Sequence[Frame],
    courses: Mapping[str, Sequence[Frame]],
    about: Sequence[Mapping[str, Any]],
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> tuple[list[Frame], list[int], dict[str, Maps], list[dict[str, Any]]]:
    """All frames, the number of the one that each follows, their maps, and the routes with their steps."""
    frames, before, steps = list(common), [ALONE] * len(common), {}
    for name, course in courses.items():
        own = list(range(len(frames), len(frames) + len(course)))
        before += [START_FRAME, *own[:-1]]
        steps[name] = [PIXELS_FRAME, START_FRAME, *own]
        frames += course
    maps, numbers = _maps(frames, steps, seed, folder, say)

    def step(name: str, frame: int) -> dict[str, int]:
        return {"frame": frame} | {kind: numbers[kind, name, frame] for kind in maps if (kind, name, frame) in numbers}

    routes = [{**each, "steps": [step(each["name"], frame) for frame in steps[each["name"]]]} for each in about]
    return frames, before, maps, routes


def write_arcs(to: Path) -> Path:
    """Write what the page of the toy arcs needs, ``<to>/arcs.js``: points, their arcs, colors."""
    data = load(ARCS)
    held = {
        "points": np.round(arcs.GRID * data.images.reshape(-1)).astype(int).tolist(),
        "grid": arcs.GRID,
        "labels": data.labels.tolist(),
        "colors": _colors(),
        "digest": data.digest,
    }
    write_whole(to / f"{ARCS}.js", f"const dcbookArcsData = {json.dumps(held)};\n")
    return to / f"{ARCS}.js"


def write_index(to: Path) -> Path:
    """Write what the page knows before it loads a set: names, titles, sizes and digests of the files, and colors."""
    sets = []
    for path in sorted(to.glob("*.js")):
        text = path.read_text()
        if text.startswith(data_file.BEFORE.partition("{")[0]):
            name, held = data_file.read(text)
            sha = hashlib.sha256(text.encode()).hexdigest()
            sets.append({"name": name, "title": held["title"], "bytes": len(text.encode()), "sha256": sha})
    entries = ",\n ".join(json.dumps(entry) for entry in sets)
    colors = json.dumps(_colors())
    write_whole(to / INDEX, f"const dcbookExplorer = {{sets: {{}}, colors: {colors}, index: [\n {entries}\n]}};\n")
    return to / INDEX


def _colors() -> list[str]:
    """Those of the book's pictures, as a browser reads them."""
    return list(sns.color_palette(PALETTE).as_hex())


def _maps(
    frames: Sequence[Frame], steps: dict[str, list[int]], seed: int, folder: Path, say: Callable[[str], None]
) -> tuple[dict[str, Maps], dict[tuple[str, str, int], int]]:
    """Both kinds of maps, and the number of the map that a route's frame has: (kind, route, frame) → number.

    A frame's t-SNE is the same for all routes, and only milestones have one. Its PCA is not: the plane is that of a
    route's own last frame. Only the pixels, a space of their own, have one for all.
    """
    numbers: dict[tuple[str, str, int], int] = {}
    flat: dict[int, np.ndarray] = {}
    linear, neighbors = Maps(), Maps()
    for name, shown in steps.items():
        last = None
        for frame in (number for number in shown if frames[number].milestone):
            if frame not in flat:
                say(f"{name}: t-SNE, {frames[frame].name}")
                flat[frame] = kept_tsne(frames[frame].codes, None if last is None else flat[last], seed, folder)
                neighbors.before.append(ALONE if last is None else list(flat).index(last))
            last = frame
            numbers["tsne", name, frame] = list(flat).index(frame)
        for frame, places, span, held in _pca_on_grid(frames, shown):
            known = next((numbers[key] for key in numbers if key[0] == "pca" and key[2] == frame == PIXELS_FRAME), None)
            numbers["pca", name, frame] = len(linear.places) if known is None else known
            if known is None:
                first = frame in shown[:2] or frames[frame].space != frames[frame - 1].space
                linear.before.append(ALONE if first else len(linear.places) - 1)
                linear.places.append(places)
                linear.spans.append(span)
                linear.held.append(held)
    on, span = on_grid(list(flat.values()))
    neighbors.places, neighbors.spans = list(on), [span] * len(on)
    return {"pca": linear, "tsne": neighbors}, numbers


def _pca_on_grid(frames: Sequence[Frame], shown: Sequence[int]) -> Iterator[tuple[int, np.ndarray, float, float]]:
    """Of a route's frames: number, places on the grid, span, and the share of variance held; one scale a space."""
    places, held = pca([frames[number] for number in shown])
    for space in dict.fromkeys(frames[number].space for number in shown):
        ours = [i for i, number in enumerate(shown) if frames[number].space == space]
        on, span = on_grid([places[i] for i in ours])
        yield from ((shown[i], each, span, held[i]) for i, each in zip(ours, on, strict=True))


def _the_start(ends: Sequence[Run]) -> Run:
    """The run that all go on from; ValueError where there are several."""
    firsts = {digest(chain(run)[0].identity): chain(run)[0] for run in ends}
    if len(firsts) > 1 or any(run.start is None for run in ends):
        raise ValueError("all routes of an explorer go on from one start")
    return next(iter(firsts.values()))


def _settings(run: Run) -> str:
    """What a run sets, by the names in the code; the method's defaults where it sets nothing."""
    given = ", ".join(f"{name} = {value}" for name, value in run.params.items())
    return given or "the method's defaults"


def _made_with(data: Any) -> dict[str, Any]:
    """Commit, versions and data."""
    made = environment()
    versions = dict(made["versions"])
    for name in MAPPERS:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return {**made, "versions": versions, "data": data.digest, "original": data.original}
