"""The nearest center of every point, chunk by chunk."""

import torch
from torch import Tensor

from dcbook.clustering.points import as_matrix, full_precision, lift_centers, rows_at_once


def nearest(points: Tensor, lifted: Tensor, buffer: Tensor) -> Tensor:
    """Return the label (m,) of the nearest center for points [x, 1] (m, d + 1); ties go to the first center.

    `buffer` has room for m × K scores; allocating it anew in each call would take longer than filling it.
    """
    scores = buffer[: len(points) * len(lifted)].view(len(points), len(lifted))
    torch.mm(points, lifted.T, out=scores)
    if scores.device.type == "cpu":  # NumPy's argmin is vectorized; torch's takes ten times as long
        return torch.from_numpy(scores.numpy().argmin(1))
    return scores.argmin(1)


@torch.no_grad()
def assign(
    x: object, centers: object, *, device: str | torch.device = "auto", chunk_bytes: int | None = None
) -> tuple[Tensor, Tensor]:
    """Assign every point to its nearest center; ties go to the first center.

    Parameters
    ----------
    x : array or tensor (N, d)
    centers : array or tensor (K, d)
    device : where to compute; "auto" is where `x` is, or a GPU if there is one and `x` is on the CPU
    chunk_bytes : size of the largest array of scores held at once; None suits the device

    Returns
    -------
    labels : int64 tensor (N,), 0..K-1
    distances : tensor (N,), squared Euclidean, from direct differences; both on the device of `x`

    Raises
    ------
    TypeError
        If either is not a dense matrix of real numbers.
    ValueError
        If the numbers of columns differ or a number is not finite.
    """
    home = x.device if isinstance(x, Tensor) else torch.device("cpu")
    x = as_matrix(x, device)
    centers = as_matrix(centers, x.device, "centers").to(x.dtype)
    if centers.shape[1] != x.shape[1]:
        raise ValueError(f"centers have {centers.shape[1]} columns, x has {x.shape[1]}; they must agree")
    middle = centers.mean(0)
    lifted = lift_centers(centers - middle)
    if not lifted.isfinite().all():
        raise ValueError(f"centers hold NaN, infinity, or numbers whose squares overflow {x.dtype}")
    labels = torch.empty(len(x), dtype=torch.int64, device=x.device)
    distances = x.new_empty(len(x))
    rows = rows_at_once(x.device, len(centers), 2 * x.shape[1], x.element_size(), chunk_bytes)
    lifted_part = x.new_ones(min(rows, len(x)), x.shape[1] + 1)
    scores = x.new_empty(rows * len(centers))
    with full_precision():
        for part, label, distance in zip(x.split(rows), labels.split(rows), distances.split(rows), strict=True):
            points = lifted_part[: len(part)]
            torch.sub(part, middle, out=points[:, :-1])
            label.copy_(nearest(points, lifted, scores))
            torch.sum((part - centers.index_select(0, label)).square_(), dim=1, out=distance)
    if not distances.isfinite().all():
        raise ValueError(f"x holds NaN, infinity, or numbers whose squares overflow {x.dtype}")
    return labels.to(home), distances.to(home)
