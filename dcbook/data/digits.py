"""The 1,797 handwritten digits of 8x8 pixels that ship with scikit-learn."""

import numpy as np

from dcbook.data.files import Arrays, Files


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (1797, 1, 8, 8) float32: the file's levels 0..16 over 16; labels; class names."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    files.records.append({"file": "digits", "checked": "ships with scikit-learn", "original": True})
    images = (digits.images / 16).astype(np.float32)[:, None]
    return (images, digits.target), [str(name) for name in digits.target_names]
