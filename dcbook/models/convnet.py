"""AlexNet and VGG-16 as in DeepCluster, with batch normalization and a fixed Sobel filter, and small versions of them.

| architecture    | convolutions (channels × width)                     | pooling  | made for |
|-----------------|-----------------------------------------------------|----------|----------|
| "alexnet"       | 96 (11×11, stride 4), 256 (5×5), 384, 384, 256      | 3, by 2  | 224×224  |
| "vgg-16"        | 2 of 64, 2 of 128, 3 of 256, 3 of 512, 3 of 512     | 2, by 2  | 224×224  |
| "alexnet-small" | 24, 64, 96, 96, 64                                  | 2, by 2  | 28 to 96 |
| "vgg-small"     | 2 of 16, 2 of 32, 3 of 64, 3 of 128, 3 of 128       | 2, by 2  | 28 to 96 |

Convolutions are 3×3 unless stated otherwise. The small networks have a quarter of the channels, no stride, and no
pooling that would leave maps smaller than 3×3.

Source: Caron et al., ECCV 2018, as released (facebookresearch/deepcluster at 2d1927e, models/alexnet.py and vgg16.py).
"""

from collections import OrderedDict
from itertools import chain

import torch
from torch import Tensor, nn

POOL = "pool"


def _vgg(first: int) -> tuple:
    blocks = zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3), strict=True)
    return tuple(chain.from_iterable([*[(first * factor, 3, 1)] * repeats, POOL] for factor, repeats in blocks))


# channels, kernel, stride; padding keeps the size, except in AlexNet's first convolution
PLANS = {
    "alexnet": ((96, 11, 4), POOL, (256, 5, 1), POOL, (384, 3, 1), (384, 3, 1), (256, 3, 1), POOL),
    "alexnet-small": ((24, 3, 1), POOL, (64, 3, 1), POOL, (96, 3, 1), (96, 3, 1), (64, 3, 1), POOL),
    "vgg-16": _vgg(64),
    "vgg-small": _vgg(16),
}
HIDDEN = {"alexnet": 4096, "alexnet-small": 512, "vgg-16": 4096, "vgg-small": 512}
LEAST = 3  # smallest side, in pixels, of a map after pooling in the small networks


class Sobel(nn.Module):
    """Fixed horizontal and vertical derivatives of the gray value: (B, C, H, W) → (B, 2, H, W).

    Source: models/alexnet.py:35-51. The C channels have equal weights; images are padded with zeros.
    """

    def __init__(self):
        super().__init__()
        across = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
        down = [list(column) for column in zip(*across, strict=True)]
        self.register_buffer("kernels", torch.tensor([[across], [down]]))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x.mean(1, keepdim=True), self.kernels, padding=1)


class ConvNet(nn.Module):
    """`encoder`, images → features before the last ReLU (fc7), and `head`, features → K scores.

    Parameters
    ----------
    input_shape : (C, H, W), any number of channels.
    architecture : see the table above.
    n_clusters : K, the number of outputs of `head`; `renew_head` replaces the head.
    sobel : whether the convolutions get derivatives of the gray value instead of colors.
    hidden : dimension of fc6 and of fc7, the features; None: 4,096, or 512 in the small networks.
    width : factor on the channels of the table, above 0.
    dropout : share of the inputs of fc6 and fc7 dropped in training, in [0, 1).

    Raises ValueError for vectors, volumes, other architectures, images too small for the architecture, and values out
    of range.

    Convolutions are initialized with N(0, 2 / (k² channels out)) and linear layers with N(0, 0.01²), as released. In
    layers narrower than 4,096 the standard deviation is larger by √(4,096 / hidden), because the initial scores of a
    small network would otherwise be close to 0. Images are in [0, 1]; the first batch normalization has nearly the same
    effect as normalizing by ImageNet's mean and standard deviation.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        architecture: str = "alexnet-small",
        n_clusters: int = 10,
        sobel: bool = True,
        hidden: int | None = None,
        width: float = 1.0,
        dropout: float = 0.5,
    ):
        super().__init__()
        if architecture not in PLANS:
            raise ValueError(f"architecture must be one of {sorted(PLANS)}, not {architecture!r}")
        if len(input_shape) != 3:
            raise ValueError(
                f"{architecture} takes images of shape (channels, height, width), not {tuple(input_shape)}"
            )
        if not width > 0 or (hidden is not None and hidden < 1) or not 0 <= dropout < 1:
            raise ValueError(
                f"width must be above 0, hidden at least 1 and dropout in [0, 1), not {width}, {hidden} and {dropout}"
            )
        self.config = {
            "input_shape": list(input_shape),
            "architecture": architecture,
            "n_clusters": n_clusters,
            "sobel": sobel,
            "hidden": hidden,
            "width": width,
            "dropout": dropout,
        }
        self.hidden = hidden or HIDDEN[architecture]
        convolutions, fan_in = _convolutions(input_shape, architecture, sobel, width)
        self.encoder = nn.Sequential(
            OrderedDict(
                convolutions=convolutions,
                flat=nn.Flatten(),
                drop6=nn.Dropout(dropout),
                fc6=nn.Linear(fan_in, self.hidden),
                relu6=nn.ReLU(inplace=True),
                drop7=nn.Dropout(dropout),
                fc7=nn.Linear(self.hidden, self.hidden),
            )
        )
        self.apply(self._initialize)
        self.to(memory_format=torch.channels_last)
        self.renew_head()

    @property
    def layers(self) -> dict[str, nn.Module]:
        """The convolutions with batch normalization and ReLU, "conv1", "conv2", …, for probes and pictures."""
        return {name: m for name, m in self.encoder.convolutions.named_children() if name.startswith("conv")}

    @property
    def pixel_filters(self) -> Tensor:
        """Filters of the first convolution on the pixels, without border effects: (n, C, k, k), k + 2 after Sobel."""
        weights = self.layers["conv1"][0].weight.detach()
        channels = self.config["input_shape"][0]
        if not self.config["sobel"]:
            return weights
        both = nn.functional.conv_transpose2d(weights, self.encoder.convolutions.sobel.kernels) / channels
        return both.expand(-1, channels, -1, -1)

    def renew_head(self, n_clusters: int | None = None) -> None:
        """Replace the head by ReLU and a newly initialized linear layer to `n_clusters`; None keeps their number."""
        self.config["n_clusters"] = n_clusters or self.config["n_clusters"]
        device = self.encoder.fc7.weight.device
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(self.hidden, self.config["n_clusters"], device=device))
        self._initialize(self.head[1])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) → features (B, hidden) and scores (B, K)."""
        u = self.encoder(x)
        return u, self.head(u)

    def _initialize(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.is_meta:
            return  # nothing to draw, and torch would import its compiler, which takes three seconds
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=(2 / (module.out_channels * module.weight[0, 0].numel())) ** 0.5)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01 * (4096 / self.hidden) ** 0.5)
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.zeros_(module.bias)


def _convolutions(
    input_shape: tuple[int, ...], architecture: str, sobel: bool, width: float
) -> tuple[nn.Sequential, int]:
    """The convolutions of an architecture and the number of values in their output for one image."""
    small, window = architecture.endswith("small"), 3 if architecture == "alexnet" else 2
    channels, *sides = input_shape
    layers = OrderedDict(sobel=Sobel()) if sobel else OrderedDict()
    channels = 2 if sobel else channels
    for step in PLANS[architecture]:
        n = sum(name.startswith("conv") for name in layers)
        if step == POOL:
            pooled = [(side - window) // 2 + 1 for side in sides]
            if small and min(pooled) < LEAST:
                continue
            layers[f"pool{n}"], sides = nn.MaxPool2d(window, 2), pooled
        else:
            fan_out, kernel, stride = round(step[0] * width) or 1, *step[1:]
            padding = 2 if stride > 1 else kernel // 2
            layers[f"conv{n + 1}"] = nn.Sequential(
                nn.Conv2d(channels, fan_out, kernel, stride, padding), nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True)
            )
            channels, sides = fan_out, [(side + 2 * padding - kernel) // stride + 1 for side in sides]
        if min(sides) < 1:
            raise ValueError(
                f"images of shape {tuple(input_shape)} are too small for {architecture}; take a small architecture"
            )
    return nn.Sequential(layers), channels * sides[0] * sides[1]
