"""Random views of images: a batch at a time, on any device, repeatable from a generator.

`ShiftRotation` moves and turns, for autoencoders. `Augmentation` is for contrastive learning:

| what      | SimCLR on CIFAR-10                                  | here                                               |
|-----------|-----------------------------------------------------|----------------------------------------------------|
| crop      | area U(0.08, 1), ratio of sides 3/4 to 4/3, resized | the same; only crops that fit are drawn, where     |
|           |                                                     | torchvision draws again, which favors small ones   |
| flip      | left to right, one image in two                     | the same, part of the crop's affine map            |
| jitter    | brightness, contrast, saturation, hue in any order  | saturation and hue, then brightness and contrast;  |
|           |                                                     | clipped to [0, 1] once, at the end                 |
| hue       | rotation in HSV                                     | rotation of YIQ's chroma plane: luma stays         |
| grayscale | one image in five, after the jitter                 | saturation 0 in the same map                       |
| blur      | none                                                | none                                               |

Source: Chen et al., ICML 2020, arXiv 2002.05709, appendices A and B.9, as recalled and as in the released code.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dcbook.training.inputs import check_numbers

RATIO = math.log(4 / 3)
TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], dtype=torch.float64)
FROM_YIQ = torch.linalg.inv(TO_YIQ)


@dataclass(frozen=True)
class Augmentation:
    """A random view of each image of a batch.

    Parameters
    ----------
    crop : smallest share of the area that a crop may have, in (0, 1]; 1 leaves images whole. Crops are resized to the
        image's size. The ratio of their sides is relative to the image's own.
    flip : whether one image in two is mirrored, left to right; not for digits and letters.
    jitter : strength s in [0, 1]: brightness, contrast and saturation change by up to ±80 s percent.
    grayscale : share of the images that lose their color, in [0, 1].
    hue : largest turn of the hue, as a share of the circle in [0, 0.5]; None is 0.2 s, SimCLR's (±72 s degrees).
    jittered : share of the images that `jitter` and `hue` are for, in [0, 1].

    Saturation, hue and grayscale are for three channels, which are taken for RGB; other images have no color to lose.
    With strengths of 0, `crop=1` and `flip=False` a view is the image. Raises ValueError outside of these ranges.
    """

    crop: float = 0.08
    flip: bool = True
    jitter: float = 0.5
    grayscale: float = 0.2
    hue: float | None = None
    jittered: float = 0.8

    def __post_init__(self):
        check_numbers(self)
        if not (0 < self.crop <= 1 and 0 <= self.jitter <= 1 and 0 <= self.grayscale <= 1):
            raise ValueError(
                f"crop must lie in (0, 1], jitter and grayscale in [0, 1], not {self.crop}, {self.jitter}, "
                f"{self.grayscale}"
            )
        if not (0 <= self._hue <= 0.5 and 0 <= self.jittered <= 1):
            raise ValueError(f"hue must lie in [0, 0.5] and jittered in [0, 1], not {self.hue}, {self.jittered}")

    def __call__(self, x: Tensor, generator: torch.Generator, part: range | None = None, n: int = 0) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → views of the same shape and range; `generator` is one of the CPU.

        If x is `part` of a batch of n images, its views are those that it would have among them.
        """
        rows, n = (slice(None), len(x)) if part is None else (slice(part.start, part.stop), n)
        if self.crop < 1 or self.flip:
            x = warped(x, self.windows(n, generator)[rows], "border")
        if self.jitter or ((self.grayscale or self._hue) and x.shape[1] == 3):
            x = self._recolored(x, *torch.rand(6, n, generator=generator)[:, rows])
        return x

    def windows(self, n: int, generator: torch.Generator) -> Tensor:
        """Affine maps (n, 2, 3) from a view's coordinates to its image's, both in [-1, 1]; the 2×2 part is diagonal.

        A crop has the share U(crop, 1) of the area, sides whose ratio's logarithm is uniform as far as it fits, and
        any place; a negative width mirrors.
        """
        area, ratio, across, down, mirrored = torch.rand(5, n, generator=generator)
        area = 1 - (1 - self.crop) * area
        ratio = ((2 * ratio - 1) * (-area.log()).clamp_max(RATIO)).exp()
        width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        sign = 1 - 2.0 * (mirrored < 0.5) if self.flip else torch.ones(n)
        maps = torch.zeros(n, 2, 3)
        maps[:, 0, 0], maps[:, 1, 1] = sign * width, height
        maps[:, 0, 2], maps[:, 1, 2] = (2 * across - 1) * (1 - width), (2 * down - 1) * (1 - height)
        return maps

    @property
    def _hue(self) -> float:
        return 0.2 * self.jitter if self.hue is None else self.hue

    def _recolored(self, x: Tensor, jittered: Tensor, gray: Tensor, *strengths: Tensor) -> Tensor:
        draws = (2 * torch.stack(strengths) - 1) * (jittered < self.jittered)
        brightness, contrast, saturation = self.jitter * draws[:3]
        if x.shape[1] == 3:
            saturation = (1 + 0.8 * saturation) * (gray >= self.grayscale)
            x = (_color_maps(saturation, 2 * math.pi * self._hue * draws[3]).to(x) @ x.flatten(2)).view_as(x)
            luma = torch.einsum("c,bchw->bhw", TO_YIQ[0].to(x), x)
        else:
            luma = x.mean(1)
        brightness, contrast = (1 + 0.8 * v.to(x).view(-1, 1, 1, 1) for v in (brightness, contrast))
        mean = luma.mean((1, 2)).view(-1, 1, 1, 1)
        return (brightness * (mean + contrast * (x - mean))).clamp(0, 1)


def _color_maps(saturation: Tensor, angle: Tensor) -> Tensor:
    """Linear maps of RGB (n, 3, 3) that keep the luma, turn the chroma by `angle` and scale it by `saturation`."""
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1)], 1)
    chroma = FROM_YIQ[:, 1:] @ (saturation.view(-1, 1, 1) * turn).double() @ TO_YIQ[1:]
    return (TO_YIQ[0].expand(3, 3) + chroma).float()


@dataclass(frozen=True)
class ShiftRotation:
    """Each sample of a batch moved and turned a little, as DynAE's training sees it (Keras' `ImageDataGenerator`).

    Parameters
    ----------
    shift : largest shift along each axis, as a share of the side, in [0, 1).
    rotation : largest turn about the center, in degrees, in [0, 180].

    Images (B, C, H, W) are turned in their plane. Volumes (B, C, D, H, W) are moved along all three axes and turned in
    the plane of H and W. Vectors (B, d) know no place and stay as they are, as do all samples where both are 0.
    Interpolation is linear; what comes in from outside repeats the border. Raises ValueError outside of these ranges.
    """

    shift: float = 0.1
    rotation: float = 10.0

    def __post_init__(self):
        check_numbers(self)
        if not (0 <= self.shift < 1 and 0 <= self.rotation <= 180):
            raise ValueError(
                f"shift must lie in [0, 1) and rotation in [0, 180] degrees, not {self.shift}, {self.rotation}"
            )

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Samples (B, …) → views of the same shape; `generator` is one of the CPU."""
        if x.ndim < 4 or not (self.shift or self.rotation):
            return x
        angle, *moved = 2 * torch.rand(x.ndim - 1, len(x), generator=generator) - 1
        slices = x.flatten(1, -3)  # those of a volume are moved and turned alike
        turn = turned(math.radians(self.rotation) * angle, x.shape)
        moves = turn @ (2 * self.shift * torch.stack(moved[:2], 1)).unsqueeze(2)  # a place is first moved, then turned
        view = warped(slices, torch.cat([turn, moves], 2), "border").view(x.shape)
        return view if x.ndim == 4 else _along_depth(view, self.shift * x.shape[2] * moved[2].to(x))


def turned(angle: Tensor, shape: torch.Size) -> Tensor:
    """Rotations by `angle` (B,), in radians: maps (B, 2, 2) of coordinates in [-1, 1] that keep lengths in pixels."""
    wide = shape[-1] / shape[-2]
    turn = torch.stack([angle.cos(), -angle.sin() / wide, angle.sin() * wide, angle.cos()], 1)
    return turn.view(-1, 2, 2)


def warped(x: Tensor, maps: Tensor, outside: str = "zeros") -> Tensor:
    """Images (B, C, H, W) resampled by `maps` (B, 2, 3) from coordinates of a view to those of its image, in [-1, 1].

    Interpolation is linear; `outside` is "zeros" or "border". B may be 0: of several processes, some have no image of a
    batch that is smaller than their number.
    """
    if not len(x):
        return x  # torch refuses empty grids
    grid = functional.affine_grid(maps.to(x), x.shape, align_corners=False)
    return functional.grid_sample(x, grid, padding_mode=outside, align_corners=False)


def _along_depth(x: Tensor, offsets: Tensor) -> Tensor:
    """Volumes (B, C, D, H, W), each seen from slice d + its offset (B,) on, between two slices a mean of both."""
    below = offsets.floor()
    first = torch.arange(x.shape[2], device=x.device) + below.long().unsqueeze(1)
    rows = torch.arange(len(x), device=x.device).unsqueeze(1)
    low, high = (x[rows, :, at.clamp(0, x.shape[2] - 1)] for at in (first, first + 1))
    return torch.lerp(low, high, (offsets - below).view(-1, 1, 1, 1, 1)).transpose(1, 2)
