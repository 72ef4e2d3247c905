"""Kinds of images: what their views may do, and the data sets of each kind, scale by scale."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dcbook.training.augment import Augmentation
from dcbook.training.views import Distortion, Strong


@dataclass(frozen=True)
class Kind:
    """Images of one kind, and what their views may do.

    `crop` is the least share of the area that is kept, `hole` the largest side of the hole of the strong view.
    `released` has the settings that released files have for this kind alone, by method; only `paper` uses them.
    """

    datasets: Mapping[str, Mapping[str, Any]]
    crop: float
    flip: bool
    grayscale: float = 0.0
    hole: float = 0.5
    released: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def view(self) -> Augmentation:
        return Augmentation(crop=self.crop, flip=self.flip, jitter=0.5, grayscale=self.grayscale)

    @property
    def strong(self) -> Strong:
        return Strong(flip=self.flip, hole=self.hole)

    @property
    def jittered(self) -> Augmentation:
        """The view of PICA and MiCE: jitter of all images, with more hue."""
        return replace(self.view, hue=0.4, jittered=1.0)

    @property
    def unmirrored(self) -> Augmentation:
        """The view of IDFD: jitter of all images without hue, and no flips."""
        return replace(self.view, flip=False, hue=0.0, jittered=1.0)


# Photographs of 96×96 pixels. MiCE's step rises and falls after the same shares of the epochs as on CIFAR-10: on STL-10
# it rises for 30 epochs in place of 10, and falls up to 100 epochs early. The released networks of MiCE and SCAN for
# STL-10 have a pooling after their first convolution, those here have none. The 100,000 unlabeled images of STL-10,
# which CC and PICA use, too, are left out.
SHIFTED = replace(Distortion.mild(), shift=0.1)
ON_PHOTOGRAPHS = {
    "CC": {"view": Augmentation(crop=0.08, jitter=1.0)},
    "DAC": {"architecture": "dac-96", "view": SHIFTED},
    "DAC*": {"architecture": "dac-96", "view": SHIFTED}
    | {"meet": 0.5, "epochs": 75, "anchor": 10.0, "anchor_scaled": "both", "rectified": True},
    "PICA": {"batch_size": 128},
    "MiCE": {"epochs": 3001},
    "SCAN": {"epochs": 100, "selflabel_epochs": 100},
}
STL10 = Kind({"stl10": {}}, 0.2, flip=True, grayscale=0.2, hole=1 / 3, released=ON_PHOTOGRAPHS)
IMAGENET10 = replace(
    STL10,
    datasets={"imagenet10": {}},
    released={**ON_PHOTOGRAPHS, "MiCE": {}}
    | {"DAC*": {**ON_PHOTOGRAPHS["DAC"], "anchor": 10.0, "anchor_scaled": "both", "rectified": True}},
)
# Photographs of 32×32 pixels. DAC's files for CIFAR-10 and CIFAR-100 with one threshold are alike. SPICE's file for
# CIFAR-10 has 30 epochs with a ResNet-18, the network of the pretext here, and 100 with another one.
DISTORTED = {"architecture": "dac-v1", "view": Distortion(), "anchor": 10.0, "anchor_scaled": "target"}
CIFAR10 = Kind(
    {"cifar10": {}}, 0.2, flip=True, grayscale=0.2, released={"DAC*": DISTORTED, "SPICE-Self": {"epochs": 30}}
)
CIFAR100_20 = replace(
    CIFAR10,
    datasets={"cifar100-20": {}},
    released={"DAC*": DISTORTED, "DCCM": {"lr": 1e-3}, "SCAN": {"batch_size": 512, "epochs": 100}}
    | {"SPICE-Self": {"block": 10_000}},
)
# DAC's mnist.py; its blocks of images in a fixed order are not followed. We know of no released file for USPS.
ON_MNIST = {"upper": 0.9, "meet": 0.5, "epochs": 20, "passes": 5, "batch_size": 128, "pair_loss": "squared"}
ON_MNIST |= {"view": replace(SHIFTED, flip=False), "anchor": 0.0, "rectified": True}
MNIST = Kind({"mnist": {}}, 0.5, flip=False, released={"DAC*": ON_MNIST})
DIGITS = Kind({"digits": {"subset": 600}}, 0.5, flip=False)
KINDS = {
    "quick": (DIGITS,),
    "laptop": (
        Kind({"fashion-mnist-test": {}}, 0.3, flip=True),
        Kind({"cifar10": {"subset": 10_000}}, 0.2, flip=True, grayscale=0.2),
        Kind({"mnist-test": {}, "usps": {}}, 0.5, flip=False),
    ),
    "paper": (
        CIFAR10,
        CIFAR100_20,
        STL10,
        IMAGENET10,
        Kind({"fashion-mnist": {}}, 0.3, flip=True),
        MNIST,
        replace(MNIST, datasets={"usps": {}}, released={}),
    ),
}
