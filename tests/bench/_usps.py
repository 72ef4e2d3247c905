"""USPS, or where it is missing data of the same size."""

import numpy as np

from dcbook.data import Dataset, load

N, SIDE, K = 9298, 16, 10


def usps() -> tuple[Dataset, str]:
    """Return USPS and its name, or blurred noise of its size in ten groups and a name that says so."""
    try:
        return load("usps"), "USPS"
    except FileNotFoundError:
        return _stand_in(), "synthetic in the size of USPS"


def load_usps(name: str, **sampling) -> Dataset:
    """`dcbook.data.load` for a sweep over whichever of the two there is."""
    return usps()[0]


def _stand_in() -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.r_[np.arange(K), rng.integers(K, size=N - K)]
    images = rng.random((K, 1, SIDE, SIDE))[labels] + 0.5 * rng.normal(size=(N, 1, SIDE, SIDE))
    return Dataset("usps", (255 * images.clip(0, 1)).astype(np.uint8), labels)
