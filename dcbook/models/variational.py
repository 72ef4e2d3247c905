"""A variational autoencoder on the layers of any autoencoder of the book."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dcbook.models.convolutional import ConvolutionalAutoencoder
from dcbook.models.fully_connected import FullyConnectedAutoencoder

AUTOENCODERS = {network.__name__: network for network in (ConvolutionalAutoencoder, FullyConnectedAutoencoder)}


class VariationalAutoencoder(nn.Module):
    """q(z | x) is a Gaussian with diagonal covariance; `encoder` gives its mean, so it serves as an autoencoder too.

    Parameters
    ----------
    autoencoder : class whose layers it has, "FullyConnectedAutoencoder" or "ConvolutionalAutoencoder".
    bernoulli : pixels are probabilities, and the decoder ends with a sigmoid; if not, it is that of the autoencoder.
    options : parameters of that class.

    A second head, beside the last layer of the encoder, gives the log variances, as in the released code of VaDE. It
    begins at zero for every x.
    """

    def __init__(self, autoencoder: str, bernoulli: bool = True, **options):
        super().__init__()
        base = AUTOENCODERS[autoencoder](**options)
        self.config = {"autoencoder": autoencoder, "bernoulli": bernoulli, **base.config}
        self.encoder = base.encoder
        self.decoder = nn.Sequential(*base.decoder, nn.Sigmoid()) if bernoulli else base.decoder
        self.log_variance = nn.Linear(self.encoder[-1].in_features, self.encoder[-1].out_features)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.zeros_(self.log_variance.bias)

    @classmethod
    def of(cls, autoencoder: nn.Module, bernoulli: bool = True) -> "VariationalAutoencoder":
        """One that begins with the trained weights of `autoencoder`, whose reconstructions are pixels.

        Sigmoids want logits, so the last layer is moved to 4 (x̂ - 1/2), the tangent of the logit at 1/2. Raises
        TypeError for networks that are not the book's.
        """
        name = type(autoencoder).__name__
        if AUTOENCODERS.get(name) is not type(autoencoder):
            raise TypeError(f"a variational autoencoder starts from one of {sorted(AUTOENCODERS)}, not from a {name}")
        new = cls(name, bernoulli, **autoencoder.config)
        new.encoder.load_state_dict(autoencoder.encoder.state_dict())
        new.decoder.load_state_dict(autoencoder.decoder.state_dict())
        if bernoulli:
            with torch.no_grad():
                last = new.decoder[-2]
                last.weight.mul_(4)
                last.bias.sub_(0.5).mul_(4)
        return new

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, *input_shape) → means (B, latent_dim) and their reconstructions, as an autoencoder does."""
        u = self.encoder(x)
        return u, self.decoder(u)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, *input_shape) → mean and log variance of q(z | x), both (B, latent_dim)."""
        *body, mean = self.encoder
        h = _through(body, x)
        return mean(h), self.log_variance(h)

    def decode(self, z: Tensor) -> Tensor:
        """Latent codes (B, latent_dim) → logits of the pixels where they are Bernoulli, else the pixels."""
        layers = list(self.decoder)
        return _through(layers[:-1] if self.config["bernoulli"] else layers, z)


def _through(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x
