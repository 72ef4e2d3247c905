"""Kinds of images: what their views may do, and the data sets of each kind, scale by scale."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcbook.training.augment import Augmentation
from dcbook.training.views import Strong


@dataclass(frozen=True)
class Kind:
    """Images of one kind, and what their views may do: `crop` is the least share of the area that is kept."""

    datasets: Mapping[str, Mapping[str, Any]]
    crop: float
    flip: bool
    grayscale: float = 0.0

    @property
    def view(self) -> Augmentation:
        return Augmentation(crop=self.crop, flip=self.flip, jitter=0.5, grayscale=self.grayscale)

    @property
    def strong(self) -> Strong:
        return Strong(flip=self.flip)

    @property
    def jittered(self) -> Augmentation:
        """The view of PICA and MiCE: jitter of all images, with more hue."""
        return replace(self.view, hue=0.4, jittered=1.0)

    @property
    def unmirrored(self) -> Augmentation:
        """The view of IDFD: jitter of all images without hue, and no flips."""
        return replace(self.view, flip=False, hue=0.0, jittered=1.0)


DIGITS = Kind({"digits": {"subset": 600}}, 0.5, flip=False)
KINDS = {
    "quick": (DIGITS,),
    "laptop": (
        Kind({"fashion-mnist-test": {}}, 0.3, flip=True),
        Kind({"cifar10": {"subset": 10_000}}, 0.2, flip=True, grayscale=0.2),
        Kind({"mnist-test": {}, "usps": {}}, 0.5, flip=False),
    ),
    "paper": (
        Kind({"cifar10": {}, "cifar100-20": {}}, 0.2, flip=True, grayscale=0.2),
        Kind({"fashion-mnist": {}}, 0.3, flip=True),
        Kind({"mnist": {}, "usps": {}}, 0.5, flip=False),
    ),
}
