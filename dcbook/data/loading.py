"""A data set by its name, and its files fetched."""

import difflib
import os
import sys
import tempfile
from pathlib import Path

from dcbook.data import sampling
from dcbook.data.corpus import Corpus
from dcbook.data.dataset import Dataset
from dcbook.data.features import find_features, read_features, with_features
from dcbook.data.files import DataError, Files, data_root
from dcbook.data.sources import NAMES, SOURCES, Source


def load(
    name: str,
    *,
    root: str | os.PathLike | None = None,
    download: bool = False,
    mixed_with: str | None = None,
    subset: int | None = None,
    stratified: bool = True,
    retention: float | None = None,
    seed: int = 0,
    image_size: int | None = None,
    padding: int | None = None,
    noise: float | None = None,
    features: str | os.PathLike | None = None,
    vectors: str | None = None,
) -> Dataset | Corpus:
    """A data set by name, its parts (train, test, val) joined as the clustering literature does.

    Parameters
    ----------
    name
        One of `NAMES`. ``…-test`` is the test part alone; ``2mnist`` is MNIST and Fashion-MNIST in one, with
        20 classes; ``cifar100-20`` has CIFAR-100's 20 coarse labels; ``stl10`` is its labeled images. ``questions``,
        ``stackoverflow``, ``searchsnippets`` and ``biomedical`` are texts.
    root
        The folder with the data. Default: the environment's ``DCBOOK_DATA``, else one in the user's cache.
    download
        Fetch the published files where files are missing or damaged. Otherwise nothing is ever downloaded.
    mixed_with
        Another set, whose images (of the same shape and type) and classes join before anything is drawn.
    subset
        How many images to draw, after `retention`. Default: all.
    stratified
        Whether the subset keeps the classes' shares (see `Dataset.sample`).
    retention
        Retention rate r in (0, 1] of the first class for an imbalanced sample (see `Dataset.imbalanced`).
    seed
        Of both draws, and of the noise.
    image_size
        For ``imagenet10``, whose images have many sizes: pixels a side, 8 to 512. Default: 96.
    padding
        Width in pixels of a black border on every side (see `Dataset.padded`). Default: none.
    noise
        Standard deviation of normal noise on the images that are drawn, whose values lie in [0, 1] (see
        `Dataset.noisy`). Default: none.
    features
        A feature file (`save_features`), whose rows take the place of the images: its path, or its name below the
        data folder's ``features``. It is one of the whole set, of which the same samples are drawn as of the
        images, or of exactly the sample that is asked for.
    vectors
        For texts: the kind of vectors that take their place, such as ``"svd-50"`` (see `dcbook.data.vectors`). They are
        made of the whole set, of which samples are drawn afterwards.

    Returns
    -------
    Dataset
        Or a `Corpus`, for texts without `vectors`.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind.
    MissingDataError
        Files aren't there: the message has the place, the size and the command. Also a FileNotFoundError.
    DataError
        A file is cut off or altered, couldn't be downloaded, or has the features of other samples. Also an OSError.
    """
    source = _source(name)
    other = None if mixed_with is None else _source(mixed_with)
    sampling.check(seed=seed, stratified=stratified)
    if subset is not None:
        sampling.check(n=subset)
    if retention is not None:
        sampling.check(r=retention)
    if not isinstance(download, bool):
        raise TypeError(f"download must be True or False, not {download!r}")
    if not isinstance(features, str | os.PathLike | None):
        raise TypeError(f"features must be the path or the name of a feature file, not {features!r}")
    if source.texts:
        only = {"mixed_with": mixed_with, "padding": padding, "noise": noise, "features": features}
        if asked := [option for option, value in only.items() if value is not None]:
            raise ValueError(f"{name}: {asked[0]} is for images, and these are texts")
    elif vectors is not None:
        raise ValueError(f"{name}: vectors are made of texts, and these are images; see features")
    if other is not None and other.texts:
        raise ValueError(f"{mixed_with}: these are texts, and mixed_with is for images")
    options = {} if image_size is None else {"image_size": _image_size(name, image_size)}
    root = data_root(root)
    path = None if features is None else find_features(features, root)

    def obtained(name: str, source: Source, options: dict[str, int]) -> Dataset | Corpus:
        try:
            return _read(name, source, root, options)
        except DataError:
            if not download or source.fetch is None:
                raise
            fetch(name, root=root)
            return _read(name, source, root, options)

    data = obtained(name, source, options)
    if other is not None:
        data = data.joined(obtained(mixed_with, other, {}))
    if padding is not None:
        data = data.padded(padding)
    if vectors is not None:
        data = data.vectors(vectors)

    def drawn(data: Dataset | Corpus) -> Dataset | Corpus:
        data = data if retention is None else data.imbalanced(retention, seed)
        data = data if subset is None else data.sample(subset, seed, stratified)
        return data if noise is None else data.noisy(noise, seed)

    if path is None:
        return drawn(data)
    found, sample = read_features(path), drawn(data)
    if sample.digest == found.made_from["digest"]:
        return with_features(sample, path, found)
    return drawn(with_features(data, path, found))


def fetch(name: str, *, root: str | os.PathLike | None = None) -> None:
    """Download the published files of a set into the data folder, each one whole or not at all.

    Parameters
    ----------
    name, root
        As in `load`.

    Raises
    ------
    ValueError
        The name is unknown, or the set can't be downloaded.
    DataError
        The download failed.
    """
    source, root = _source(name), data_root(root)
    if source.fetch is None:
        raise ValueError(f"{name}: {source.how}")
    print(f"{name}: fetching {source.size} into {root}", file=sys.stderr, flush=True)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".fetching-") as half:
        try:
            source.fetch(Path(half))
        except Exception as error:  # whatever a network does
            cause = next(iter(str(error).strip().splitlines()), "")
            raise DataError(
                f"{name}: the download failed ({type(error).__name__}: {cause}). Try again later, or put "
                f"{', '.join(source.files)} into {root} by hand"
            ) from error
        for path in source.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(half) / path, root / path)


def _source(name: str) -> Source:
    if not isinstance(name, str):
        raise TypeError(f"the name of a data set must be a string, not {name!r}")
    if name not in SOURCES:
        near = difflib.get_close_matches(name.lower(), NAMES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"no data set is called {name!r}; {hint}There are: {', '.join(NAMES)}")
    return SOURCES[name]


def _image_size(name: str, size: int) -> int:
    if name != "imagenet10":
        raise ValueError(f"{name}: its images have one size; image_size is for imagenet10 only")
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 512:
        raise ValueError(f"image_size must be an integer in 8..512 pixels, not {size!r}")
    return size


def _read(name: str, source: Source, root: Path, options: dict[str, int]) -> Dataset | Corpus:
    files = Files(name, root)
    files.require(source.files, source.size, None if source.fetch else source.how)
    (samples, labels), classes = source.read(files, **options)
    provenance = {"source": source.library, "files": files.records, "notes": files.notes}
    if source.texts:
        return Corpus(name, tuple(samples.tolist()), labels, tuple(classes), files.original, provenance)
    return Dataset(name, samples, labels, tuple(classes), files.original, provenance)
