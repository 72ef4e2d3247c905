"""The file that the explorer's page loads for one data set: a script with one JSON object, numbers in base64.

A script, because a page that is opened from a folder may load no other file. `dcbookExplorer.sets[NAME]` becomes

| entry          | what it holds                                                                                      |
|----------------|----------------------------------------------------------------------------------------------------|
| n, k           | numbers of samples and clusters                                                                    |
| title, class_names, classes | the set's name, its classes, and the class of each sample (uint8)                     |
| tile, columns, atlas | side of a thumbnail in pixels, thumbnails in a row, and all of them in one PNG picture       |
| frames         | name, space, dimensions, ACC, and `match`: cluster → class by the Hungarian method (-1: none)      |
| clusters       | of each frame, of each sample (uint8)                                                              |
| maps           | "pca", "tsne": `places`, x and y of each sample (uint16), map by map; `span`, the width of the     |
|                | whole in units of the space; `held`, the share of a frame's variance in the plane of PCA            |
| routes         | name, about, settings, and steps: the numbers of a frame and of its two maps                       |
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
from dcbook.data import Dataset
from dcbook.evaluation import accuracy, match

BEFORE, AFTER = "dcbookExplorer.sets[{}] = ", ";\n"
LARGEST_SET, LARGEST_FILE = 20_000, 3_000_000  # samples that a page draws fast enough; bytes
LARGEST_TILE = 16
LEVELS = 16  # of gray


@dataclass
class Maps:
    """Maps of one kind: places (N, 2) uint16, the span of the grid in units of the space; for PCA the share held."""

    places: list[np.ndarray] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)


def base64_of(numbers: np.ndarray, dtype: str) -> str:
    """Numbers as little-endian bytes in base64."""
    return base64.b64encode(np.ascontiguousarray(numbers, np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


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


def check_size(data: Dataset, frames: int, maps: int) -> None:
    """Raise ValueError for what a page cannot show, or where a file with so many frames and maps would be too large."""
    if len(data) > LARGEST_SET:
        raise ValueError(f"the explorer draws up to {LARGEST_SET:,} samples smoothly; {data.name} has {len(data):,}")
    size = len(atlas(data.images)[0]) + len(data) * (1 + frames + 4 * maps) * 4 // 3
    if size > LARGEST_FILE:
        raise ValueError(
            f"{frames} frames with {maps} maps of {data.name} make {size:,} bytes, and a file may have "
            f"{LARGEST_FILE:,}: have fewer frames taken"
        )


def content(
    data: Dataset,
    title: str,
    frames: Sequence[Frame],
    maps: Mapping[str, Maps],
    routes: Sequence[Mapping[str, Any]],
    **about: Any,
) -> dict[str, Any]:
    """The object of the file; `maps` by kind, "pca" and "tsne"."""
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
        "classes": base64_of(data.labels, "u1"),
        "clusters": base64_of(np.stack([frame.clusters for frame in frames]), "u1"),
        "maps": {
            kind: {
                "span": [float(f"{span:.4g}") for span in those.spans],
                "held": [round(share, 4) for share in those.held],
                "places": base64_of(np.stack(those.places), "u2"),
            }
            for kind, those in maps.items()
        },
        "atlas": picture,
    }


def script(name: str, held: Mapping[str, Any]) -> str:
    """The file's text."""
    entries = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in held.items())
    return BEFORE.format(json.dumps(name)) + "{\n" + entries + "\n}" + AFTER


def read(text: str) -> tuple[str, dict[str, Any]]:
    """The set's name and the object of a file; ValueError for any other text."""
    head, _, rest = text.partition("] = ")
    if not text.startswith(BEFORE.partition("{")[0]) or not rest.endswith(AFTER):
        raise ValueError("this is no data file of the explorer")
    return json.loads(head.removeprefix(BEFORE.partition("{")[0])), json.loads(rest.removesuffix(AFTER))
