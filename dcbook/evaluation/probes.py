"""Linear and one-hidden-layer probes: classification from the frozen features of a network's layers.

DeepCluster (Caron et al., ECCV 2018), Table 1, with the settings of the released eval_linear.py and util.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dcbook.training.inputs import seeded
from dcbook.training.optimizers import SGD

MOMENTUM = 0.9
ROWS = 4096  # number of test features evaluated at once


@dataclass(frozen=True)
class Probe:
    """Accuracies on the test features, in [0, 1].

    Attributes
    ----------
    accuracy : after the last epoch
    best_accuracy : the highest after any epoch, as the released code reports; it is selected by the test labels
    """

    accuracy: float
    best_accuracy: float


def activations(
    network: nn.Module,
    layers: Mapping[str, nn.Module],
    x: np.ndarray | Tensor,
    batch_size: int = 256,
    reduce: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """Outputs of `layers`, modules of `network`, for x (N, …): name → (N, …) on the device of the network.

    The network runs in evaluation mode, without gradients, and is not changed. uint8 is scaled to [0, 1]. `reduce`
    (such as `pool_to`) is applied to each batch of outputs, so that whole maps need not be kept.

    Raises ValueError if there are no samples, or if a layer is not part of the network or does not run exactly once.
    """
    if not len(x) or batch_size < 1:
        raise ValueError(f"x must hold samples and batch_size must be at least 1, not {len(x)} and {batch_size}")
    found: dict[str, list[Tensor]] = {name: [] for name in layers}

    def keep(name: str, output: Tensor) -> None:
        output = output.clone()  # the next layer may change it in place
        found[name].append(reduce(output) if reduce else output)

    device = next((parameter.device for parameter in network.parameters()), None)
    with watched(network, layers, keep), torch.no_grad():
        for first in range(0, len(x), batch_size):
            batch = torch.asarray(x[first : first + batch_size], device=device, copy=True)
            network(batch / 255 if batch.dtype == torch.uint8 else batch)
    batches = -(-len(x) // batch_size)
    wrong = {name: len(outputs) / batches for name, outputs in found.items() if len(outputs) != batches}
    if wrong:
        raise ValueError(f"each layer must run once in the network; numbers of runs where this fails: {wrong}")
    return {name: torch.cat(outputs) for name, outputs in found.items()}


@contextmanager
def watched(network: nn.Module, layers: Mapping[str, nn.Module], see: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Context in which the network is in evaluation mode and `see` gets the name and output of each layer that runs.

    Raises ValueError if `layers` is empty or holds a layer that is not part of the network.
    """
    modes = {module: module.training for module in network.modules()}
    foreign = [name for name, layer in layers.items() if layer not in modes]
    if foreign or not layers:
        raise ValueError(f"layers must be modules of the network; these are not: {foreign}")

    def hook(name: str) -> Callable[[nn.Module, tuple, Tensor], None]:
        return lambda _layer, _inputs, output: see(name, output)

    hooks = [layer.register_forward_hook(hook(name)) for name, layer in layers.items()]
    try:
        network.eval()
        yield
    finally:
        for each in hooks:
            each.remove()
        for module, mode in modes.items():
            module.training = mode


def pool_to(maps: Tensor, dim: int = 9600) -> Tensor:
    """Average-pool maps (N, C, H, W) to at most `dim` numbers and flatten them, (N, C·H'·W').

    Kernel size and stride k and padding p <= k/2 (zeros, which count in the mean) are chosen such that the output is as
    large as possible but not above `dim`; ties go to the smallest k, then the smallest p. Rows that the kernel does not
    reach are left out, and a map that is small enough is not pooled. For the maps of AlexNet and the default, this
    gives the layers of the released eval_linear.py (k/k/p): 6/6/3 for conv1, 4/4/0 for conv2, 3/3/1 for conv3 and
    conv4, 2/2/0 for conv5; 9600, 9216, 9600, 9600, 9216 numbers.

    Raises ValueError for other shapes and for more than `dim` channels.
    """
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(f"maps must have shape (N, C, H, W) without a 0, not {tuple(maps.shape)}")
    channels, *sides = maps.shape[1:]
    best, pooling = 0, None
    for kernel in range(1, max(sides) + 2):
        for padding in range(kernel // 2 + 1):
            size = channels
            for side in sides:
                size *= (side + 2 * padding - kernel) // kernel + 1
            if best < size <= dim:
                best, pooling = size, (kernel, kernel, padding)
    if pooling is None:
        raise ValueError(f"{channels} channels cannot be pooled to {dim} numbers: dim must be at least {channels}")
    return F.avg_pool2d(maps, *pooling).flatten(1)


def linear_probe(
    features: np.ndarray | Tensor,
    labels: np.ndarray | Tensor,
    test_features: np.ndarray | Tensor,
    test_labels: np.ndarray | Tensor,
    *,
    epochs: int = 90,
    lr: float = 0.01,
    weight_decay: float = 1e-4,
    batch_size: int = 256,
    seed: int = 0,
    standardize: bool = False,
) -> Probe:
    """Train one linear layer on frozen features with the labels, and test it.

    SGD with momentum 0.9 on the cross-entropy; update t = 0, 1, … has the rate lr / sqrt(1 + lr · weight_decay · t).
    The released code draws new crops of the images in each epoch; here the features are fixed.

    Parameters
    ----------
    features, test_features : (N, d) and (M, d), floats; the device of `features` is used
    labels, test_labels : (N,) and (M,), whole numbers from 0
    epochs, lr, weight_decay, batch_size : the released defaults; the paper's rate and decay of each layer are unknown
    seed : seed of the initial weights and the batches; torch's global generator is not used
    standardize : subtract the training features' mean and divide by their standard deviation (not in the paper)

    Raises ValueError for shapes that do not agree, settings out of range, and divergence of the training.
    """
    data = _checked(features, labels, test_features, test_labels)
    return _probe([], data, epochs, lr, weight_decay, batch_size, seed, standardize)


def mlp_probe(
    features: np.ndarray | Tensor,
    labels: np.ndarray | Tensor,
    test_features: np.ndarray | Tensor,
    test_labels: np.ndarray | Tensor,
    *,
    n_hidden: int = 4096,
    epochs: int = 90,
    lr: float = 0.01,
    weight_decay: float = 1e-4,
    batch_size: int = 256,
    seed: int = 0,
    standardize: bool = False,
) -> Probe:
    """As `linear_probe`, with a hidden layer of `n_hidden` ReLU units, without dropout.

    The paper reports such a network on frozen convolutions; its settings and its code are not released.
    """
    if n_hidden < 1:
        raise ValueError(f"n_hidden must be at least 1, not {n_hidden}")
    data = _checked(features, labels, test_features, test_labels)
    return _probe([n_hidden], data, epochs, lr, weight_decay, batch_size, seed, standardize)


def _checked(features, labels, test_features, test_labels) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The arguments as float32 and int64 tensors on one device; ValueError if they are invalid."""
    x = torch.as_tensor(features)
    x, x_test = (torch.as_tensor(each, dtype=torch.float32, device=x.device) for each in (x, test_features))
    y, y_test = (torch.as_tensor(each, device=x.device) for each in (labels, test_labels))
    shapes = [tuple(each.shape) for each in (x, y, x_test, y_test)]
    if x.ndim != 2 or shapes != [x.shape, (len(x),), (len(x_test), x.shape[1]), (len(x_test),)]:
        raise ValueError(f"features and labels must be (N, d), (N,), (M, d) and (M,), not {shapes}")
    if 0 in x.shape + x_test.shape or not (x.isfinite().all() and x_test.isfinite().all()):
        raise ValueError(f"features must be finite and not empty; their shapes are {shapes}")
    if any(each.is_floating_point() or each.min() < 0 for each in (y, y_test)):
        raise ValueError("labels must be whole numbers from 0")
    return x, y.long(), x_test, y_test.long()


def _probe(hidden, data, epochs, lr, weight_decay, batch_size, seed, standardize) -> Probe:
    """Train and test a network with these `hidden` widths."""
    if not (epochs >= 1 and lr > 0 and weight_decay >= 0 and batch_size >= 1):
        given = f"{epochs}, {lr}, {weight_decay}, {batch_size}"
        raise ValueError(f"epochs >= 1, lr > 0, weight_decay >= 0 and batch_size >= 1 must hold, not {given}")
    x, y, x_test, y_test = data
    if standardize:
        deviation, mean = torch.std_mean(x, 0, correction=0)
        deviation = deviation.where(deviation > 0, 1)
        x, x_test = (x - mean) / deviation, (x_test - mean) / deviation
    widths = [x.shape[1], *hidden, int(max(y.max(), y_test.max())) + 1]
    with seeded(seed):
        layers = [nn.Linear(*pair) for pair in pairwise(widths)]
        probe = nn.Sequential(layers[0], *(part for layer in layers[1:] for part in (nn.ReLU(), layer))).to(x.device)
        optimizer = SGD(probe.parameters(), lr, MOMENTUM, weight_decay)
        accuracies, updates = [], 0
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).to(x.device).split(batch_size):
                optimizer.lr = lr * (1 + lr * weight_decay * updates) ** -0.5
                F.cross_entropy(probe(x[batch]), y[batch]).backward()
                optimizer.step()
                updates += 1
            with torch.inference_mode():
                scores = torch.cat([probe(part) for part in x_test.split(ROWS)])
            if not scores.isfinite().all():
                raise ValueError(f"training diverged: set lr below {lr} or standardize=True for these features")
            accuracies.append((scores.argmax(1) == y_test).float().mean().item())
    return Probe(accuracies[-1], max(accuracies))
