"""Preferred inputs of a filter: the images of a set that activate it most, and images optimized to activate it.

DeepCluster (Caron et al., ECCV 2018), section 4.2; images are optimized as in Yosinski et al., "Understanding Neural
Networks Through Deep Visualization", 2015: gradient ascent on the pixels, regularized by decay and blur.

The response of a filter to an image is the maximum of its map, before the ReLU. The maximum shows that the preferred
pattern is present somewhere, whereas the mean of an edge filter is almost 0, because light and dark sides cancel.
Before and after the ReLU the maximum is the same if the filter is active; before it, there is a gradient even if the
filter is not.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dcbook.evaluation.probes import activations, watched

GRAY = 0.5
NOISE = 0.2  # standard deviation of the initial noise
BLUR_EVERY = 4  # number of steps between blurs


def responses(network: nn.Module, layer: nn.Module, images: np.ndarray | Tensor, batch_size: int = 256) -> np.ndarray:
    """The response of each filter of a layer to each of `images` (N, C, H, W), uint8 or in [0, 1]: (N, filters).

    `layer` is a module of the network; if it is a `Sequential` that ends in a ReLU, the input of the ReLU is used. The
    units of a layer without maps, such as fc7, count as filters. The network is not changed.
    """
    reduce = {"batch_size": batch_size, "reduce": _strongest}
    return activations(network, {"layer": _before_relu(layer)}, images, **reduce)["layer"].cpu().numpy()


def most_activating(
    network: nn.Module,
    layer: nn.Module,
    images: np.ndarray | Tensor,
    filters: Sequence[int] | None = None,
    n: int = 9,
    batch_size: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """The n images that each of `filters` (default: all F) responds to most: indices and responses, both (F, n).

    They are sorted by response, strongest first, ties by index. See `responses`.

    Raises ValueError for filters that the layer does not have, and for n below 1 or above N.
    """
    if not 1 <= n <= len(images):
        raise ValueError(f"n must be from 1 to {len(images)}, the number of images, not {n}")
    found = responses(network, layer, images, batch_size).T
    found = found if filters is None else found[_checked(filters, len(found))]
    order = np.argsort(-found, axis=1, kind="stable")[:, :n]
    return order, np.take_along_axis(found, order, 1)


def gradient_ascent(
    network: nn.Module,
    layer: nn.Module,
    filters: Sequence[int],
    shape: tuple[int, int, int],
    *,
    steps: int = 100,
    lr: float = 0.05,
    decay: float = 0.05,
    blur: float = 1.0,
    starts: int = 3,
    seed: int = 0,
) -> np.ndarray:
    """Images that each of F `filters` responds to strongly: (F, C, H, W), float32 in [0, 1].

    Each step moves the image along the gradient of the response, by `lr` in root mean square, and then shrinks each
    pixel's difference from mid-gray by a share (decay); each fourth step also applies a Gaussian blur. Decay and blur
    fall linearly to 0 in the last step. Several starts are drawn, noise around gray, and the image with the largest
    response is kept.

    Parameters
    ----------
    layer : as in `responses`
    shape : (C, H, W) of an image that the network accepts
    steps, lr, starts : number of steps, step size and number of starts; at least 1, above 0, at least 1
    decay : share by which differences from gray shrink in the first step, in [0, 1)
    blur : standard deviation of the blur in the first step, in pixels; 0 for none
    seed : seed of the starts, which are the same for each filter; torch's global generator is not used

    The network is evaluated in evaluation mode; its mode, weights and gradients are restored. Up to rounding, an image
    does not depend on the other filters.

    Raises ValueError for filters that the layer does not have and for settings out of range.
    """
    if steps < 1 or starts < 1 or not lr > 0 or not 0 <= decay < 1 or not blur >= 0:
        raise ValueError(
            f"steps and starts must be at least 1, lr above 0, decay in [0, 1) and blur at least 0, not {steps}, "
            f"{starts}, {lr}, {decay} and {blur}"
        )
    device = next(network.parameters()).device
    noise = torch.randn((starts, *shape), generator=torch.Generator().manual_seed(seed))
    x = (GRAY + NOISE * noise).clamp(0, 1).repeat(len(filters), 1, 1, 1).to(device)  # starts of filter 0, 1, …
    seen: list[Tensor] = []

    def wanted(x: Tensor) -> Tensor:
        seen.clear()
        network(x)
        found = torch.cat(seen)
        if len(found) != len(x):
            raise ValueError(f"the layer must run once in the network, not {len(found) / len(x):g} times")
        index = torch.tensor(_checked(filters, found.shape[1]), device=device).repeat_interleave(starts)
        return found.gather(1, index[:, None])[:, 0]

    def see(_name: str, output: Tensor) -> None:
        seen.append(_strongest(output.clone()))  # the next layer may change it in place

    with watched(network, {"layer": _before_relu(layer)}, see), torch.enable_grad():
        for step in range(1, steps + 1):
            (gradient,) = torch.autograd.grad(wanted(x.requires_grad_()).sum(), x)
            size = gradient.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(torch.finfo(x.dtype).tiny)
            held = 1 - step / steps
            x = GRAY + (1 - decay * held) * (x.detach() + lr * gradient / size - GRAY)
            if blur and held and step % BLUR_EVERY == 0:
                x = _blurred(x, blur * held)
            x = x.clamp(0, 1)
        best = wanted(x).detach().view(len(filters), starts).argmax(1)
    return x.view(len(filters), starts, *shape)[torch.arange(len(filters), device=device), best].cpu().numpy()


def class_share(labels: np.ndarray) -> np.ndarray:
    """Share (F,), from 1/n to 1, of the most frequent class in each row of `labels` (F, n), whole numbers from 0."""
    labels = np.asarray(labels)
    counts = (labels[..., None] == np.arange(labels.max() + 1)).sum(1)
    return counts.max(1) / labels.shape[1]


def _before_relu(layer: nn.Module) -> nn.Module:
    """The module before the final ReLU of a block (convolution, batch normalization, ReLU); otherwise the layer."""
    ends = isinstance(layer, nn.Sequential) and len(layer) > 1 and isinstance(layer[-1], nn.ReLU)
    return layer[-2] if ends else layer


def _strongest(output: Tensor) -> Tensor:
    """The maximum of each map: (B, F, …) → (B, F)."""
    return output.flatten(2).amax(2) if output.ndim > 2 else output


def _checked(filters: Sequence[int], of: int) -> list[int]:
    filters = [int(index) for index in filters]
    if not filters or min(filters) < 0 or max(filters) >= of:
        raise ValueError(f"filters must be some of 0 to {of - 1}, the filters of the layer, not {filters}")
    return filters


def _blurred(x: Tensor, deviation: float) -> Tensor:
    """Gaussian blur of (B, C, H, W) in both directions; pixels beyond the border repeat those of the border."""
    radius = int(np.ceil(3 * deviation))
    places = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-((places / deviation) ** 2) / 2)
    kernel = (kernel / kernel.sum()).repeat(x.shape[1], 1, 1, 1)
    x = F.pad(x, [radius] * 4, mode="replicate")
    x = F.conv2d(x, kernel, groups=x.shape[1])
    return F.conv2d(x, kernel.transpose(2, 3), groups=x.shape[1])
