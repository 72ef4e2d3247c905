"""What a fit takes from a monitor: a function of the model that is called after every epoch and returns numbers."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn


def check_monitor(monitor: Any) -> None:
    """Raise TypeError unless the monitor is None or a function."""
    if monitor is not None and (isinstance(monitor, type) or not callable(monitor)):
        raise TypeError(f"monitor must be a function of the model, such as Diagnose(), or None, not {monitor!r}")


def told_by(monitor: Callable | None, model: BaseEstimator) -> dict[str, float]:
    """The result of a monitor as plain numbers, for the last entry of `model.history_`; {} without a monitor.

    The monitor may pass samples through networks in training mode: their buffers are restored afterwards.
    Raises TypeError if the result is not a mapping, a name is not a string or is in that entry already (a method may go
    by its own numbers), or a value is not a number (NumPy scalars and tensors with one element are accepted).
    """
    if monitor is None:
        return {}
    with buffers_kept(model):
        found = monitor(model) or {}
    if not isinstance(found, Mapping):
        raise TypeError(f"a monitor must return numbers by name, such as {{'acc': 0.5}}, or None, not {found!r}")
    found = dict(found)
    for name, value in found.items():
        if not isinstance(name, str):
            raise TypeError(f"a monitor must return numbers by name, and {name!r} is not a string")
        if name in model.history_[-1]:
            raise TypeError(
                f"a monitor must return numbers by name, and {name!r} is the name of a number of "
                f"{type(model).__name__}; give the monitor's number another name"
            )
        if isinstance(value, np.generic | np.ndarray | Tensor) and math.prod(value.shape) == 1:
            found[name] = value = value.item()
        if not isinstance(value, int | float | None):
            raise TypeError(f"a monitor must return numbers by name, but {name!r} is {value!r}; store it elsewhere")
    return found


@contextmanager
def buffers_kept(model: BaseEstimator) -> Iterator[None]:
    """Context that restores the buffers of a model's networks, such as running statistics of batch normalization."""
    networks = [each for each in vars(model).values() if isinstance(each, nn.Module)]
    kept = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in kept:
                buffer.copy_(before)
