"""From what a reader passes in to what a network takes; and the randomness of a fit, one stream for each purpose."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from zlib import crc32

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data
from torch import Tensor

from dcbook.threads import BORROWED


def as_samples(estimator: BaseEstimator, x, *, fitting: bool) -> np.ndarray:
    """Samples as a C-ordered, writable float32 array of their own shape, (N, d) or (N, C, H, W) or (N, C, D, H, W).

    Takes NumPy arrays, torch tensors and what scikit-learn takes; uint8 is divided by 255, floats stay as they are.
    Raises ValueError for NaN, infinity, fewer than two samples when fitting, or another number of features than in fit.
    """
    if isinstance(x, Tensor):
        x = x.detach().cpu().numpy()
    elif not hasattr(x, "shape"):
        x = np.asarray(x)
    shape = tuple(x.shape)
    scale = 255 if getattr(x, "dtype", None) == np.uint8 else 1
    flat = x.reshape(len(x), -1) if len(shape) > 2 else x
    flat = validate_data(
        estimator, flat, reset=fitting, dtype=np.float32, order="C", ensure_min_samples=2 if fitting else 1
    )
    if scale != 1:
        flat /= np.float32(scale)
    return np.require(flat.reshape(shape) if len(shape) > 2 else flat, requirements="W")


def resolve_seed(random_state) -> int:
    """An integer seed from None (a fresh one), an int, or a NumPy RandomState (one draw)."""
    if isinstance(random_state, int | np.integer):
        check_random_state(int(random_state))
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def resolve_device(device: str | torch.device) -> torch.device:
    """ "auto" means the GPU if there is one; a CUDA device without CUDA is refused with a ValueError."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f'device="{device}" was asked for, but torch finds no CUDA device; use device="auto" or "cpu"')
    return device


def stream(seed: int, purpose: str) -> torch.Generator:
    """The random stream of one purpose ("weights", "batches", …), so that no purpose disturbs another."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose))


def derived_seed(seed: int, purpose: str) -> int:
    return int(np.random.SeedSequence([seed, crc32(purpose.encode())]).generate_state(1)[0])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What draws from torch's global stream (new layers, dropout) draws from `seed`; then that stream goes on.

    One thread at a time: another one that comes here waits, so that each draws from its own seed.
    """
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # `manual_seed` seeds them, too
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


def told_by(monitor: Callable | None, model: BaseEstimator) -> dict[str, float]:
    """What a monitor returns of the model, as plain numbers that a history and a file can hold; {} without a monitor.

    Raises TypeError for what is no mapping, and for a value that is no number (a NumPy scalar and a tensor of one
    number are).
    """
    found = (monitor(model) if monitor else None) or {}
    if not isinstance(found, Mapping):
        raise TypeError(f"a monitor returns numbers by name, such as {{'acc': 0.5}}, or None, not {found!r}")
    found = dict(found)
    for name, value in found.items():
        if isinstance(value, np.generic | np.ndarray | Tensor) and math.prod(value.shape) == 1:
            found[name] = value = value.item()
        if not isinstance(value, int | float | None):
            raise TypeError(f"a monitor returns numbers by name, but {name!r} is {value!r}; keep such things elsewhere")
    return found


def check_settings_of_torch() -> None:
    """Raise ValueError where torch is set so that networks can't train: without gradients, or not in float32."""
    if not torch.is_grad_enabled() or torch.is_inference_mode_enabled():
        raise ValueError("fit trains a network: call it outside of torch.no_grad() and torch.inference_mode()")
    if (dtype := torch.get_default_dtype()) != torch.float32:
        raise ValueError(
            f"networks train in float32, but torch's default is {dtype}: torch.set_default_dtype(torch.float32)"
        )


def check_n_clusters(n_clusters: int, n_samples: int) -> None:
    if not isinstance(n_clusters, int | np.integer) or not 1 <= n_clusters <= n_samples:
        raise ValueError(f"n_clusters must be a whole number from 1 to the {n_samples} samples, not {n_clusters!r}")


def check_batch_size(batch_size: int, n_samples: int, name: str) -> None:
    if not isinstance(batch_size, int | np.integer) or not 1 <= batch_size <= n_samples:
        raise ValueError(f"{name} must be a whole number from 1 to the {n_samples} samples, not {batch_size!r}")


def check_images(name: str, x: np.ndarray) -> None:
    if x.ndim != 4:
        raise ValueError(f"{name} learns from images (N, C, H, W), not from samples of shape {x.shape[1:]}")
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise ValueError(f"{name} needs images in [0, 1], not in [{low:.4g}, {high:.4g}]; scale them")
