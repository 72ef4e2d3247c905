"""The convolutional networks that DAC and DCCM release: 3×3 convolutions without padding, pooling, an average.

| architecture | layers (channels at width 64; P is max-pooling, K a 1×1 convolution)  | made for        |
|--------------|-----------------------------------------------------------------------|-----------------|
| "dac"        | 64 64 64 P 128 128 128 P K                                            | 28×28 and 32×32 |
| "dac-v1"     | 64 64 P 128 128 P K                                                   | 32×32           |
| "dac-96"     | 64 64 64 P 128 128 128 P 256 256 256 P K                              | 96×96           |
| "dccm"       | 64 64 P 128 P 256                                                     | 32×32           |

Each convolution has batch normalization and ReLU, each pooling of DAC batch normalization. At the end is an average
over all places (released: over 4×4 of 5×5 in "dac-v1", over all elsewhere). Source: DAC, mnist.py, cifar10_1.py,
cifar10_2.py, stl.py; DCCM, cifar_C4_L2.py; from descriptions."""

import torch
from torch import Tensor, nn

POOL, OUT = "P", "K"
PLANS = {
    "dac": (64, 64, 64, POOL, 128, 128, 128, POOL, OUT),
    "dac-v1": (64, 64, POOL, 128, 128, POOL, OUT),
    "dac-96": (64, 64, 64, POOL, 128, 128, 128, POOL, 256, 256, 256, POOL, OUT),
    "dccm": (64, 64, POOL, 128, POOL, 256),
}


class PlainConvNet(nn.Module):
    """`encoder`, images → codes: K of them, or of as many dimensions as the last convolution has channels ("dccm").

    Parameters
    ----------
    input_shape : (C, H, W), any number of channels.
    architecture : one of the table above.
    width : channels of the first convolution (64); the others scale with it.
    outputs : K, channels of the 1×1 convolution.

    Convolutions start as He et al., ICCV 2015, propose. Raises ValueError for other architectures and widths, vectors,
    volumes and images that are too small.
    """

    def __init__(self, input_shape: tuple[int, ...], architecture: str = "dac", width: float = 64, outputs: int = 10):
        super().__init__()
        if len(input_shape) != 3:
            raise ValueError(f"{architecture} takes images of shape (channels, height, width), not {input_shape}")
        if architecture not in PLANS:
            raise ValueError(f"architecture must be one of {sorted(PLANS)}, not {architecture!r}")
        if not 0 < width < float("inf"):
            raise ValueError(f"width of {architecture} must be above 0, not {width}")
        self.config = {
            "input_shape": list(input_shape),
            "architecture": architecture,
            "width": width,
            "outputs": outputs,
        }
        layers: list[nn.Module] = []
        channels, *sides = input_shape
        for step in PLANS[architecture]:
            if step == POOL:
                layers.append(nn.MaxPool2d(2))
                layers += [nn.BatchNorm2d(channels)] if architecture != "dccm" else []
                sides = [side // 2 for side in sides]
                continue
            size = 1 if step == OUT else 3
            fan_out = outputs if step == OUT else max(1, round(step * width / 64))
            layers += [nn.Conv2d(channels, fan_out, size, bias=False), nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True)]
            channels, sides = fan_out, [side - size + 1 for side in sides]
        if min(sides) < 1:
            size = "×".join(map(str, input_shape[1:]))
            raise ValueError(f"images of {size} pixels are too small for {architecture}")
        self.encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        for layer in layers:
            if isinstance(layer, nn.Conv2d) and not layer.weight.is_meta:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) → codes (B, d)."""
        return self.encoder(x)
