"""Conversion and checks of a method's inputs, and the random generators of a fit, one for each purpose."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from zlib import crc32

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.validation import validate_data
from torch import Tensor

from dcbook.clustering.points import resolve_device
from dcbook.data.stored import StoredImages
from dcbook.threads import BORROWED
from dcbook.training.arrays import as_array

SQUARED = (1e-17, 1e17)  # range of spreads whose squares fit in float32
FLOAT32_LOSS = 1e-5  # largest rounding error of float32, as a share of the samples' spread


def as_samples(estimator: BaseEstimator, x, *, fitting: bool, dtype: type | np.dtype | None = np.float32) -> np.ndarray:
    """Samples as a C-ordered, writable array of floats of their shape: (N, d), (N, C, H, W) or any other (N, …).

    Takes NumPy arrays, torch tensors and the inputs of scikit-learn. uint8 is divided by 255; other numbers are not
    changed. `dtype` None is float32, or float64 for samples that float32 cannot distinguish; with float32, a fit warns
    about such samples.
    Raises TypeError for objects that are not arrays, such as a Dataset or a DataLoader, and for sparse arrays and
    dates; ValueError for text, complex numbers, channels in the last dimension, NaN, infinity, masked values, fewer
    than two samples in fit, or another shape than in fit. Axes of length 1 do not count for that, and rows of all
    features are taken for images, too.
    """
    x = as_array(x)
    shape = tuple(x.shape)
    flat = x.reshape(len(x), math.prod(shape[1:])) if len(shape) > 2 else x
    flat = validate_data(
        estimator, flat, reset=fitting, dtype="numeric", order="C", ensure_min_samples=2 if fitting else 1
    )
    if not fitting:
        check_same_shape(estimator, shape[1:])
    flat = _as_floats(flat, dtype, fitting)
    return np.require(flat.reshape(shape) if len(shape) > 2 else flat, requirements="W")


def check_same_shape(estimator: BaseEstimator, shape: tuple[int, ...]) -> None:
    fitted = tuple(getattr(estimator, "input_shape_", shape))
    sides, fitted_sides = ([side for side in each if side != 1] for each in (shape, fitted))
    if len(shape) > 1 and len(fitted) > 1 and sides != fitted_sides:
        raise ValueError(f"x holds samples of shape {shape}, but {type(estimator).__name__} was fitted to {fitted}")


def _as_floats(x: np.ndarray, dtype: type | np.dtype | None, fitting: bool) -> np.ndarray:
    if x.dtype.kind not in "fiub":
        raise TypeError(f"x must hold numbers, not {x.dtype}; convert it, for example with x.astype(float)")
    if np.can_cast(x.dtype, np.float32):
        floats = x.astype(np.float32, copy=False)
        floats = floats / np.float32(255) if x.dtype == np.uint8 else floats
        return floats.astype(dtype or np.float32, copy=False)
    exact = x.astype(np.float64, copy=False)
    if dtype == np.float64:
        return exact
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    if fitting and not _holds(rounded, exact):
        if dtype is None:
            return exact
        message = "networks compute in float32, which cannot distinguish these samples: subtract their mean"
        warnings.warn(f"{message}, for example with sklearn.preprocessing.StandardScaler", stacklevel=5)
    assert_all_finite(rounded, input_name="X")
    return rounded


def _holds(rounded: np.ndarray, exact: np.ndarray) -> bool:
    """Whether rounding changes differences between samples (N, d) by at most a small share of their spread.

    The spread is that of the 90 percent of samples nearest to the median, so that outliers do not dominate it; its
    square must fit in float32, too.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.linalg.norm((exact - rounded).std(axis=0))
        if lost == 0:
            return True
        away = np.linalg.norm(exact - np.median(exact, axis=0), axis=1)
        spread = np.linalg.norm(exact[away <= np.quantile(away, 0.9)].std(axis=0))
    return bool(lost <= FLOAT32_LOSS * spread and SQUARED[0] < spread and away.max() < SQUARED[1])


@contextmanager
def new_fit(estimator: BaseEstimator) -> Iterator[None]:
    """Context of a fit: the results of an earlier fit are gone, and are back if an error comes before the first epoch.

    Until then, which an estimator with epochs announces by setting `_earlier` to None, they are kept in `_earlier`.
    """
    estimator._earlier = dict(vars(estimator))
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)
    try:
        yield
    except BaseException:
        if earlier := estimator._earlier:
            vars(estimator).clear()
            vars(estimator).update(earlier, _earlier=None)
        raise
    finally:
        del estimator._earlier


def resolve_seed(random_state) -> int:
    """An integer seed from None (a new random seed), an int, or a NumPy RandomState (one draw)."""
    if isinstance(random_state, int | np.integer):
        check_random_state(int(random_state))
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def device_or_cpu(device: str | torch.device) -> str | torch.device:
    """`device`, or "cpu" with a warning if torch does not find `device` here."""
    try:
        resolve_device(device)
    except ValueError:
        message = f'the model was trained on "{device}", which torch does not find here; using "cpu"'
        warnings.warn(message, stacklevel=3)
        return "cpu"
    return device


def stream(seed: int, purpose: str) -> torch.Generator:
    """A random generator for one purpose ("weights", "batches", …), independent of those for other purposes."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose))


def derived_seed(seed: int, purpose: str) -> int:
    return int(np.random.SeedSequence([seed, crc32(purpose.encode())]).generate_state(1)[0])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which torch's global generator (new layers, dropout) has the given seed; it is restored at the end.

    Threads enter one at a time, so that each draws from its own seed.
    """
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # `manual_seed` seeds them too
    with BORROWED, torch.random.fork_rng(devices=list(gpus)):
        torch.manual_seed(seed)
        yield


def batches(n: int, size: int, generator: torch.Generator, device: torch.device) -> Iterator[Tensor]:
    """One epoch: indices 0..n-1, shuffled, in batches of `size`; a last batch of one sample joins the one before."""
    return iter(in_batches(torch.randperm(n, generator=generator).to(device), size))


def in_batches(order: Tensor, size: int) -> list[Tensor]:
    """Indices in batches of `size`; a last batch of one sample joins the one before."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def updates_in(n: int, size: int) -> int:
    """The number of batches of an epoch, see `batches`."""
    return len(in_batches(torch.arange(n), size))


def check_numbers(owner: Any) -> None:
    """Raise ValueError if a hyperparameter of a dataclass is not a number, a whole number or a bool where it must be.

    A bool is not taken for a number. NaN is refused, because comparisons with limits would not detect it; infinity is
    accepted unless a whole number is needed.
    """
    for field in fields(owner):
        value, kind = getattr(owner, field.name), field.type
        if kind is int or (kind == int | None and value is not None):
            if not isinstance(value, int | np.integer) or isinstance(value, bool):
                raise ValueError(f"{field.name} of {type(owner).__name__} must be a whole number, not {value!r}")
        elif kind is bool and not isinstance(value, bool | np.bool_):
            raise ValueError(f"{field.name} of {type(owner).__name__} must be True or False, not {value!r}")
        elif (kind is float or (kind == float | None and value is not None)) and (
            isinstance(value, bool) or not isinstance(value, int | float | np.number) or math.isnan(value)
        ):
            raise ValueError(f"{field.name} of {type(owner).__name__} must be a number, not {value!r}")


def check_settings_of_torch() -> None:
    """Raise ValueError if torch's settings prevent training: gradients disabled, or a default type not float32."""
    if not torch.is_grad_enabled() or torch.is_inference_mode_enabled():
        raise ValueError("fit trains a network: call it outside torch.no_grad() and torch.inference_mode()")
    if (dtype := torch.get_default_dtype()) != torch.float32:
        raise ValueError(
            f"networks train in float32, but torch's default is {dtype}: call torch.set_default_dtype(torch.float32)"
        )


def check_n_clusters(n_clusters: int, n_samples: int) -> None:
    if not isinstance(n_clusters, int | np.integer) or not 1 <= n_clusters <= n_samples:
        raise ValueError(
            f"n_clusters must be a whole number from 1 to {n_samples}, the number of samples, not {n_clusters!r}"
        )


def check_batch_size(batch_size: int, n_samples: int, name: str) -> None:
    if not isinstance(batch_size, int | np.integer) or not 1 <= batch_size <= n_samples:
        raise ValueError(
            f"{name} must be a whole number from 1 to {n_samples}, the number of samples, not {batch_size!r}"
        )


def resolve_sizes(owner, n_samples: int, of: str = "") -> dict[str, int]:
    """The numbers of samples named in `owner.SIZES`: as given, or for None the default there, at most all samples.

    Raises ValueError for a given number out of range; `of` names its owner in the message.
    """
    found = {}
    for name, usual in owner.SIZES.items():
        given = getattr(owner, name)
        found[name] = min(usual, n_samples) if given is None else given
        check_batch_size(found[name], n_samples, f"the {name} of {of}" if of else name)
        found[name] = int(found[name])  # torch takes no integers of NumPy
    return found


def warn_of_dead_clusters(labels: np.ndarray, n_clusters: int, x: np.ndarray | StoredImages) -> None:
    """Warn if x (N, …) has fewer distinct samples than clusters, or some clusters do not occur in `labels` (N,).

    Images on disk are not compared.
    """
    live = len(np.unique(labels))
    distinct = n_clusters if isinstance(x, StoredImages) else _count_distinct(x, n_clusters)
    cause = f"x has only {distinct} distinct samples: " if distinct < n_clusters else ""
    if cause or live < n_clusters:
        warnings.warn(f"{cause}only {live} of {n_clusters} clusters hold samples", ConvergenceWarning, stacklevel=3)


def _count_distinct(x: np.ndarray, enough: int) -> int:
    """The number of distinct samples of x (N, …), counted up to `enough`."""
    found: set[bytes] = set()
    for sample in x:
        found.add((sample + 0).tobytes())  # 0 and -0 count as equal
        if len(found) == enough:
            break
    return len(found)


def check_images(name: str, x: np.ndarray | Tensor) -> None:
    if x.ndim != 4:
        raise ValueError(f"{name} needs images (N, C, H, W), not samples of shape {tuple(x.shape[1:])}")
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise ValueError(f"{name} needs images in [0, 1], not in [{low:.9g}, {high:.9g}]; scale or clip them")
