"""Data sets of the clustering literature: ``load("usps")`` → images, labels, and where they come from.

Nothing is downloaded unless asked for; a file that is missing, cut off or altered is refused by name.
"""

from dcbook.data.corpus import Corpus
from dcbook.data.dataset import Dataset
from dcbook.data.digest import content_digest
from dcbook.data.features import save_features
from dcbook.data.files import DataError, MissingDataError, data_root
from dcbook.data.loading import fetch, load
from dcbook.data.sources import NAMES
from dcbook.data.stored import ImageFile, ImageFolder

__all__ = [
    "NAMES",
    "Corpus",
    "DataError",
    "Dataset",
    "ImageFile",
    "ImageFolder",
    "MissingDataError",
    "content_digest",
    "data_root",
    "fetch",
    "load",
    "save_features",
]
