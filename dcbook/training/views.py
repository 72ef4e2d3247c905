"""Views of particular methods: the distortions of DAC and DCCM, and the strong view of SCAN and SPICE.

The views of the other methods are settings of `dcbook.training.augment.Augmentation`. A view is a frozen dataclass; its
input is images (B, C, H, W) in [0, 1] and a CPU generator, its output images of the same shape and range. Any such
function can be the parameter `view` of a method.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dcbook.training.augment import Augmentation, ShiftRotation, turned, warped
from dcbook.training.inputs import check_numbers

View = Callable[[Tensor, torch.Generator], Tensor]
LUMA = (0.299, 0.587, 0.114)
ROUNDING = 1e-3  # by which a view may leave [0, 1]


def check_view(name: str, view: View, x: Tensor) -> None:
    """Raise ValueError unless the view of images x (B, C, H, W) has their shape and range and leaves x as it was."""
    before = x.clone()
    seen = view(x, torch.Generator().manual_seed(0))
    if not isinstance(seen, Tensor) or seen.shape != x.shape or seen.dtype != x.dtype:
        what = (
            f"{tuple(seen.shape)} {seen.dtype}" if isinstance(seen, Tensor) else f"an object of {type(seen).__name__}"
        )
        raise ValueError(f"{name} must map images {tuple(x.shape)} {x.dtype} to images of that shape, not to {what}")
    if not torch.equal(x, before):
        raise ValueError(f"{name} changes the images that it is given; it must return new ones")
    low, high = seen.min().item(), seen.max().item()
    if not -ROUNDING <= low <= high <= 1 + ROUNDING:
        raise ValueError(f"{name} must map images in [0, 1] to images in [0, 1], not to [{low:.4g}, {high:.4g}]")


@dataclass(frozen=True)
class Distortion:
    """Small random rotations, shifts, zooms, flips and channel shifts: the view of DAC and DCCM.

    Parameters
    ----------
    rotation : largest rotation about the center, in degrees, in [0, 180].
    shift : largest shift along each axis, as a share of the side, in [0, 1).
    zoom : largest change of the scale, in [0, 1), drawn for each axis: 0.15 means 0.85 to 1.15.
    flip : whether half of the images, at random, are mirrored left to right.
    channels : largest shift of each channel's values, in [0, 1], clipped to the range of the image.
    gain : factor of all values at the end, in (0, 1]. Images for DAC's targets are not multiplied by it.

    Interpolation is linear; pixels outside of the image repeat its border. The defaults are those of DAC's CIFAR v1 and
    of DCCM. `mild` is that of DAC's CIFAR v2. Source: DAC, cifar10_1.py:48-56, DCCM, main.py:95-102 (Keras'
    `ImageDataGenerator`). Raises ValueError outside of these ranges.
    """

    rotation: float = 20.0
    shift: float = 0.18
    zoom: float = 0.15
    flip: bool = True
    channels: float = 0.1
    gain: float = 0.95

    @classmethod
    def mild(cls, flip: bool = True) -> "Distortion":
        """Distortions half as large: the view of DAC's CIFAR v2 (cifar10_2.py).

        On MNIST (without `flip`), STL-10 and ImageNet, DAC's shift is 0.1, not 0.09; all else is the same.
        """
        return cls(10.0, 0.09, 0.05, flip, 0.05, 0.975)

    def __post_init__(self):
        check_numbers(self)
        in_range = (0 <= self.rotation <= 180, 0 <= self.shift < 1, 0 <= self.zoom < 1)
        if not (all(in_range) and 0 <= self.channels <= 1 and 0 < self.gain <= 1):
            raise ValueError(
                f"rotation must lie in [0, 180], shift and zoom in [0, 1), channels in [0, 1] and gain in (0, 1], not "
                f"{self.rotation}, {self.shift}, {self.zoom}, {self.channels}, {self.gain}"
            )

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → views of the same shape and range."""
        n = len(x)
        angle, right, down, wide, high = 2 * torch.rand(5, n, generator=generator) - 1
        mirrored = torch.rand(n, generator=generator) < 0.5
        levels = 2 * torch.rand(n, x.shape[1], 1, 1, generator=generator) - 1
        scale = 1 + self.zoom * torch.stack([wide, high], 1)
        if self.flip:
            scale[mirrored, 0] *= -1
        turn = turned(math.radians(self.rotation) * angle, x.shape)
        moved = turn @ (2 * self.shift * torch.stack([right, down], 1)).unsqueeze(2)
        x = warped(x, torch.cat([turn * scale.unsqueeze(1), moved], 2), "border")
        if self.channels:
            low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
            x = (x + self.channels * levels.to(x)).clamp(low, high)
        return self.gain * x


@dataclass(frozen=True)
class Strong:
    """A sequence of random operations, then a hole: the strong view of SCAN and SPICE (similar to RandAugment).

    Parameters
    ----------
    operations : number drawn for each image with replacement, at least 0 (4), from identity, autocontrast, equalize,
        rotate (±30°), solarize, color, contrast, brightness, sharpness (factors 0.05 to 0.95), shear and translate
        (±0.1 of the side, each along x or y), posterize (4 to 8 bits); each with its own magnitude, uniform in its
        range.
    flip : whether half of the images, at random, are mirrored left to right.
    hole : largest side of the hole as a share of the image's, in [0, 1]; its side is uniform, at least one pixel,
        its center uniform in the image, its value the mean of the batch. 0 means no hole.

    As released: the hole has the value 0 after the normalization, which is the mean of the data; "random crop" without
    padding does not change images of the crop's size, and is left out. Not as released: interpolation is linear
    (released: the nearest pixel); shears leave the center in place (released: the upper left corner, so that the center
    moves by up to 0.05 of the side); posterize keeps 4 to 8 bits with equal chance (released: 4 to 7); the hole has all
    sides from one pixel on with equal chance (released: an even one, 2 floor(l / 2) for l from 1 to the largest, so
    that one hole in 16 of largest side 16 is empty). Source: SCAN, data/augment.py and utils/common_config.py:229-243.
    Raises ValueError outside of these ranges.
    """

    operations: int = 4
    flip: bool = True
    hole: float = 0.5

    def __post_init__(self):
        check_numbers(self)
        if self.operations < 0 or not 0 <= self.hole <= 1:
            raise ValueError(
                f"operations must be at least 0 and hole lie in [0, 1], not {self.operations}, {self.hole}"
            )

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → views of the same shape and range."""
        n = len(x)
        if self.flip:
            mirrored = (torch.rand(n, generator=generator) < 0.5).to(x.device).view(-1, 1, 1, 1)
            x = torch.where(mirrored, x.flip(3), x)
        drawn = torch.randint(len(OPERATIONS), (self.operations, n), generator=generator)
        magnitudes = torch.rand(self.operations, n, generator=generator)
        for which, t in zip(drawn, magnitudes, strict=True):
            changed = torch.empty_like(x)
            for i, operation in enumerate(OPERATIONS.values()):
                rows = (which == i).nonzero().flatten()
                if len(rows):
                    changed[rows.to(x.device)] = operation(x[rows.to(x.device)], t[rows])
            x = changed
        return self._with_hole(x, torch.rand(3, n, generator=generator)) if self.hole else x

    def _with_hole(self, x: Tensor, drawn: Tensor) -> Tensor:
        height, width = x.shape[2:]
        size, down, across = drawn.to(x.device)
        side = (size * self.hole * min(height, width)).ceil().clamp_min(1)
        inside = torch.ones(len(x), 1, 1, dtype=torch.bool, device=x.device)
        for length, place, axis in ((height, down, 2), (width, across, 1)):
            first = (place * length).floor() - (side / 2).floor()
            at = torch.arange(length, device=x.device) - first.unsqueeze(1)
            inside = inside & ((at >= 0) & (at < side.unsqueeze(1))).unsqueeze(axis)
        return torch.where(inside.unsqueeze(1), x.mean((0, 2, 3), keepdim=True), x)


# --- operations of the strong view: images (B, C, H, W) and magnitudes t (B,) in [0, 1] → images --------------------


def _identity(x: Tensor, t: Tensor) -> Tensor:
    return x


def autocontrast(x: Tensor, t: Tensor) -> Tensor:
    """Each channel stretched to [0, 1]; a constant channel does not change."""
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp_min(1e-12), x)


def equalize(x: Tensor, t: Tensor) -> Tensor:
    """Each channel with its histogram of 256 levels equalized, as in Pillow."""
    levels = (255 * x).round().long().flatten(2)
    counts = torch.zeros(*levels.shape[:2], 256, dtype=torch.int64, device=x.device)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    last = counts.gather(2, levels.amax(2, keepdim=True))
    step = (levels.shape[2] - last) // 255
    table = (counts.cumsum(2) - counts + step // 2) // step.clamp_min(1)
    table = table.clamp(0, 255)
    return torch.where(step > 0, table.gather(2, levels), levels).view(x.shape).to(x) / 255


def rotate(x: Tensor, t: Tensor) -> Tensor:
    turn = turned(math.radians(30) * (2 * t - 1), x.shape)
    return warped(x, torch.cat([turn, torch.zeros(len(t), 2, 1)], 2))


def solarize(x: Tensor, t: Tensor) -> Tensor:
    """Values of at least the threshold t are inverted."""
    return torch.where(x >= _factor(t, x), 1 - x, x)


def color(x: Tensor, t: Tensor) -> Tensor:
    return torch.lerp(_gray(x).expand_as(x), x, _factor(0.05 + 0.9 * t, x))


def contrast(x: Tensor, t: Tensor) -> Tensor:
    return torch.lerp(_gray(x).mean((2, 3), keepdim=True).expand_as(x), x, _factor(0.05 + 0.9 * t, x))


def brightness(x: Tensor, t: Tensor) -> Tensor:
    return x * _factor(0.05 + 0.9 * t, x)


def sharpness(x: Tensor, t: Tensor) -> Tensor:
    """A blend with the smoothed image; as in Pillow, with weights 5 and 1 over 13 and unchanged borders."""
    kernel = torch.ones(3, 3, device=x.device, dtype=x.dtype)
    kernel[1, 1] = 5
    smooth = x.clone()
    if min(x.shape[2:]) > 2:
        inner = functional.conv2d(x.flatten(0, 1).unsqueeze(1), kernel.view(1, 1, 3, 3) / 13)
        smooth[:, :, 1:-1, 1:-1] = inner.view(*x.shape[:2], *inner.shape[2:])
    return torch.lerp(smooth, x, _factor(0.05 + 0.9 * t, x))


def shear_x(x: Tensor, t: Tensor) -> Tensor:
    return _sheared(x, t, 0, x.shape[2] / x.shape[3])


def shear_y(x: Tensor, t: Tensor) -> Tensor:
    return _sheared(x, t, 1, x.shape[3] / x.shape[2])


def translate_x(x: Tensor, t: Tensor) -> Tensor:
    return _translated(x, t, 0)


def translate_y(x: Tensor, t: Tensor) -> Tensor:
    return _translated(x, t, 1)


def posterize(x: Tensor, t: Tensor) -> Tensor:
    """Keep the 4 to 8 most significant bits of 8, each number for a fifth of the magnitudes."""
    dropped = 2.0 ** (8 - (4 + 5 * t).floor().clamp_max(8))
    step = _factor(dropped, x)
    return ((255 * x).round() / step).floor() * step / 255


OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": _identity,
    "autocontrast": autocontrast,
    "equalize": equalize,
    "rotate": rotate,
    "solarize": solarize,
    "color": color,
    "contrast": contrast,
    "brightness": brightness,
    "sharpness": sharpness,
    "shear x": shear_x,
    "shear y": shear_y,
    "translate x": translate_x,
    "translate y": translate_y,
    "posterize": posterize,
}
VIEWS = {cls.__name__: cls for cls in (Augmentation, ShiftRotation, Distortion, Strong)}  # views in saved files


def _gray(x: Tensor) -> Tensor:
    """(B, C, H, W) → (B, 1, H, W): the luma of three channels, the mean of any others."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    return torch.einsum("c,bchw->bhw", torch.tensor(LUMA).to(x), x).unsqueeze(1)


def _factor(t: Tensor, x: Tensor) -> Tensor:
    return t.to(x).view(-1, 1, 1, 1)


def _sheared(x: Tensor, t: Tensor, axis: int, sides: float) -> Tensor:
    maps = torch.eye(2, 3).repeat(len(t), 1, 1)
    maps[:, axis, 1 - axis] = 0.1 * (2 * t - 1) * sides
    return warped(x, maps)


def _translated(x: Tensor, t: Tensor, axis: int) -> Tensor:
    maps = torch.eye(2, 3).repeat(len(t), 1, 1)
    maps[:, axis, 2] = 2 * 0.1 * (2 * t - 1)
    return warped(x, maps)
