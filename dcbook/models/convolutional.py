"""The convolutional autoencoder that DCSS's authors released for MNIST, extended to square images of other sizes."""

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """Residual block 1×1 → 3×3 → 1×1 with batch normalization; keeps the shape (B, channels, H, W)."""

    def __init__(self, channels: int, inner: int = 64):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, padding=1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(x + self.block(x))


class ConvolutionalAutoencoder(nn.Module):
    """Encoder with three strided convolutions and three bottlenecks, decoder with three transposed convolutions.

    Parameters
    ----------
    input_shape : (C, H, H); H a multiple of 4, at least 12 (16, 28 and 32 among them), any number of channels C.
    latent_dim : dimension d of the latent space (10 in the released code).

    Raises ValueError for any other shape.

    Source: Armanfard-Lab/DCSS, Network.py:85-169. The released class also builds three decoder bottlenecks that its
    forward never calls; they are left out. Only the output padding of the first transposed convolution depends on
    the size: 0 if H/4 is odd (28, as released), 1 if it is even (16, 32).
    """

    def __init__(self, input_shape: tuple[int, ...], latent_dim: int = 10):
        super().__init__()
        if len(input_shape) != 3 or input_shape[1] != input_shape[2] or input_shape[1] % 4 or input_shape[1] < 12:
            raise ValueError(
                f"the convolutional autoencoder takes images of shape (channels, side, side) with a side that is a "
                f"multiple of 4 and at least 12, not {tuple(input_shape)}; the fully connected one takes any shape"
            )
        self.config = {"input_shape": list(input_shape), "latent_dim": latent_dim}
        channels, side = input_shape[:2]
        quarter = side // 4
        small = (quarter - 3) // 2 + 1
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            Bottleneck(32),
            nn.Conv2d(32, 64, 5, stride=2, padding=2),
            nn.ReLU(),
            Bottleneck(64),
            nn.Conv2d(64, 128, 3, stride=2),
            nn.ReLU(),
            Bottleneck(128),
            nn.Flatten(),
            nn.Linear(128 * small**2, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 128 * small**2),
            nn.ReLU(),
            nn.Unflatten(1, (128, small, small)),
            nn.ConvTranspose2d(128, 64, 3, stride=2, output_padding=1 - quarter % 2),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 5, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, channels, 4, stride=2, padding=2),
        )
        self.apply(_xavier)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, H) → latent codes (B, latent_dim) and reconstructions (B, C, H, H)."""
        u = self.encoder(x)
        return u, self.decoder(u)


def _xavier(module: nn.Module) -> None:
    """Initialization of train.py:27-37; transposed convolutions keep torch's default."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
