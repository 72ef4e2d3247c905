"""Regional maximum activations of convolutions (R-MAC): one vector for an image, from the maxima of square regions.

Tolias, Sicre & Jégou, ICLR 2016, as in DeepCluster's released eval_retrieval.py. The paper's text was not checked.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dcbook.clustering import Whitening

OVERLAP = 0.4  # desired overlap of neighboring first-level regions along the longer side
STEPS = range(2, 8)  # possible numbers of first-level regions along the longer side


def rmac_regions(height: int, width: int, levels: int = 3) -> list[tuple[int, int, int]]:
    """Squares (top, left, side) on a map of `height` × `width`, level by level and row by row.

    Level l has regions of side 2 min(height, width) / (l + 1), l of them along the shorter side and l + m along the
    longer side, evenly spaced, all rounded down. Of m = 1…6, the one whose first-level overlap is closest to 0.4 is
    taken; m is 0 for a square. Maps too small for a level get regions of side 1; the released code fails there. It also
    computes positions in floating point, which places a few regions one row or column earlier on elongated maps.

    Raises ValueError for arguments below 1.
    """
    if min(height, width, levels) < 1:
        raise ValueError(f"height, width and levels must be at least 1, not {height}, {width} and {levels}")
    short, long = sorted((height, width))
    more = 0
    if long > short:
        gaps = [(long - short) / (steps - 1) for steps in STEPS]
        overlaps = [abs((short**2 - short * gap) / short**2 - OVERLAP) for gap in gaps]  # this form decides ties
        more = 1 + overlaps.index(min(overlaps))
    regions = []
    for level in range(1, levels + 1):
        side = max(1, 2 * short // (level + 1))
        tops = _spread(height - side, level + more * (height > width))
        lefts = _spread(width - side, level + more * (width > height))
        regions += [(top, left, side) for top in tops for left in lefts]
    return regions


def rmac(maps: Tensor, levels: int = 3) -> Tensor:
    """The maximum of each channel in each region of maps (N, C, H, W): region vectors (N, R, C), not normalized.

    Raises ValueError for other shapes.
    """
    if maps.ndim != 4:
        raise ValueError(f"maps must be (N, C, H, W), not of shape {tuple(maps.shape)}")
    regions = rmac_regions(*maps.shape[2:], levels)
    maxima = [maps[:, :, top : top + side, left : left + side].amax((2, 3)) for top, left, side in regions]
    return torch.stack(maxima, dim=1)


def rmac_descriptor(regions: Tensor, whitening: Whitening | None = None) -> Tensor:
    """Descriptor (…, m) of length 1 from region vectors (…, R, C): the sum of the normalized and whitened vectors."""
    vectors = normalize(regions, dim=-1)
    return normalize((vectors if whitening is None else whitening(vectors)).sum(-2), dim=-1)


def _spread(room: int, count: int) -> list[int]:
    """`count` whole numbers from 0 to `room`, evenly spaced and rounded down."""
    return [room * i // max(count - 1, 1) for i in range(count)]
