"""Picture files in folders, one folder a class: which there are, and how one is read."""

import os
import struct
import warnings

import numpy as np

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")  # as torchvision has them
NAMED = 5  # files that a warning names


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
    """The paths of the pictures in a folder, at any depth, sorted by folder and name, without hidden ones.

    Symbolic links are followed, but no folder is read twice.
    """
    found, seen = [], set()
    for place, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(place, name) for name in files if _is_picture(name)]
    return sorted(found, key=os.path.split)


def read_rgb(path: str, upright: bool = False):
    """A picture file as a PIL image in RGB with 8 bits a channel; gray values of 16 bits are scaled to that.

    `upright` turns it as its EXIF data say. Raises OSError or ValueError for a file that is damaged or has more pixels
    than PIL reads, and ValueError for gray values of another range, such as floats.
    """
    from PIL import Image, ImageOps

    try:
        with open(path, "rb") as file, Image.open(file) as image:  # by its name, PIL maps a turned TIFF wrongly
            found = _as_rgb(image)
        return ImageOps.exif_transpose(found) if upright else found
    except (SyntaxError, struct.error, Image.DecompressionBombError) as error:  # what PIL raises beside those two
        raise ValueError(str(error)) from error


def _as_rgb(image):
    from PIL import Image

    if image.mode != "F" and not image.mode.startswith("I"):
        return image.convert("RGB")
    values = np.asarray(image)
    of_32_bits = image.mode == "I" and image.format == "TIFF"  # other formats of this mode have 16
    if image.mode == "F" or of_32_bits or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"its gray values have neither 8 nor 16 bits, but PIL's mode {image.mode!r}; convert it")
    gray = Image.fromarray((values >> 8).astype(np.uint8))
    gray.info = image.info  # its EXIF data
    return gray.convert("RGB")


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def read_pictures(folder: str | os.PathLike, size: int = 32, gray: bool = False) -> tuple[np.ndarray, list[str]]:
    """All pictures of a folder, at any depth, in one array, and their paths.

    Each picture is turned upright as its EXIF data say, scaled until its shorter side is `size`, and cropped to the
    square in its middle. The color behind transparent pixels is kept. A file that cannot be read is left out, with a
    warning that names it.

    Returns
    -------
    images : uint8 (N, 3, size, size), or (N, 1, size, size) for `gray`
    paths : list of N str, in the order of `pictures_in`

    Raises
    ------
    FileNotFoundError
        If the folder does not exist or holds no picture.
    ValueError
        If no file of the folder can be read as a picture, or `size` is no whole number of at least 1.
    """
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise ValueError(f"size must be a whole number of at least 1, not {size!r}")
    given, folder = os.fspath(folder), os.path.expanduser(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {given!r}; the working folder is {os.getcwd()}")
    paths = pictures_in(folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no file that ends in {', '.join(ENDINGS)}")
    images, kept, failed = np.empty((len(paths), 1 if gray else 3, size, size), np.uint8), [], []
    for path in paths:
        try:
            images[len(kept)] = _square(path, size, gray)
            kept.append(path)
        except (OSError, ValueError) as error:
            failed.append(f"{path} ({error})")
    if not kept:
        raise ValueError(f"no file in {folder} can be read as a picture: {failed[0]}")
    if failed:
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        told = f"{len(failed)} of {len(paths)} files cannot be read as pictures and are left out: "
        warnings.warn(told + "; ".join(failed[:NAMED]) + more, stacklevel=2)
    return images[: len(kept)], kept


def _square(path: str, size: int, gray: bool) -> np.ndarray:
    """The square in the middle of a picture, upright, as uint8 (3, size, size), or (1, size, size) for `gray`."""
    from PIL import Image, ImageOps

    picture = ImageOps.fit(read_rgb(path, upright=True), (size, size), Image.Resampling.BOX)
    return np.asarray(picture.convert("L"))[None] if gray else np.asarray(picture).transpose(2, 0, 1)
