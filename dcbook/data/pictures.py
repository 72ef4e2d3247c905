"""Picture files in folders, one folder a class: which there are, and how one is read."""

import os

import numpy as np

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")  # as torchvision has them


def pictures_by_class(folder: str | os.PathLike) -> dict[str, list[str]]:
    """Names of the folders in `folder`, sorted, and the paths of the pictures in each, at any depth, sorted too.

    Folders without pictures, and hidden files and folders, whose names begin with a dot, are left out. Raises
    FileNotFoundError if nothing is left.
    """
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    found = {name: pictures_in(os.path.join(folder, name)) for name in names}
    found = {name: paths for name, paths in found.items() if paths}
    if not found:
        raise FileNotFoundError(f"no folder in {folder} holds a file that ends in {', '.join(ENDINGS)}")
    return found


def pictures_in(folder: str | os.PathLike) -> list[str]:
    """The paths of the pictures in a folder, at any depth, sorted by folder and name, without hidden ones."""
    found = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(place, name) for name in files if _is_picture(name)]
    return sorted(found, key=os.path.split)


def read_rgb(path: str):
    """A picture file as a PIL image in RGB with 8 bits a channel; gray values of 16 bits are scaled to that.

    Raises ValueError for gray values of another range, such as floats.
    """
    from PIL import Image

    with Image.open(path) as image:
        if image.mode != "F" and not image.mode.startswith("I"):
            return image.convert("RGB")
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise ValueError(f"its gray values have neither 8 nor 16 bits, but PIL's mode {image.mode!r}; convert it")
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def read_pictures(folder: str | os.PathLike, size: int = 32, gray: bool = False) -> tuple[np.ndarray, list[str]]:
    """All pictures of a folder, at any depth, in one array, and their paths.

    Each is scaled until its shorter side is `size`, and cut to the square in its middle.

    Returns
    -------
    images : uint8 (N, 3, size, size), or (N, 1, size, size) for `gray`
    paths : list of N str, in the order of `pictures_in`

    Raises
    ------
    FileNotFoundError
        If the folder holds no picture.
    ValueError
        If a file is no picture that can be read; the message names it.
    """
    from PIL import Image, ImageOps

    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    paths = pictures_in(folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no file that ends in {', '.join(ENDINGS)}")
    images = np.empty((len(paths), 1 if gray else 3, size, size), np.uint8)
    for image, path in zip(images, paths, strict=True):
        try:
            picture = ImageOps.fit(read_rgb(path), (size, size), Image.Resampling.BOX)
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read as a picture: {error}") from None
        image[:] = np.asarray(picture.convert("L"))[None] if gray else np.asarray(picture).transpose(2, 0, 1)
    return images, paths
