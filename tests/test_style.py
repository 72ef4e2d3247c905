"""Colors that readers without green cones can tell apart, simulated as by Machado, Oliveira & Fernandes 2009."""

from itertools import combinations

import numpy as np
import pytest
import seaborn as sns
from matplotlib.colors import to_rgb

from dcbook.plots import OURS, PALETTE, PAPER

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # of linear sRGB, D65
FAR = 10.0  # in CIELAB; 2.3 is just noticed, side by side


def lab(color, sight=None):
    """A color as (L, a, b), as it looks to somebody with that sight."""
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = linear if sight is None else (sight @ linear).clip(0, 1)
    relative = XYZ @ linear / (XYZ @ np.ones(3))
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(one, other, sight):
    return float(np.linalg.norm(lab(one, sight) - lab(other, sight)))


def test_known_colors():
    assert lab("white") == pytest.approx([100, 0, 0], abs=0.1)
    assert lab("red") == pytest.approx([53.2, 80.1, 67.2], abs=0.3)
    red, green = (0.8, 0.2, 0.0), (0.45, 0.45, 0.0)
    assert distance(red, green, DEUTERANOPIA) < FAR < 45 < distance(red, green, None)  # the confusion is simulated


@pytest.mark.parametrize("sight", [None, DEUTERANOPIA], ids=["all cones", "without green cones"])
def test_colors_of_one_picture_are_told_apart(sight):
    assert distance(OURS, PAPER, sight) > 2 * FAR
    for one, other in combinations(sns.color_palette(PALETTE), 2):
        assert distance(one, other, sight) > FAR, (one, other)
