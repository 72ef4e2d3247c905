"""Instance retrieval on any small images: each is to find its own distorted copies among those of the others.

In place of Oxford and Paris (`dcbook.evaluation.retrieval`), whose landmarks were photographed from several sides.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dcbook.clustering import Whitening
from dcbook.evaluation.probes import activations
from dcbook.evaluation.retrieval import average_precision
from dcbook.evaluation.rmac import rmac, rmac_descriptor
from dcbook.models import ConvNet
from dcbook.training.augment import Augmentation

Describe = Callable[[Tensor], Tensor]


def distorted(x: Tensor, generator: torch.Generator, crop: float = 0.4, degrees: float = 25.0) -> Tensor:
    """Images (N, C, H, W) in [0, 1] → one distorted copy of each: cropped, so shifted and enlarged too, and rotated.

    A crop has at least the share `crop` of the area, at any place (see `Augmentation`); angles are uniform in
    ±`degrees`. Beyond the border its pixels are repeated. `generator` is one of the CPU.
    """
    windows = Augmentation(crop, flip=False).windows(len(x), generator)
    angle = math.radians(degrees) * (2 * torch.rand(len(x), generator=generator) - 1)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1)], 1)
    maps = torch.cat([windows[:, :, :2] @ turn, windows[:, :, 2:]], 2).to(x)
    grid = F.affine_grid(maps, x.shape, align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def finding_copies(describe: Describe, images: Tensor, copies: int = 5, seed: int = 0) -> float:
    """Mean average precision in [0, 1] of finding its own `copies` copies for each image, by the cosine.

    The database holds the copies of all images (N, C, H, W), float32 in [0, 1], and none of the images themselves.
    `describe`: images → vectors (N, d). The copies come from `seed`; ties go to the copy that comes first.
    """
    if len(images) < 2 or copies < 1:
        raise ValueError(f"there must be two images or more, with a copy each, not {len(images)} with {copies}")
    generator = torch.Generator().manual_seed(seed)
    made = torch.cat([distorted(images, generator) for _ in range(copies)])
    queries, database = (F.normalize(describe(x).cpu(), dim=1) for x in (images, made))
    rankings = (queries @ database.T).argsort(dim=1, descending=True, stable=True)
    owners = (rankings % len(images)).numpy()  # copy c of image i is number c N + i
    own = owners == np.arange(len(images))[:, None]
    precisions = [average_precision(range(len(made)), np.flatnonzero(found).tolist()) for found in own]
    return float(np.mean(precisions))


def describe_by(network: ConvNet, others: Tensor) -> Describe:
    """R-MAC of a network's last convolution, before any pooling after it, whitened by the regions of `others`."""
    name, last = list(network.layers.items())[-1]

    def regions(x: Tensor) -> Tensor:
        return activations(network, {name: last}, x, reduce=rmac)[name].cpu()

    seen = F.normalize(regions(others), dim=-1).flatten(0, 1)
    whitening = Whitening.fit(seen, seen.shape[1])
    return lambda x: rmac_descriptor(regions(x), whitening)
