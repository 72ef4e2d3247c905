"""ResNet-18 and ResNet-34 for small images, and a ResNet-9 for one core, with the head of contrastive learning."""

from itertools import pairwise

import torch
from torch import Tensor, nn

DEPTHS = {"resnet-18": (2, 2, 2, 2), "resnet-34": (3, 4, 6, 3)}
ARCHITECTURES = (*DEPTHS, "resnet-9")


class Shortcut(nn.Conv2d):
    """A 1×1 convolution with a stride, made of the pixels that the stride keeps: the same numbers.

    On CPUs with AVX2 and no AVX-512, oneDNN's own gradient of it writes past its memory and ends the process where the
    channels are last and fewer than eight (torch 2.13).
    """

    def forward(self, x: Tensor) -> Tensor:
        step = self.stride[0]
        return nn.functional.conv2d(x[:, :, ::step, ::step], self.weight)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch normalization beside a shortcut: (B, fan_in, H, W) → (B, width, H/s, W/s).

    Source: He et al., CVPR 2016, Fig. 2. Where the shape changes, the shortcut is a 1×1 convolution (their option B).
    """

    def __init__(self, fan_in: int, width: int, stride: int = 1):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(fan_in, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or fan_in != width:
            self.shortcut = nn.Sequential(Shortcut(fan_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.block(x) + self.shortcut(x))


def convolution(fan_in: int, width: int) -> nn.Sequential:
    """A 3×3 convolution with batch normalization and ReLU: (B, fan_in, H, W) → (B, width, H, W)."""
    layers = nn.Conv2d(fan_in, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    return nn.Sequential(*layers)


class Residual(nn.Sequential):
    """Its layers beside the identity: (B, width, H, W) → the same shape."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class ResNet(nn.Module):
    """`encoder`, images → H space, and `head`, H space → Z space.

    Parameters
    ----------
    input_shape : (C, H, W), any number of channels and any size; made for about 32×32.
    architecture : "resnet-18", "resnet-34" or "resnet-9".
    width : channels of the first stage (64); H space has 8 times as many dimensions, 512.
    projection_dim : dimension of Z space (128); None: there is no head, and Z space is H space.
    head_batch_norm : whether the head normalizes W1 h by batch before its ReLU, as released with SwAV.

    Raises ValueError for vectors, volumes, other architectures and other widths.

    The stem is a 3×3 convolution of stride 1 without max-pooling, as SimCLR has it for CIFAR-10 (Chen et al., ICML
    2020, appendix B.9). H space is the output of global average pooling, as in DCSS (section 4.8.2), and the head is
    W2 ReLU(W1 h) with W1 square (SimCLR, section 2.1). Convolutions start as He et al., ICCV 2015, propose, the rest
    from torch's default. At width 64, `torchvision.models.resnet18` is the same network but for its stem.

    "resnet-9" is convolution w, convolution 2w, pooling, residual pair 2w, convolution 4w, pooling, convolution 8w,
    pooling, residual pair 8w, average: the layout known from fast training on CIFAR-10 (DAWNBench), as recalled. All
    convolutions are 3×3; poolings take the maximum of 2×2, and of what is left at an odd border. At width 8, forward
    and backward take half the time of ResNet-18's at the same dimension of H space (one core, 28×28 and 32×32).
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        architecture: str = "resnet-18",
        width: int = 64,
        projection_dim: int | None = 128,
        head_batch_norm: bool = False,
    ):
        super().__init__()
        if len(input_shape) != 3:
            raise ValueError(f"a ResNet takes images of shape (channels, height, width), not {tuple(input_shape)}")
        if architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {sorted(ARCHITECTURES)}, not {architecture!r}")
        if width < 1 or width % 1:
            raise ValueError(f"width of a {architecture} must be a whole number of at least 1, not {width}")
        width = int(width)
        self.config = {
            "input_shape": list(input_shape),
            "architecture": architecture,
            "width": width,
            "projection_dim": projection_dim,
            "head_batch_norm": head_batch_norm,
        }
        layers = _nine if architecture == "resnet-9" else _stages
        stages = layers(input_shape[0], width, architecture)
        self.encoder = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Identity() if projection_dim is None else _head(8 * width, projection_dim, head_batch_norm)
        self.apply(_he)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) → h (B, 8 width) and z (B, projection_dim), which is not normalized yet."""
        h = self.encoder(x)
        return h, self.head(h)


def _stages(channels: int, width: int, architecture: str) -> list[nn.Module]:
    """Stem and four stages of residual blocks, each but the first with half the resolution of the one before."""
    widths = [width, width, 2 * width, 4 * width, 8 * width]
    stages = []
    for stage, (fan_in, fan_out) in enumerate(pairwise(widths)):
        first = BasicBlock(fan_in, fan_out, stride=2 if stage else 1)
        rest = [BasicBlock(fan_out, fan_out) for _ in range(DEPTHS[architecture][stage] - 1)]
        stages.append(nn.Sequential(first, *rest))
    return [*convolution(channels, width), *stages]


def _nine(channels: int, w: int, architecture: str) -> list[nn.Module]:
    """Eight convolutions; the ninth layer is the head."""
    return [
        convolution(channels, w),
        convolution(w, 2 * w),
        nn.MaxPool2d(2, ceil_mode=True),
        Residual(convolution(2 * w, 2 * w), convolution(2 * w, 2 * w)),
        convolution(2 * w, 4 * w),
        nn.MaxPool2d(2, ceil_mode=True),
        convolution(4 * w, 8 * w),
        nn.MaxPool2d(2, ceil_mode=True),
        Residual(convolution(8 * w, 8 * w), convolution(8 * w, 8 * w)),
    ]


def _head(fan_in: int, projection_dim: int, batch_norm: bool) -> nn.Sequential:
    norm = [nn.BatchNorm1d(fan_in)] if batch_norm else []
    return nn.Sequential(nn.Linear(fan_in, fan_in), *norm, nn.ReLU(inplace=True), nn.Linear(fan_in, projection_dim))


def _he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
