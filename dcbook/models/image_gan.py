"""The networks of GANMM for images of 28×28 pixels, as released for MNIST (nets/mnist), and networks side by side."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

SIDE = 28
HALVES = {"kernel_size": 5, "stride": 2, "padding": 2}
DOUBLES = HALVES | {"output_padding": 1}


class SideBySide(nn.Module):
    """Networks of the same kind; the i-th is applied to the i-th batch."""

    def __init__(self, networks: Iterable[nn.Module]):
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> Tensor:
        """Batches (n, B, …) → outputs (n, B, …)."""
        return torch.stack([network(batch) for network, batch in zip(self.networks, x, strict=True)])


def image_generator(noise: int, width: int) -> nn.Sequential:
    """Noise (B, noise) → images (B, 784) in [0, 1]: 4×4 → 8×8, cut to 7×7 → 14×14 → 28×28; released with width 64."""
    return nn.Sequential(
        nn.Linear(noise, 4 * width * 16),
        nn.BatchNorm1d(4 * width * 16),
        nn.ReLU(),
        nn.Unflatten(1, (4 * width, 4, 4)),
        nn.ConvTranspose2d(4 * width, 2 * width, **DOUBLES),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ZeroPad2d((0, -1, 0, -1)),  # the crop
        nn.ConvTranspose2d(2 * width, width, **DOUBLES),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 1, **DOUBLES),
        nn.Sigmoid(),
        nn.Flatten(),
    )


def image_critic(width: int) -> nn.Sequential:
    """Images (B, 784) → scores (B, 1): three convolutions that halve the sides; released with width 64."""
    return nn.Sequential(
        nn.Unflatten(1, (1, SIDE, SIDE)),
        nn.Conv2d(1, width, **HALVES),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, **HALVES),
        nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 4 * width, **HALVES),
        nn.BatchNorm2d(4 * width),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(4 * width * 16, 1),
    )


class ImageClassifier(nn.Module):
    """Images (B, 784) → probabilities (B, K): two convolutions that halve the sides, one layer, softmax.

    n_clusters : K. width : channels of the first convolution (64 as released). Pixels are taken as they are.
    """

    def __init__(self, n_clusters: int, width: int = 64):
        super().__init__()
        self.config = {"n_clusters": n_clusters, "width": width}
        self.layers = nn.Sequential(
            nn.Unflatten(1, (1, SIDE, SIDE)),
            nn.Conv2d(1, width, **HALVES),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, **HALVES),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 49, n_clusters),
            nn.Softmax(dim=1),
        )

    def standardized(self, u: Tensor) -> Tensor:
        """The pixels as they are."""
        return u

    def forward(self, u: Tensor) -> Tensor:
        """Images (B, 784) → probabilities p (B, K), rows sum to 1."""
        return self.layers(u)
