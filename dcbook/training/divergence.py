"""Detection of divergence: a fit ends at the first number that is not finite, with advice in the message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from dcbook.training.deep_clusterer import DeepClusterer

LARGEST = 1e18  # largest entry of a code, such that squared differences fit in float32
STEPS = ("lr", "phase1_lr", "encoder_lr", "mnet_lr", "teacher_lr", "head_lr")


def check_finite(method: DeepClusterer, losses: Mapping[str, float]) -> None:
    """Raise FloatingPointError if a loss of the epoch, a weight of a network or a center is not finite."""
    for name, value in losses.items():
        if not math.isfinite(value):
            raise _diverged(method, f"its {name} is {value}")
    networks = [part for name, part in vars(method).items() if name.endswith("_") and isinstance(part, nn.Module)]
    weights = [weight for network in networks for weight in network.parameters()]
    weights += [] if method._centers is None else [method._centers]
    if not all(weight.isfinite().all() for weight in weights):
        raise _diverged(method, "its weights or centers hold numbers that are not finite")


def runaway(method: DeepClusterer) -> FloatingPointError | None:
    """The error for a fit that failed within an epoch because weights are infinite or nearly so; otherwise None."""
    network = getattr(method, "autoencoder_", None)
    if network is None or all(weight.abs().amax() < LARGEST for weight in network.parameters()):
        return None
    return _diverged(method, "its network holds numbers that are not finite, or too large to be squared")


def check_codes(method: DeepClusterer, u: Tensor, x: Tensor) -> None:
    """Raise FloatingPointError if codes u (N, d) of samples x (N, …), or their squares, are not finite."""
    if not len(u) or u.abs().amax() < LARGEST:  # false for NaN
        return
    if hasattr(method, "_x"):
        raise _diverged(method, "its codes are not finite, or too large to be squared")
    raise FloatingPointError(
        f"the encoder of {type(method).__name__} gives codes that are not finite, or too large, for samples in "
        f"[{x.min():.4g}, {x.max():.4g}]; scale them like the training samples"
    )


def _diverged(method: DeepClusterer, what: str) -> FloatingPointError:
    steps = [f"{name} ({value:g})" for name, value in sorted(method.get_params().items()) if name in STEPS]
    steps = ["lr of the pretraining"] if method._now.endswith("pretraining") else steps
    x = method._x
    low, high = (float(x.min()), float(x.max())) if isinstance(x, Tensor) else (0, 1)  # files hold images in [0, 1]
    remedies = [] if low >= 0 and high <= 1 else ["scale x to [0, 1]"]
    remedies += [f"lower {', '.join(steps)}"] if steps else []
    return FloatingPointError(
        f"{type(method).__name__} diverged {method._now}: {what}; x lies in [{low:.4g}, {high:.4g}]; "
        f"{' or '.join(remedies) or 'take another start'}"
    )
