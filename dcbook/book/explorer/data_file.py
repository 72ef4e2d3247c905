"""The file that the explorer's page loads for one data set: a script with one JSON object, numbers packed in base64.

A script, because a page that is opened from a folder may load no other file. `dcbookExplorer.sets[NAME]` becomes

| entry          | what it holds                                                                                      |
|----------------|----------------------------------------------------------------------------------------------------|
| n, k           | numbers of samples and clusters                                                                    |
| title, class_names, classes | the set's name, its classes, and the class of each sample (one byte each, base64)     |
| tile, columns, atlas | side of a thumbnail in pixels, thumbnails in a row, and all of them in one PNG picture       |
| frames         | name, space, dimensions, ACC, and `match`: cluster → class by the Hungarian method (-1: none)      |
| clusters       | `packed`, of each frame, of each sample; `before`, see `packing`                                   |
| grid           | places are whole numbers from 0 to this                                                            |
| maps           | "pca", "tsne": `packed`, x and y of each sample, map by map; `before`; `span`, the width of the    |
|                | whole in units of the space; `held`, the share of a frame's variance in the plane of PCA            |
| routes         | name, about, settings, and steps: the numbers of a frame and of its maps ("tsne" not for all)      |
| seed, scale, start, made_with | how all of it was made                                                              |
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from dcbook.book.explorer.course import Frame
from dcbook.book.explorer.maps import GRID
from dcbook.book.explorer.packing import packed, settled
from dcbook.data import Dataset
from dcbook.evaluation import accuracy, match

BEFORE, AFTER = "dcbookExplorer.sets[{}] = ", ";\n"
LARGEST_SET, LARGEST_FILE = 20_000, 2_400_000  # samples that a page draws fast enough; bytes
LARGEST_TILE = 16
LEVELS = 16  # of gray
REACH = 1  # of the grid's steps: so far from its place a point may be drawn, which keeps a file small


class TooLarge(ValueError):
    """A file with so many frames is too large."""


@dataclass
class Maps:
    """Maps of one kind: places (N, 2) on the grid, its span in units of the space; for PCA the share held.

    `before` has the number of the map that each one follows, or `packing.ALONE`.
    """

    places: list[np.ndarray] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)


def base64_of(numbers: np.ndarray) -> str:
    """Numbers from 0 to 255, a byte each, in base64."""
    return base64.b64encode(numbers.astype(np.uint8).tobytes()).decode()


def frame_of(frame: Frame, data: Dataset) -> dict[str, Any]:
    """What the file says of a frame beside its clusters."""
    clusters, first = np.unique(frame.clusters, return_index=True)
    renamed = match(data.labels, frame.clusters)[first]
    names = np.full(data.n_classes, -1)
    names[clusters] = [-1 if name is None else name for name in renamed]
    return {
        "name": frame.name,
        "space": frame.space,
        "dimensions": frame.codes.shape[1],
        "acc": round(accuracy(data.labels, frame.clusters), 4),
        "match": names.tolist(),
    }


def atlas(images: np.ndarray) -> tuple[str, int, int]:
    """Thumbnails of gray images (N, 1, H, W) in 16 levels: a PNG as data URI, the side of a tile, tiles in a row.

    Images larger than 16 pixels a side are shrunk by a whole number. Raises ValueError for other images.
    """
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"the explorer shows gray images (N, 1, H, W), not samples of shape {images.shape[1:]}")
    gray = images[:, 0] if images.dtype == np.uint8 else np.round(255 * images[:, 0])
    side = max(gray.shape[1:])
    gray = np.pad(gray, ((0, 0), *(((side - n) // 2, side - n - (side - n) // 2) for n in gray.shape[1:])))
    shrink = -(-side // LARGEST_TILE)
    tile = side // shrink
    gray = gray[:, : tile * shrink, : tile * shrink].reshape(-1, tile, shrink, tile, shrink).mean((2, 4))
    columns = int(np.ceil(np.sqrt(len(gray))))
    rows = -(-len(gray) // columns)
    sheet = np.zeros((rows * columns, tile, tile), np.uint8)
    sheet[: len(gray)] = np.round(gray * ((LEVELS - 1) / 255))
    sheet = sheet.reshape(rows, columns, tile, tile).swapaxes(1, 2).reshape(rows * tile, columns * tile)
    picture = Image.fromarray(sheet, "P")
    picture.putpalette([level * 255 // (LEVELS - 1) for level in range(LEVELS) for _ in range(3)])
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, bits=4)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode(), tile, columns


def check_size(data: Dataset) -> None:
    """Raise ValueError for samples that a page cannot show: too many, or no gray images."""
    if len(data) > LARGEST_SET:
        raise ValueError(f"the explorer draws up to {LARGEST_SET:,} samples smoothly; {data.name} has {len(data):,}")
    atlas(data.images[:1])


def content(
    data: Dataset,
    title: str,
    frames: Sequence[Frame],
    before: Sequence[int],
    maps: Mapping[str, Maps],
    routes: Sequence[Mapping[str, Any]],
    **about: Any,
) -> dict[str, Any]:
    """The object of the file; `before` has the number of the frame that each one follows, `maps` are by kind."""
    picture, tile, columns = atlas(data.images)
    return {
        "n": len(data),
        "k": data.n_classes,
        "title": title,
        "class_names": list(data.class_names),
        **about,
        "routes": list(routes),
        "frames": [frame_of(frame, data) for frame in frames],
        "tile": tile,
        "columns": columns,
        "classes": base64_of(data.labels),
        "clusters": {"before": list(before), "packed": packed([frame.clusters for frame in frames], before)},
        "grid": GRID,
        "maps": {
            kind: {
                "span": [float(f"{span:.4g}") for span in those.spans],
                "held": [round(share, 4) for share in those.held],
                "before": those.before,
                "packed": packed(settled(those.places, those.before, REACH), those.before),
            }
            for kind, those in maps.items()
        },
        "atlas": picture,
    }


def script(name: str, held: Mapping[str, Any]) -> str:
    """The file's text. Raises `TooLarge` for one that a page should not load."""
    entries = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in held.items())
    text = BEFORE.format(json.dumps(name)) + "{\n" + entries + "\n}" + AFTER
    if len(text) > LARGEST_FILE:
        frames, most = len(held["frames"]), LARGEST_FILE
        raise TooLarge(f"{frames} frames of {name} make {len(text):,} bytes, and a file may have {most:,}")
    return text


def read(text: str) -> tuple[str, dict[str, Any]]:
    """The set's name and the object of a file; ValueError for any other text."""
    head, _, rest = text.partition("] = ")
    if not text.startswith(BEFORE.partition("{")[0]) or not rest.endswith(AFTER):
        raise ValueError("this is no data file of the explorer")
    return json.loads(head.removeprefix(BEFORE.partition("{")[0])), json.loads(rest.removesuffix(AFTER))
