"""The first layer of networks that bring their input to a common scale."""

import torch
from torch import Tensor, nn


class Rescaled(nn.Module):
    """(x - shift) / scale, with buffers `shift` and `scale` of a given shape, 0 and 1 until they are set."""

    def __init__(self, *shape: int):
        super().__init__()
        self.register_buffer("shift", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    @torch.no_grad()
    def to_unit_range(self, x: Tensor) -> None:
        """From now on, the least value of samples x (N, …) becomes -1 and the largest 1; equal values become 0."""
        low, high = x.min(), x.max()
        self.shift.copy_((low + high) / 2)
        self.scale.copy_(torch.where(high > low, (high - low) / 2, 1))

    @torch.no_grad()
    def to_unit_deviation(self, x: Tensor) -> None:
        """From now on, each feature of x (N, d) has mean 0 and, where it varies, deviation 1."""
        spread = x.std(0)
        self.shift.copy_(x.mean(0))
        self.scale.copy_(torch.where(spread > 0, spread, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale
