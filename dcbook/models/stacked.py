"""Several perceptrons of the same shape, computed together."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class StackedPerceptrons(nn.Module):
    """`n` multilayer perceptrons with ReLU and a linear output; the i-th is applied to the i-th batch.

    Parameters
    ----------
    n : number of perceptrons; they share no weights.
    sizes : input, hidden and output dimensions of each perceptron, at least two numbers.

    Weights and biases have torch's default initialization, uniform in ±1/sqrt(fan_in).
    """

    def __init__(self, n: int, sizes: tuple[int, ...]):
        super().__init__()
        self.config = {"n": n, "sizes": list(sizes)}
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in pairwise(sizes):
            bound = fan_in**-0.5
            self.weights.append(nn.Parameter(torch.empty(n, fan_in, fan_out).uniform_(-bound, bound)))
            self.biases.append(nn.Parameter(torch.empty(n, 1, fan_out).uniform_(-bound, bound)))

    def forward(self, x: Tensor) -> Tensor:
        """Batches (n, B, sizes[0]) → outputs (n, B, sizes[-1])."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.baddbmm(bias, x, weight).relu()
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])
