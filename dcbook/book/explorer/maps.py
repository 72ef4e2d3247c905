"""Maps of frames in two dimensions: by PCA, which shows how a space contracts, and by t-SNE, which shows neighbors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from dcbook.book.explorer.course import Frame
from dcbook.training.tensor_files import read_tensors, write_tensors

PERPLEXITY = 30
FIRST, NEXT = 500, 150  # iterations of t-SNE after early exaggeration, and from the last frame's map on
SPREAD = 10  # the standard deviation of a map that iterations begin with; they let it grow
FFT_FROM = 2000  # samples; below, the tree of Barnes and Hut takes less time
GRID = 2**10 - 1  # places are whole numbers from 0 to this; the page's canvas is up to 760 pixels wide


def pca(frames: Sequence[Frame]) -> tuple[list[np.ndarray], list[float]]:
    """Places (N, 2) of each frame in the plane of the two largest principal components of the last frame of its space.

    The frames of one space have one plane, one center and one scale, so that they can be compared; the second list says
    which share of a frame's variance is in the plane. The components of a new space have the signs that agree with the
    frame before.
    """
    lasts = {frame.space: frame.codes.astype(np.float64) for frame in frames}
    planes = {space: (codes.mean(0), _plane(codes)) for space, codes in lasts.items()}
    signs: dict[str, np.ndarray] = {}
    places: list[np.ndarray] = []
    held: list[float] = []
    for frame in frames:
        center, plane = planes[frame.space]
        flat = (frame.codes - center) @ plane
        if frame.space not in signs:
            agreement = (places[-1] * flat).sum(0) if places else np.ones(2)
            signs[frame.space] = np.where(agreement < 0, -1, 1)
        places.append(flat * signs[frame.space])
        held.append(float(flat.var(0).sum() / frame.codes.var(0).sum()))
    return places, held


def _plane(codes: np.ndarray) -> np.ndarray:
    """The two largest principal components (d, 2); in each, the coordinate that is largest in size is positive."""
    plane = np.linalg.eigh(np.cov(codes.T))[1][:, :-3:-1]
    return plane * np.sign(plane[np.abs(plane).argmax(0), [0, 1]])


def check_installed() -> None:
    """Raise ImportError where openTSNE is not installed."""
    if find_spec("openTSNE") is None:
        raise ImportError('the t-SNE maps of the explorer need openTSNE: pip install "dcbook[explorer]"')


def tsne(codes: np.ndarray, before: np.ndarray | None, seed: int) -> np.ndarray:
    """t-SNE of codes (N, d): places (N, 2) around zero with standard deviation 1, since its scale means nothing.

    `before` (N, 2) is such a map that the iterations begin with, without exaggeration; the new one is rotated onto it.
    Without `before` they begin with PCA and early exaggeration.
    """
    from openTSNE import TSNEEmbedding, affinity, initialization
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(codes) - 1) // 3)
    search = NearestNeighbors(n_neighbors=3 * perplexity, algorithm="brute").fit(codes)
    distances, neighbors = search.kneighbors()
    known = PrecomputedNeighbors(neighbors, distances)
    near = affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=known, n_jobs=1)
    begin = initialization.pca(codes, random_state=seed) if before is None else SPREAD * before
    method = "fft" if len(codes) > FFT_FROM else "bh"
    found = TSNEEmbedding(begin, near, n_jobs=1, random_state=seed, negative_gradient_method=method)
    if before is None:
        found = found.optimize(n_iter=250, exaggeration=12, momentum=0.5)
    found = found.optimize(n_iter=FIRST if before is None else NEXT, momentum=0.8)
    places = np.asarray(found) - np.asarray(found).mean(0)
    places /= places.std()
    return places if before is None else places @ rotation(places, before)


def kept_tsne(codes: np.ndarray, before: np.ndarray | None, seed: int, folder: Path) -> np.ndarray:
    """`tsne`, kept in `folder`: a command that was stopped goes on with the map that it stood at."""
    how = (seed, PERPLEXITY, FIRST) if before is None else (seed, PERPLEXITY, NEXT, SPREAD)
    key = hashlib.sha256(repr((how, codes.shape)).encode())
    for values in (codes, before):
        key.update(b"none" if values is None else np.ascontiguousarray(values).tobytes())
    path = folder / f"tsne-{key.hexdigest()[:16]}.safetensors"
    if not path.exists():
        write_tensors(path, {"places": torch.from_numpy(tsne(codes, before, seed))}, {})
    return read_tensors(path, "map", "delete it to have it made anew")[0]["places"].numpy()


def rotation(places: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The rotation or reflection (2, 2) that brings places (N, 2) nearest to `before` (N, 2)."""
    left, _, right = np.linalg.svd(places.T @ before)
    return left @ right


def on_grid(maps: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Maps of one scale as whole numbers (F, N, 2) from 0 to `GRID`, one center and one scale for all; and the span.

    The span is how far, in units of the space, it is from 0 to `GRID`.
    """
    stacked = np.stack(maps)
    low, high = stacked.min((0, 1)), stacked.max((0, 1))
    span = float(max((high - low).max(), 1e-12))
    places = np.round((stacked - (low + high) / 2) * (GRID / span) + GRID / 2)
    return places.clip(0, GRID).astype(np.uint16), span
