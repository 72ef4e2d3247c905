"""Data in the form that k-means needs: a centered float matrix on one device, with a one appended to each row.

With x' = [x, 1] and c' = [-2c, |c|²] for a center c, the product x'·c' is |x - c|² - |x|². One matrix product orders
all centers by distance, and a second one, of a one-hot matrix with x', gives the sums and sizes of the clusters.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from dcbook.threads import new_lock

CPU = torch.device("cpu")
CPU_CHUNK, GPU_CHUNK = 1 << 20, 1 << 26  # bytes
WHOLE = 1 << 24  # float32 represents all whole numbers up to this one
BLOCK = 1 << 16  # rows summed in single precision before the sum goes on in double


def as_tensor(x: object, name: str) -> Tensor:
    """Return array-like `x` as a dense tensor of real numbers, without a copy if possible; TypeError otherwise."""
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
    """Return array-like `x` as an (N, d) tensor on `device`: float64 is kept, everything else becomes float32.

    Whole numbers above 2^24, which float32 cannot represent, become float64. Raises TypeError for other contents and
    ValueError for other shapes.
    """
    x = as_tensor(x, name)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} must be a matrix with at least one row and one column, not of shape {tuple(x.shape)}")
    device = resolve_device(device, x.device)
    whole = x.element_size() > 2 and not x.is_floating_point()  # float32 represents those of 16 bits
    if device.type != "mps" and (whole or x.dtype == torch.float64):
        exact = x.to(device, torch.float64)
        if not whole or float(exact.abs().max()) > WHOLE:
            return exact
    return x.to(device, torch.float32)


def resolve_device(device: str | torch.device, current: torch.device = CPU) -> torch.device:
    """Return `device`; "auto" is the data's `current` device, or a GPU if there is one and the data are on the CPU.

    Raises ValueError for a device that torch does not know or does not find here.
    """
    if device == "auto":
        return torch.device("cuda") if current.type == "cpu" and torch.cuda.is_available() else current
    try:
        found = torch.device(device)
        kind = torch.get_device_module(found)
        there = kind.is_available() and (found.index or 0) < kind.device_count()
    except (RuntimeError, TypeError):
        there = False
    if not there:
        raise ValueError(f'device="{device}" was asked for, but torch does not find it here; use "auto" or "cpu"')
    return found


def wide(device: torch.device) -> torch.dtype:
    """Return the widest float type of `device`."""
    return torch.float32 if device.type == "mps" else torch.float64


def sums_by_product(n_clusters: int, d: int, device: torch.device) -> bool:
    """Return whether cluster sums are computed by a product with the one-hot matrix, not by additions by index.

    The product is faster if K × d is small, and deterministic on a GPU.
    """
    return device.type != "cpu" or n_clusters * d <= 2048


def lift(x: Tensor, by_columns: bool) -> tuple[Tensor, Tensor, float]:
    """Return [x - mean, 1], the mean (d,), and the variance averaged over the columns of `x` (N, d).

    With `by_columns`, the result is stored column by column, which makes narrow products faster. Raises ValueError for
    numbers that are not finite or too large to square.
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
        raise ValueError(f"x holds NaN, infinity, or numbers whose squares overflow {x.dtype}")
    return points, mean, squares / (n * d)


def squared_norms(points: Tensor) -> Tensor:
    """Return |x|² (N,) of lifted `points` (N, d + 1)."""
    rows = rows_at_once(points.device, 0, points.shape[1], points.element_size())
    return torch.cat([part[:, :-1].square().sum(1) for part in points.split(rows)])


def lift_centers(centers: Tensor) -> Tensor:
    """Return [-2c, |c|²] (..., d + 1) for centers c (..., d)."""
    return torch.cat((-2 * centers, centers.square().sum(-1, keepdim=True)), dim=-1)


def rows_at_once(device: torch.device, n_clusters: int, d: int, itemsize: int, chunk_bytes: int | None = None) -> int:
    """Return the number of points in a chunk, such that they and their scores fit in `chunk_bytes`.

    None takes the cache of a CPU core, or enough to keep a GPU busy, and at least 256 points.
    """
    width = itemsize * (n_clusters + d + 1)
    if chunk_bytes is None:
        chunk_bytes = max(CPU_CHUNK if device.type == "cpu" else GPU_CHUNK, 256 * width)
    rows = min(BLOCK, chunk_bytes // width)
    return rows - rows % 64 if rows > 64 else max(1, rows)  # twice as fast if vectors begin at cache lines


BACKENDS = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
_changing, _before = new_lock(), []  # the precisions that each thread now inside found on entry


@contextmanager
def full_precision() -> Iterator[None]:
    """Turn off TF32 and bfloat16 in float32 matrix products, where they would change labels near ties.

    The setting belongs to the process: the first thread that enters makes it, the last thread that leaves undoes it.
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
            if not _before:  # the last element removed is the one that the first thread found
                for backend, precision in zip(BACKENDS, found, strict=True):
                    backend.fp32_precision = precision
