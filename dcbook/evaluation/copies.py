"""Instance retrieval on small images: each image is a query for its own distorted copies among the copies of all.

A substitute for Oxford and Paris (`dcbook.evaluation.retrieval`), whose landmarks were photographed from several sides.
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
from dcbook.training.augment import Augmentation, turned, warped

Describe = Callable[[Tensor], Tensor]


def distorted(x: Tensor, generator: torch.Generator, crop: float = 0.4, degrees: float = 25.0) -> Tensor:
    """Images (N, C, H, W) in [0, 1] → one distorted copy of each: cropped, resized to H × W and rotated.

    A crop covers at least the share `crop` of the area, at a random position (see `Augmentation`); angles are uniform
    in ±`degrees`. Pixels beyond the border repeat those of the border. `generator` must be on the CPU.
    """
    windows = Augmentation(crop, flip=False).windows(len(x), generator)
    angle = math.radians(degrees) * (2 * torch.rand(len(x), generator=generator) - 1)
    maps = torch.cat([windows[:, :, :2] @ turned(angle, x.shape), windows[:, :, 2:]], 2)
    return warped(x, maps, "border")


def finding_copies(describe: Describe, images: Tensor, copies: int = 5, seed: int = 0) -> float:
    """Mean average precision, in [0, 1], of retrieving each image's own `copies` copies by the cosine.

    The database holds the copies of all images (N, C, H, W), float32 in [0, 1], but not the images themselves.
    `describe` maps images to vectors (N, d). `seed` determines the copies; among ties the earlier copy ranks higher.
    Raises ValueError for fewer than two images or no copies.
    """
    if len(images) < 2 or copies < 1:
        raise ValueError(f"at least two images and one copy of each are needed, not {len(images)} and {copies}")
    generator = torch.Generator().manual_seed(seed)
    made = torch.cat([distorted(images, generator) for _ in range(copies)])
    queries, database = (F.normalize(describe(x).cpu(), dim=1) for x in (images, made))
    rankings = (queries @ database.T).argsort(dim=1, descending=True, stable=True)
    owners = (rankings % len(images)).numpy()  # copy c of image i has index c N + i
    own = owners == np.arange(len(images))[:, None]
    precisions = [average_precision(range(len(made)), np.flatnonzero(found).tolist()) for found in own]
    return float(np.mean(precisions))


def describe_by(network: ConvNet, others: Tensor) -> Describe:
    """R-MAC of a network's last convolution, before any later pooling, with whitening fitted to regions of `others`."""
    name, last = list(network.layers.items())[-1]

    def regions(x: Tensor) -> Tensor:
        return activations(network, {name: last}, x, reduce=rmac)[name].cpu()

    seen = F.normalize(regions(others), dim=-1).flatten(0, 1)
    whitening = Whitening.fit(seen, seen.shape[1])
    return lambda x: rmac_descriptor(regions(x), whitening)
