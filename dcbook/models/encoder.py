"""The encoder of an autoencoder of the book, alone: for pretrainings that reconstruct nothing."""

import torch
from torch import Tensor, nn

from dcbook.models.variational import AUTOENCODERS


class Encoder(nn.Module):
    """The `encoder` of an autoencoder of that class, and no decoder.

    Parameters
    ----------
    autoencoder : class whose layers it has, "FullyConnectedAutoencoder" or "ConvolutionalAutoencoder".
    options : parameters of that class.
    """

    def __init__(self, autoencoder: str, **options):
        super().__init__()
        base = AUTOENCODERS[autoencoder](**options)
        self.config = {"autoencoder": autoencoder, **base.config}
        self.encoder = base.encoder

    @classmethod
    def of(cls, autoencoder: nn.Module) -> "Encoder":
        """That of an autoencoder of the book: the same module, no copy; draws no random number."""
        with torch.device("meta"):
            new = cls(type(autoencoder).__name__, **autoencoder.config)
        new.encoder = autoencoder.encoder
        return new

    def forward(self, x: Tensor) -> Tensor:
        """Samples (B, *input_shape) → latent codes (B, latent_dim)."""
        return self.encoder(x)
