"""IMSAT's network: a multilayer perceptron with batch normalization."""

from itertools import pairwise
from math import prod

from torch import Tensor, nn

from dcbook.models.rescaled import Rescaled


class NormalizedPerceptron(nn.Module):
    """`encoder`: samples → widths, each layer with batch normalization and ReLU, after they are rescaled.

    Parameters
    ----------
    input_shape : shape of one sample; it is flattened.
    widths : of the layers (1200, 1200).

    Source: IMSAT (weihua916/imsat, imsat_cluster.py:84-104). Weights start normal with deviation
    sqrt(0.1 / fan_in), see `dcbook.methods.imsat`, biases at 0.
    """

    def __init__(self, input_shape: tuple[int, ...], widths: tuple[int, ...] = (1200, 1200)):
        super().__init__()
        self.config = {"input_shape": list(input_shape), "widths": list(widths)}
        layers = [nn.Flatten(), Rescaled()]
        for fan_in, width in pairwise([prod(input_shape), *widths]):
            linear = nn.Linear(fan_in, width)
            if not linear.weight.is_meta:
                nn.init.normal_(linear.weight, std=(0.1 / fan_in) ** 0.5)
                nn.init.zeros_(linear.bias)
            layers += [linear, nn.BatchNorm1d(width, eps=2e-5), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)

    @property
    def rescaled(self) -> Rescaled:
        """What samples, flattened, go through first."""
        return self.encoder[1]

    def forward(self, x: Tensor) -> Tensor:
        """Samples (B, *input_shape) → codes (B, widths[-1])."""
        return self.encoder(x)
