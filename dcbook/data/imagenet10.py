"""ImageNet-10, ten classes of ILSVRC-2012 (DCSS §4.1; DAC's list), from its folders of images."""

from functools import partial
from pathlib import Path

import numpy as np

from dcbook.data.cache import cached
from dcbook.data.files import Arrays, Files, MissingDataError
from dcbook.data.pictures import pictures_in, read_rgb

SYNSETS = {
    "n02056570": "king penguin",
    "n02085936": "Maltese dog",
    "n02128757": "snow leopard",
    "n02690373": "airliner",
    "n02692877": "airship",
    "n03095699": "container ship",
    "n04254680": "soccer ball",
    "n04285008": "sports car",
    "n04467665": "trailer truck",
    "n07747607": "orange",
}
HOW = (
    "copy the ten synset folders of ILSVRC-2012's training images there: imagenet10/train/n02056570/*.JPEG … "
    "(or without train/; a val/ of the same form is joined if there). image-net.org gives them to registered "
    "users, so they can't be fetched for you"
)


def parts(root: Path) -> list[str]:
    """The folders below the root that hold the synset folders."""
    found = [f"imagenet10/{part}" for part in ("train", "val") if (root / "imagenet10" / part).is_dir()]
    return found or ["imagenet10"]


def read(files: Files, image_size: int = 96) -> tuple[Arrays, list[str]]:
    """Images (N, 3, S, S) uint8, the shorter side brought to S = `image_size` and the middle cut out; labels.

    There is no published digest: each image must be readable, and their numbers go into the provenance.
    """
    read_parts = []
    for part in parts(files.root):
        files.require([f"{part}/{synset}" for synset in SYNSETS], "1.5 GB (13,000 images)", HOW)
        images, labels = cached(partial(_decode, files, image_size), files.root, part, recipe=f"{image_size} pixels")
        counts = np.bincount(labels, minlength=len(SYNSETS)).tolist()
        record = {"file": part, "checked": "each image readable; no digest is published", "original": False}
        files.records.append(record | {"images": dict(zip(SYNSETS, counts, strict=True))})
        read_parts.append((images, labels))
    files.note(f"ImageNet-10: shorter side resized to {image_size} pixels (bilinear, antialiased), center-cropped")
    images, labels = map(np.concatenate, zip(*read_parts, strict=True))
    return (images, labels), list(SYNSETS.values())


def _decode(files: Files, size: int, folder: Path) -> Arrays:
    from torchvision.transforms import CenterCrop, Compose, Resize

    found = [pictures_in(folder / synset) for synset in SYNSETS]
    if missing := [synset for synset, paths in zip(SYNSETS, found, strict=True) if not paths]:
        raise MissingDataError(f"{files.name}: {folder}: no images in {', '.join(missing)}")
    fit, paths = Compose([Resize(size), CenterCrop(size)]), [path for of_class in found for path in of_class]
    images = np.empty((len(paths), 3, size, size), dtype=np.uint8)
    for i, path in enumerate(paths):
        try:
            images[i] = np.moveaxis(np.asarray(fit(read_rgb(path))), -1, 0)
        except (OSError, SyntaxError, ValueError) as error:
            name = Path(path).relative_to(files.root)
            raise files.damaged(str(name), f"it can't be read ({error}), so it is cut off or altered") from error
    return images, np.repeat(np.arange(len(SYNSETS)), [len(of_class) for of_class in found])
