"""The 1,797 handwritten digits of 8x8 pixels that ship with scikit-learn: gray, tinted at random, or as eights."""

import numpy as np

from dcbook.data.files import Arrays, Files

LEVELS = 16


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (1797, 1, 8, 8) float32: the file's levels 0..16 over 16; labels; class names."""
    levels, labels, names = _levels(files)
    return ((levels / LEVELS).astype(np.float32)[:, None], labels), names


def read_eights(files: Files) -> tuple[Arrays, list[str]]:
    """The same images with another question: labels 1 for an eight, 0 for all other digits."""
    (images, labels), _ = read(files)
    files.note("labels tell an eight from all other digits")
    return (images, (labels == 8).astype(np.int64)), ["another digit", "eight"]


def read_rgb(files: Files) -> tuple[Arrays, list[str]]:
    """Images (1797, 3, 8, 8) uint8: each digit in a light color of its own on a dark ground of its own.

    The colors are drawn once, independent of the class, so that they tell nothing of it; a pixel of level v lies v/16
    of the way from ground to figure, rounded in whole numbers, which gives the same bytes on every machine.
    """
    levels, labels, names = _levels(files)
    levels = levels.astype(np.int64)[:, None]
    colors = np.random.RandomState(0)  # its stream is frozen, unlike that of default_rng
    ground = colors.randint(0, 128, (len(levels), 3, 1, 1))
    figure = colors.randint(128, 256, (len(levels), 3, 1, 1))
    images = (ground * (LEVELS - levels) + figure * levels + LEVELS // 2) // LEVELS
    files.note("each image tinted with two random colors, independent of its class")
    return (images.astype(np.uint8), labels), names


def _levels(files: Files) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    files.records.append({"file": "digits", "checked": "ships with scikit-learn", "original": True})
    return digits.images, digits.target, [str(name) for name in digits.target_names]
