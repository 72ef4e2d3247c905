"""The autoencoder of DEC and of most later methods: d-500-500-2000-10 and its mirror image."""

from itertools import pairwise
from math import prod

from torch import Tensor, nn


class FullyConnectedAutoencoder(nn.Module):
    """Mirror-symmetric multilayer perceptron with ReLU, linear latent space and linear output.

    Parameters
    ----------
    input_shape : shape of one sample, such as (784,) or (1, 28, 28); it is flattened.
    widths : widths of the encoder's hidden layers; the decoder has them in reverse order.
    latent_dim : dimension d of the latent space.

    Source: Xie et al. 2016 (DEC), section 4.3. Weights and biases have torch's default initialization, uniform in
    ±1/sqrt(fan_in), which the Keras port also uses for the weights.
    """

    def __init__(self, input_shape: tuple[int, ...], widths: tuple[int, ...] = (500, 500, 2000), latent_dim: int = 10):
        super().__init__()
        self.config = {"input_shape": list(input_shape), "widths": list(widths), "latent_dim": latent_dim}
        sizes = [prod(input_shape), *widths, latent_dim]
        self.encoder = nn.Sequential(nn.Flatten(), *perceptron(sizes))
        self.decoder = nn.Sequential(*perceptron(sizes[::-1]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, *input_shape) → latent codes (B, latent_dim) and flat reconstructions (B, prod(input_shape))."""
        u = self.encoder(x)
        return u, self.decoder(u)


def perceptron(sizes: list[int]) -> list[nn.Module]:
    layers = [layer for fan_in, fan_out in pairwise(sizes) for layer in (nn.Linear(fan_in, fan_out), nn.ReLU())]
    return layers[:-1]
