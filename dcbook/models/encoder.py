"""The encoder of one of the book's autoencoders without the decoder, for pretraining without reconstruction."""

import torch
from torch import Tensor, nn

from dcbook.models.variational import AUTOENCODERS


class Encoder(nn.Module):
    """The `encoder` of an autoencoder, without its decoder.

    Parameters
    ----------
    autoencoder : class of the autoencoder, "FullyConnectedAutoencoder" or "ConvolutionalAutoencoder".
    options : parameters of that class.
    """

    def __init__(self, autoencoder: str, **options):
        super().__init__()
        base = AUTOENCODERS[autoencoder](**options)
        self.config = {"autoencoder": autoencoder, **base.config}
        self.encoder = base.encoder

    @classmethod
    def of(cls, autoencoder: nn.Module) -> "Encoder":
        """Wrap the encoder of one of the book's autoencoders (not a copy of it), without drawing random numbers."""
        with torch.device("meta"):
            new = cls(type(autoencoder).__name__, **autoencoder.config)
        new.encoder = autoencoder.encoder
        return new

    def forward(self, x: Tensor) -> Tensor:
        """Samples (B, *input_shape) → latent codes (B, latent_dim)."""
        return self.encoder(x)
