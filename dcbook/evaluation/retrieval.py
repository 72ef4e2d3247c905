"""Instance retrieval on Oxford Buildings and Paris (Philbin et al., CVPR 2007 and 2008), DeepCluster's Table 5.

Ground truth, in a folder of text files: for each query <name>, the image and the region looked for (`_query.txt`), and
one image a line in `_good.txt` and `_ok.txt` (to be found) and `_junk.txt` (neither right nor wrong).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from dcbook.clustering import Whitening
from dcbook.evaluation.rmac import rmac_descriptor

Describe = Callable[[Tensor], Tensor]

# Images of Paris that are broken in the published archive, by the released eval_retrieval.py
CORRUPTED = frozenset(
    f"paris_{place}_{number:06}"
    for place, numbers in {
        "louvre": (136, 146),
        "moulinrouge": (422,),
        "museedorsay": (1059,),
        "notredame": (188,),
        "pantheon": (284, 960, 974),
        "pompidou": (195, 196, 201, 467, 640),
        "sacrecoeur": (299, 330, 353),
        "triomphe": (662, 833, 863, 867),
    }.items()
    for number in numbers
)


@dataclass(frozen=True)
class Query:
    """What is looked for, and where it is.

    Attributes
    ----------
    name : of the query: landmark and number
    image : name of the image, without .jpg; it is among those to be found
    roi : left, top, right, bottom of the region looked for, in pixels of the image as published
    positives : names of the images to be found, "good" and "ok"
    junk : names of images that don't count
    """

    name: str
    image: str
    roi: tuple[float, float, float, float]
    positives: frozenset[str]
    junk: frozenset[str]


def average_precision(ranked: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """Area under precision over recall of a ranking, best first, in [0, 1], as the Oxford Buildings' compute_ap has it.

    Junk is taken out of the ranking first. The area is that of trapezoids, from precision 1 at recall 0; positives that
    are not ranked count as never found. (scikit-learn's is that of rectangles.)

    Raises ValueError without positives, and for a ranking that names something twice.
    """
    if not positives or len(set(ranked)) < len(ranked):
        raise ValueError("average precision needs positives, and a ranking that names nothing twice")
    positives, junk = set(positives), set(junk)
    hits = np.array([name in positives for name in ranked if name not in junk], dtype=bool)
    precision = np.concatenate([[1.0], hits.cumsum() / np.arange(1, len(hits) + 1)])
    return float((precision[:-1] + precision[1:])[hits].sum() / (2 * len(positives)))


def mean_average_precision(rankings: Mapping[str, Sequence[str]], queries: Iterable[Query]) -> float:
    """Mean over the queries, in [0, 1], of the average precision of their rankings (query name → image names)."""
    return float(np.mean([average_precision(rankings[q.name], q.positives, q.junk) for q in queries]))


def read_ground_truth(folder: str | Path) -> list[Query]:
    """The queries of a folder of ground truth, by name; without the corrupted images of Paris.

    Oxford's query files write the image with "oxc1_" before its name, which is left out. Raises ValueError, naming the
    files, if there is no query, if a query lacks one of its files, or if a query file is not "image x1 y1 x2 y2".
    """
    folder = Path(folder)
    names = sorted(path.name.removesuffix("_query.txt") for path in folder.glob("*_query.txt"))
    if not names:
        raise ValueError(f"{folder} holds no <name>_query.txt: unpack the ground truth of Oxford5k or Paris6k there")
    lists = [f"{name}_{kind}.txt" for name in names for kind in ("good", "ok", "junk")]
    if missing := [file for file in lists if not (folder / file).is_file()]:
        raise ValueError(f"{folder} lacks {_some(missing)}")
    return [_query(folder, name) for name in names]


def region_vectors(describe: Describe, images_folder: str | Path, longest_side: int = 1024) -> Tensor:
    """Region vectors of all images, (M, C) of length 1, to fit a `Whitening` on: those of Paris for Oxford, and back.

    As released, it keeps 512 directions: ``Whitening.fit(vectors, 512)``.
    """
    images = _images(images_folder)
    return normalize(torch.cat([_described(describe, path, longest_side) for path in images.values()]))


def evaluate_retrieval(
    describe: Describe,
    images_folder: str | Path,
    ground_truth_folder: str | Path,
    *,
    whitening: Whitening | None = None,
    longest_side: int = 1024,
) -> tuple[float, dict[str, float]]:
    """Rank all images for each query by the cosine of their descriptors, at one scale, without query expansion.

    Parameters
    ----------
    describe : image (3, H, W), float32 in [0, 1], on the CPU → region vectors (R, C): normalizing the colors, the
        network (of VGG-16 all convolutions, without the last pooling) and `rmac` are its part; run without gradients
    images_folder : of *.jpg, below it at any depth
    ground_truth_folder : of text files, see `read_ground_truth`
    whitening : of the region vectors, fitted on another set of images
    longest_side : in pixels, that images are brought to (bilinear); a query is cropped after that

    Returns mAP and the average precision of each query, in [0, 1]. The query's own image is among those ranked. Raises
    ValueError, before anything is computed, for images of the ground truth that are not there; the corrupted images of
    Paris are passed over, also where the ground truth names them.
    """
    queries, images = read_ground_truth(ground_truth_folder), _images(images_folder)
    needed = {name for query in queries for name in (query.image, *query.positives)}
    if missing := sorted(needed - set(images)):
        raise ValueError(f"{images_folder} lacks images of the ground truth: {_some(missing)}")

    def descriptor(path: Path, roi: tuple | None = None) -> Tensor:
        return rmac_descriptor(_described(describe, path, longest_side, roi), whitening)

    names = np.array(list(images))
    database = torch.stack([descriptor(path) for path in images.values()])
    rankings = {}
    for query in queries:
        cosines = database @ descriptor(images[query.image], query.roi)
        rankings[query.name] = names[cosines.argsort(descending=True, stable=True).numpy()].tolist()
    precisions = {q.name: average_precision(rankings[q.name], q.positives, q.junk) for q in queries}
    return mean_average_precision(rankings, queries), precisions


def _query(folder: Path, name: str) -> Query:
    path = folder / f"{name}_query.txt"
    try:
        image, *corners = path.read_text().split()
        left, top, right, bottom = map(float, corners)
    except ValueError as error:
        raise ValueError(f'{path} must hold "image x1 y1 x2 y2", which it doesn\'t: {error}') from error
    good, ok, junk = (frozenset((folder / f"{name}_{kind}.txt").read_text().split()) for kind in ("good", "ok", "junk"))
    return Query(name, image.removeprefix("oxc1_"), (left, top, right, bottom), (good | ok) - CORRUPTED, junk)


def _images(folder: str | Path) -> dict[str, Path]:
    """Name → path of all images below a folder, by name, without the corrupted ones."""
    found = {path.stem: path for path in Path(folder).rglob("*.jpg") if path.stem not in CORRUPTED}
    if not found:
        raise ValueError(f"{folder} holds no *.jpg: unpack the images of Oxford5k or Paris6k there")
    return dict(sorted(found.items()))


@torch.no_grad()
def _described(describe: Describe, path: Path, longest_side: int, roi: tuple | None = None) -> Tensor:
    """Region vectors (R, C) of one image, or of the part of it in `roi`, on the CPU."""
    image = _load(path, longest_side, roi)
    if 0 in image.shape:
        raise ValueError(f"{path}: nothing of the image lies in the region {roi} of its query")
    regions = describe(image).float().cpu()
    if regions.ndim != 2 or not regions.isfinite().all():
        raise ValueError(
            f"{path}: describe must give finite region vectors (R, C), not {tuple(regions.shape)} with "
            f"{int((~regions.isfinite()).sum())} numbers that aren't finite"
        )
    return regions


def _load(path: Path, longest_side: int, roi: tuple | None) -> Tensor:
    """The image, brought to `longest_side` and then cropped to `roi`, (3, H, W) in [0, 1]."""
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} can't be read ({error}), so it is cut off or altered") from error
    ratio = longest_side / max(image.size)
    image = image.resize([max(1, round(side * ratio)) for side in image.size], Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    if roi is None:
        return pixels
    left, top, right, bottom = (max(0, round(edge * ratio)) for edge in roi)
    return pixels[:, top:bottom, left:right]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
