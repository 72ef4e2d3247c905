"""What a method takes for samples, as an array; for anything else, what to pass instead."""

import os

import numpy as np
import torch
from torch import Tensor

from dcbook.data.layout import check_channels_first
from dcbook.data.stored import StoredImages


def as_array(x):
    """Samples as an array (N, …), or as the data frame that they are, with their numbers as they are.

    Takes arrays, torch tensors, data frames, sequences of numbers, and sequences or a column of arrays of one shape.
    Raises TypeError for objects that are not arrays, such as a Dataset, a DataLoader or the name of a folder;
    ValueError for texts, samples of several shapes, channels in the last dimension, and masked values.
    """
    given = x
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()  # float32 holds all of its numbers
    elif hasattr(x, "columns") and {str(kind) for kind in x.dtypes} == {"UInt8"}:
        x = x.astype("uint8")  # pandas' nullable type of the same numbers
    elif not _is_data_set(x) and not hasattr(x, "shape"):
        x = _stacked(x)
    elif str(getattr(x, "dtype", "")) == "object" and len(x.shape) == 1:
        x = _stacked(list(x))
    if _is_data_set(x) or not x.shape:
        raise TypeError(_what_to_pass(given))
    if len(x.shape) == 1 and any(isinstance(each, str) for each in x[:1]):
        raise ValueError("x holds texts; pass vectors of them, such as those of dcbook.data.vectors.vectorize")
    check_channels_first("x", tuple(x.shape))
    if np.ma.is_masked(x):
        raise ValueError("x has masked values; fill them, for example with x.filled(0), or drop these samples")
    return x


def _stacked(x) -> np.ndarray:
    """A sequence of numbers or of arrays of one shape, as one array."""
    try:
        return np.asarray(x)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            "the samples of x differ in shape; give them one, as dcbook.data.pictures.read_pictures does for pictures"
        ) from None


def _is_data_set(x) -> bool:
    return isinstance(x, StoredImages | torch.utils.data.Dataset | torch.utils.data.DataLoader)


def _what_to_pass(x) -> str:
    """The error message for an object that is not an array."""
    if isinstance(x, StoredImages):
        instead = "only DeepCluster reads images from disk; pass one array of all images"
    elif isinstance(x, torch.utils.data.TensorDataset):
        instead = "pass its samples, dataset.tensors[0]"
    elif isinstance(x, torch.utils.data.DataLoader):
        instead = "pass all samples as one tensor, for example torch.cat([x for x, _ in loader])"
    elif isinstance(x, torch.utils.data.Dataset):
        instead = "pass all samples as one tensor, for example torch.stack([x for x, _ in dataset])"
    elif hasattr(x, "images"):  # a labeled data set of dcbook.data, which training code must not import
        instead = "pass its images, data.images"
    elif hasattr(x, "texts"):  # a corpus of dcbook.data
        instead = "pass vectors of its texts, such as those of dcbook.data.vectors.vectorize"
    elif isinstance(x, str | os.PathLike):
        instead = "pass an array (N, d) or images (N, C, H, W), such as dcbook.data.pictures.read_pictures reads"
    else:
        instead = "pass an array (N, d) or images (N, C, H, W)"
    return f"x must be an array or a tensor, not {type(x).__name__}; {instead}"
