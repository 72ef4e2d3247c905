"""What a k-means needs of its data: a float matrix, centered, on one device, with a one after each row.

With x' = [x, 1] and a center's row c' = [-2c, |c|²], the product x'·c' is |x - c|² - |x|²: one matrix product
orders all centers by distance, and one more, of a one-hot matrix with x', gives cluster sums and sizes.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from dcbook.threads import new_lock

CPU_CHUNK, GPU_CHUNK = 1 << 20, 1 << 26  # bytes
WHOLE = 1 << 24  # float32 holds all whole numbers up to this one
BLOCK = 1 << 16  # rows summed in single precision before the sum goes on in double


def as_tensor(x: object, name: str) -> Tensor:
    """Return array-like `x` as a dense tensor of real numbers, without a copy where that is possible."""
    if not isinstance(x, Tensor):
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
        usable = array.flags.writeable and array.dtype.isnative and all(stride >= 0 for stride in array.strides)
        x = torch.from_numpy(array if usable else array.astype(array.dtype.newbyteorder("=")))
    if x.layout != torch.strided or x.is_complex():
        raise TypeError(f"{name} must be dense and hold real numbers, not {x.layout}, {x.dtype}")
    return x.detach()


def as_matrix(x: object, device: str | torch.device = "auto", name: str = "x") -> Tensor:
    """Return array-like `x` as an (N, d) tensor on `device`: float64 stays so, all else becomes float32.

    Whole numbers that float32 does not hold, above 2^24, become float64.
    """
    x = as_tensor(x, name)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} must be a matrix with at least one row and one column, not of shape {tuple(x.shape)}")
    device = resolve_device(device, x.device)
    large = x.dtype in (torch.int32, torch.int64) and max(-int(x.min()), int(x.max())) > WHOLE
    keep = (x.dtype == torch.float64 or large) and device.type != "mps"
    return x.to(device, torch.float64 if keep else torch.float32)


def resolve_device(device: str | torch.device, current: torch.device) -> torch.device:
    """Return the device meant: "auto" is where the data are, or a GPU if there is one and they are on the CPU."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda") if current.type == "cpu" and torch.cuda.is_available() else current


def wide(device: torch.device) -> torch.dtype:
    """Return the widest float there is on `device`."""
    return torch.float32 if device.type == "mps" else torch.float64


def sums_by_product(n_clusters: int, d: int, device: torch.device) -> bool:
    """Return whether cluster sums come from a product with the one-hot matrix, not from additions by index.

    It is faster if K × d is small, and deterministic on a GPU.
    """
    return device.type != "cpu" or n_clusters * d <= 2048


def lift(x: Tensor, by_columns: bool) -> tuple[Tensor, Tensor, float]:
    """Return [x - mean, 1], the mean (d,), and the variance averaged over the columns of `x` (N, d).

    `by_columns` says how the result lies in memory; narrow products are faster so.
    """
    n, d = x.shape
    rows = rows_at_once(x.device, 0, d, x.element_size())
    mean = (sum(part.sum(0).to(wide(x.device)) for part in x.split(rows)) / n).to(x.dtype)
    points = x.new_empty(d + 1, n).T if by_columns else x.new_empty(n, d + 1)
    points[:, d] = 1
    squares = 0.0
    for source, target in zip(x.split(rows), points[:, :d].split(rows), strict=True):
        centered = source - mean
        target.copy_(centered)
        squares += float(centered.square_().sum())
    if not math.isfinite(squares):
        raise ValueError(f"x holds NaN, infinity, or numbers the squares of which overflow {x.dtype}")
    return points, mean, squares / (n * d)


def squared_norms(points: Tensor) -> Tensor:
    """Return |x|² (N,) of lifted `points` (N, d + 1)."""
    rows = rows_at_once(points.device, 0, points.shape[1], points.element_size())
    return torch.cat([part[:, :-1].square().sum(1) for part in points.split(rows)])


def lift_centers(centers: Tensor) -> Tensor:
    """Return [-2c, |c|²] (..., d + 1) for centers c (..., d)."""
    return torch.cat((-2 * centers, centers.square().sum(-1, keepdim=True)), dim=-1)


def rows_at_once(device: torch.device, n_clusters: int, d: int, itemsize: int, chunk_bytes: int | None = None) -> int:
    """Return how many points a chunk takes, so that they and their scores fit `chunk_bytes`.

    None asks for what a CPU core's cache holds, or for enough to fill a GPU, and for 256 points at least.
    """
    width = itemsize * (n_clusters + d + 1)
    if chunk_bytes is None:
        chunk_bytes = max(CPU_CHUNK if device.type == "cpu" else GPU_CHUNK, 256 * width)
    rows = min(BLOCK, chunk_bytes // width)
    return rows - rows % 64 if rows > 64 else max(1, rows)  # vectors on the boundaries of cache lines: twice as fast


BACKENDS = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
_changing, _before = new_lock(), []  # the backends' precisions as each thread found them that is inside now


@contextmanager
def full_precision() -> Iterator[None]:
    """Keep TF32 and bfloat16 out of float32 matrix products, which would move labels near ties.

    The setting is the process's: of several threads the first one makes it, and the last one takes it back.
    """
    with _changing:
        _before.append([backend.fp32_precision for backend in BACKENDS])
        for backend in BACKENDS:
            backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        with _changing:
            found = _before.pop()
            if not _before:  # the list ends with what the first thread found
                for backend, precision in zip(BACKENDS, found, strict=True):
                    backend.fp32_precision = precision
