"""Instance retrieval on Oxford Buildings and Paris (Philbin et al., CVPR 2007 and 2008), DeepCluster's Table 5.

The ground truth is a folder of text files. For each query <name>, `_query.txt` holds its image and region; `_good.txt`
and `_ok.txt` (positives) and `_junk.txt` (ignored) list one image per line.
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

# Images of Paris that are corrupted in the published archive, as listed in the released eval_retrieval.py
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
    """A query region and its ground truth.

    Attributes
    ----------
    name : name of the query: landmark and number
    image : name of the query's image, without .jpg; it is one of the positives
    roi : left, top, right, bottom of the query region, in pixels of the published image
    positives : names of the images to be retrieved, "good" and "ok"
    junk : names of images that are ignored
    """

    name: str
    image: str
    roi: tuple[float, float, float, float]
    positives: frozenset[str]
    junk: frozenset[str]


def average_precision(ranked: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """Average precision, in [0, 1], of a ranking (best first), as compute_ap of Oxford Buildings computes it.

    Junk is removed from the ranking first. The area under the precision-recall curve is summed by trapezoids, from
    precision 1 at recall 0 (scikit-learn uses rectangles). Positives that are not ranked count as not retrieved.

    Raises ValueError if there are no positives or a name occurs twice in the ranking.
    """
    if not positives or len(set(ranked)) < len(ranked):
        raise ValueError("average precision needs positives, and a ranking without duplicates")
    positives, junk = set(positives), set(junk)
    hits = np.array([name in positives for name in ranked if name not in junk], dtype=bool)
    precision = np.concatenate([[1.0], hits.cumsum() / np.arange(1, len(hits) + 1)])
    return float((precision[:-1] + precision[1:])[hits].sum() / (2 * len(positives)))


def mean_average_precision(rankings: Mapping[str, Sequence[str]], queries: Iterable[Query]) -> float:
    """Mean over the queries, in [0, 1], of the average precision of their rankings (query name → image names)."""
    return float(np.mean([average_precision(rankings[q.name], q.positives, q.junk) for q in queries]))


def read_ground_truth(folder: str | Path) -> list[Query]:
    """The queries of a folder of ground truth, sorted by name, without the corrupted images of Paris.

    The prefix "oxc1_" of image names in Oxford's query files is removed. Raises ValueError, naming the files, if there
    is no query, if a query lacks one of its files, or if a query file is not "image x1 y1 x2 y2".
    """
    folder = Path(folder)
    names = sorted(path.name.removesuffix("_query.txt") for path in folder.glob("*_query.txt"))
    if not names:
        raise ValueError(f"{folder} holds no <name>_query.txt; unpack the ground truth of Oxford5k or Paris6k there")
    lists = [f"{name}_{kind}.txt" for name in names for kind in ("good", "ok", "junk")]
    if missing := [file for file in lists if not (folder / file).is_file()]:
        raise ValueError(f"{folder} lacks {_some(missing)}")
    return [_query(folder, name) for name in names]


def region_vectors(describe: Describe, images_folder: str | Path, longest_side: int = 1024) -> Tensor:
    """Region vectors (M, C) of all images, scaled to length 1, to fit a `Whitening` on (Paris's for Oxford, and back).

    The released code keeps 512 directions: ``Whitening.fit(vectors, 512)``.
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
    describe : image (3, H, W), float32 in [0, 1], on the CPU → region vectors (R, C). It normalizes the colors and
        applies the network (of VGG-16 all convolutions without the last pooling) and `rmac`; run without gradients
    images_folder : folder that holds the images, *.jpg at any depth
    ground_truth_folder : folder that holds the text files, see `read_ground_truth`
    whitening : whitening of the region vectors, fitted on another set of images
    longest_side : longest side of images after resizing (bilinear), in pixels; a query is cropped after resizing

    Returns mAP and the average precision of each query, in [0, 1]. The query's own image is ranked too. Raises
    ValueError, before anything is computed, if images of the ground truth are missing. The corrupted images of Paris
    are ignored, even if the ground truth names them.
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
        raise ValueError(f'{path} must hold "image x1 y1 x2 y2" but does not: {error}') from error
    good, ok, junk = (frozenset((folder / f"{name}_{kind}.txt").read_text().split()) for kind in ("good", "ok", "junk"))
    return Query(name, image.removeprefix("oxc1_"), (left, top, right, bottom), (good | ok) - CORRUPTED, junk)


def _images(folder: str | Path) -> dict[str, Path]:
    """Name → path of all images below a folder, sorted by name, without the corrupted images."""
    found = {path.stem: path for path in Path(folder).rglob("*.jpg") if path.stem not in CORRUPTED}
    if not found:
        raise ValueError(f"{folder} holds no *.jpg; unpack the images of Oxford5k or Paris6k there")
    return dict(sorted(found.items()))


@torch.no_grad()
def _described(describe: Describe, path: Path, longest_side: int, roi: tuple | None = None) -> Tensor:
    """Region vectors (R, C) of one image, or of its part in `roi`, on the CPU."""
    image = _load(path, longest_side, roi)
    if 0 in image.shape:
        raise ValueError(f"{path}: the query's region {roi} lies outside the image")
    regions = describe(image).float().cpu()
    if regions.ndim != 2 or not regions.isfinite().all():
        raise ValueError(
            f"{path}: describe must give finite region vectors (R, C), not {tuple(regions.shape)} with "
            f"{int((~regions.isfinite()).sum())} numbers that are not finite"
        )
    return regions


def _load(path: Path, longest_side: int, roi: tuple | None) -> Tensor:
    """The image (3, H, W) in [0, 1], resized to `longest_side` and then cropped to `roi`."""
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read; it may be truncated or altered ({error})") from error
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
