"""2,000 gray patches of 8x8 pixels of the two photographs that ship with scikit-learn."""

import numpy as np

from dcbook.data.files import Arrays, Files

PER_PHOTOGRAPH, SIDE = 1000, 8
REDUCED = 4  # a patch is 32×32 pixels of the photograph, in blocks of 4×4: smaller parts are mostly flat


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Images (2000, 1, 8, 8) float32 in [0, 1], the means of blocks; labels: of which photograph; their names.

    Places are drawn once, uniformly, by a frozen stream. Another decoder of JPEG may move a pixel by 1/255.
    """
    from sklearn.datasets import load_sample_images

    shipped = load_sample_images()
    places = np.random.RandomState(0)  # its stream is frozen, unlike that of default_rng
    reach, patches = REDUCED * SIDE, []
    for photograph in shipped.images:
        gray = photograph.mean(2)
        for top, left in places.randint(0, np.array(gray.shape) - reach + 1, (PER_PHOTOGRAPH, 2)):
            blocks = gray[top : top + reach, left : left + reach].reshape(SIDE, REDUCED, SIDE, REDUCED)
            patches.append(blocks.mean((1, 3)) / 255)
    files.records.append({"file": "china.jpg and flower.jpg", "checked": "ship with scikit-learn", "original": True})
    files.note("patches of two photographs, gray, at random places")
    names = [name.rpartition("/")[2].removesuffix(".jpg") for name in shipped.filenames]
    labels = np.repeat(np.arange(len(patches) // PER_PHOTOGRAPH), PER_PHOTOGRAPH)
    return (np.array(patches, dtype=np.float32)[:, None], labels), names
