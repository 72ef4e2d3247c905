"""A variational autoencoder with the layers of one of the book's autoencoders."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dcbook.models.convolutional import ConvolutionalAutoencoder
from dcbook.models.fully_connected import FullyConnectedAutoencoder

AUTOENCODERS = {network.__name__: network for network in (ConvolutionalAutoencoder, FullyConnectedAutoencoder)}


class VariationalAutoencoder(nn.Module):
    """q(z | x) is a diagonal Gaussian; `encoder` gives its mean, so the network can also be used as an autoencoder.

    Parameters
    ----------
    autoencoder : class of the autoencoder, "FullyConnectedAutoencoder" or "ConvolutionalAutoencoder".
    bernoulli : whether pixels are Bernoulli probabilities, from a final sigmoid added to the decoder.
    options : parameters of that class.

    A second head, parallel to the last layer of the encoder, gives the log variances, as in the released code of VaDE.
    Its initial output is zero for every x.
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
        """A variational autoencoder with the weights of a trained `autoencoder`, whose reconstructions are pixels.

        With `bernoulli`, the last layer is changed to 4 (x̂ - 1/2), the tangent of the logit at 1/2, because sigmoids
        take logits. Raises TypeError for networks that are not one of the book's autoencoders.
        """
        check_known(autoencoder)
        new = cls(type(autoencoder).__name__, bernoulli, **autoencoder.config)
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
        """Latent codes (B, latent_dim) → logits of the pixels with `bernoulli`, otherwise the pixels."""
        layers = list(self.decoder)
        return _through(layers[:-1] if self.config["bernoulli"] else layers, z)


def check_known(autoencoder: nn.Module) -> None:
    """Raise TypeError unless the network is one of the book's autoencoders."""
    name = type(autoencoder).__name__
    if AUTOENCODERS.get(name) is not type(autoencoder):
        raise TypeError(f"a variational autoencoder starts from one of {sorted(AUTOENCODERS)}, not from a {name}")


def _through(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x
