"""The data sets that `load` knows: who reads each, its files, what there is to fetch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dcbook.data import (
    arcs,
    cifar,
    digits,
    idx,
    imagenet10,
    japanese_vowels,
    medmnist,
    patches,
    questions,
    short_texts,
    stl10,
    usps,
)
from dcbook.data.files import Arrays


@dataclass(frozen=True)
class Source:
    """How one set is had: who reads it, its files below the root, what there is to fetch, or how to get it by hand.

    `texts`: it holds texts, not images.
    """

    library: str
    read: Callable[..., tuple[Arrays, list[str]]]
    files: tuple[str, ...] = ()
    size: str = "nothing to fetch"
    fetch: Callable[[Path], None] | None = None
    how: str = "it ships with scikit-learn"
    texts: bool = False


def _idx(*names: str, parts: tuple[str, ...] = idx.PARTS, size: str) -> Source:
    library = " and ".join(f"torchvision.datasets.{name}" for name in names)
    read = partial(idx.read, names=names, parts=parts)
    return Source(library, read, idx.paths(names, parts), size, partial(idx.fetch, names=names))


def _cifar(kind: tuple[str, ...], *files: str, size: str, parts: tuple[str, ...] = ("train", "test")) -> Source:
    library, paths = f"torchvision.datasets.{kind[0]}'s files", tuple(f"{kind[1]}/{file}" for file in files)
    return Source(library, partial(cifar.read, kind=kind, parts=parts), paths, size, partial(cifar.fetch, kind=kind))


def _medmnist(flag: str, size: str) -> Source:
    return Source(
        f"medmnist ({flag})",
        partial(medmnist.read, flag=flag),
        (f"medmnist/{flag}.npz",),
        size,
        partial(medmnist.fetch, flag=flag),
    )


def _short_texts(name: str, size: str) -> Source:
    library, read = "dcbook.data.short_texts", partial(short_texts.read, name=name)
    return Source(library, read, short_texts.paths(name), size, how=short_texts.HOW, texts=True)


SOURCES = {
    "digits": Source("sklearn.datasets.load_digits", digits.read),
    "digits-eights": Source("sklearn.datasets.load_digits, eight or not", digits.read_eights),
    "digits-rgb": Source("sklearn.datasets.load_digits, tinted", digits.read_rgb),
    "patches": Source("sklearn.datasets.load_sample_images", patches.read),
    "arcs": Source("dcbook.data.arcs", arcs.read),
    "mnist": _idx("MNIST", size="12 MB"),
    "mnist-test": _idx("MNIST", parts=("t10k",), size="12 MB"),
    "fashion-mnist": _idx("FashionMNIST", size="31 MB"),
    "fashion-mnist-test": _idx("FashionMNIST", parts=("t10k",), size="31 MB"),
    "2mnist": _idx("MNIST", "FashionMNIST", size="43 MB"),
    "usps": Source("torchvision.datasets.USPS", usps.read, usps.PATHS, "8 MB", usps.fetch),
    "cifar10": _cifar(
        cifar.CIFAR10, "batches.meta", *(f"data_batch_{i}" for i in range(1, 6)), "test_batch", size="170 MB"
    ),
    "cifar100-20": _cifar(cifar.CIFAR100_20, "meta", "train", "test", size="169 MB"),
    "cifar100-20-test": _cifar(cifar.CIFAR100_20, "meta", "test", parts=("test",), size="169 MB"),
    "stl10": Source("torchvision.datasets.STL10", stl10.read, stl10.PATHS, "2.6 GB", stl10.fetch),
    "imagenet10": Source(
        "torchvision.datasets.ImageFolder", imagenet10.read, ("imagenet10",), "1.5 GB", how=imagenet10.HOW
    ),
    "breastmnist": _medmnist("breastmnist", "0.6 MB"),
    "pneumoniamnist": _medmnist("pneumoniamnist", "4 MB"),
    "bloodmnist": _medmnist("bloodmnist", "35 MB"),
    "vesselmnist3d": _medmnist("vesselmnist3d", "0.4 MB"),
    **{
        f"japanese-vowels{'-' * bool(form)}{form}": Source(
            "sktime or aeon", partial(japanese_vowels.read, form=form), how=japanese_vowels.HOW
        )
        for form in ("", *japanese_vowels.SUMMARIES)
    },
    "questions": Source("dcbook.data.questions", questions.read, how="it ships with dcbook", texts=True),
    "stackoverflow": _short_texts("StackOverflow", "1 MB"),
    "searchsnippets": _short_texts("SearchSnippets", "2 MB"),
    "biomedical": _short_texts("Biomedical", "2 MB"),
}
NAMES = tuple(SOURCES)
