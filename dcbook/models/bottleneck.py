"""DeepCluster's network as the encoder of an autoencoder: one trunk for methods of all kinds."""

from collections import OrderedDict
from math import prod

from torch import Tensor, nn

from dcbook.models.convnet import ConvNet


class BottleneckConvNet(nn.Module):
    """Autoencoder whose encoder is the trunk of a `ConvNet` and a narrow linear layer on top of it.

    With the same seed, the trunk starts from the same weights as the encoder of a `ConvNet` without dropout and Sobel
    filter, and as that of a `ProjectedConvNet`. So methods that start from an autoencoder can be compared with
    DeepCluster and with contrastive methods on one network.

    Parameters
    ----------
    input_shape : (C, H, W), any number of channels.
    architecture : of the `ConvNet`.
    width : factor on its channels, above 0.
    latent_dim : dimension of the latent space.

    `encoder` is `trunk`, images → fc7 (B, 512 in the small networks), then ReLU and `code`, fc7 → latent codes. The
    decoder is a perceptron with one hidden layer as wide as fc7. Raises ValueError where `ConvNet` does. This network
    is the book's own.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        architecture: str = "alexnet-small",
        width: float = 1.0,
        latent_dim: int = 10,
    ):
        super().__init__()
        network = ConvNet(input_shape, architecture, sobel=False, width=width, dropout=0.0)
        self.config = {
            "input_shape": list(input_shape),
            "architecture": architecture,
            "width": width,
            "latent_dim": latent_dim,
        }
        code = nn.Linear(network.hidden, latent_dim)
        self.encoder = nn.Sequential(OrderedDict(trunk=network.encoder, relu=nn.ReLU(), code=code))
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, network.hidden), nn.ReLU(), nn.Linear(network.hidden, prod(input_shape))
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) → latent codes (B, latent_dim) and flat reconstructions (B, C·H·W)."""
        u = self.encoder(x)
        return u, self.decoder(u)
