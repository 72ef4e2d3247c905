"""800 points in the plane, in four half circles that reach into each other in pairs: curved clusters to flatten."""

import numpy as np

from dcbook.data.files import Arrays, Files

PER_ARC, NOISE = 200, 0.03  # the standard deviation across an arc of radius 1
CENTERS = np.array([[0, 0], [1, 0.25], [0, 2.2], [1, 2.45]])
SIDES = np.array([1, -1, 1, -1])  # the open side: below or above
GRID = 4096  # places are whole numbers of this, so that the last digit of a sine is no matter


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Points (800, 1, 1, 2) float32 in [0, 1], in random order; labels: of which arc; their names.

    Two pairs of "two moons", one above the other. Angles and noise are drawn once, by a frozen stream.
    """
    draws = np.random.RandomState(0)  # its stream is frozen, unlike that of default_rng
    labels = draws.permutation(np.repeat(np.arange(len(CENTERS)), PER_ARC))
    angles = draws.uniform(0, np.pi, len(labels))
    circle = np.stack([np.cos(angles), SIDES[labels] * np.sin(angles)], 1)
    points = CENTERS[labels] + circle + NOISE * draws.normal(size=circle.shape)
    points = (points - points.min(0)) / np.ptp(points, axis=0).max()
    files.records.append({"file": "arcs", "checked": "drawn by dcbook", "original": True})
    files.note("four half circles in the plane, with normal noise")
    places = np.round(GRID * points) / GRID
    return (places.astype(np.float32)[:, None, None], labels), ["low left", "low right", "high left", "high right"]
