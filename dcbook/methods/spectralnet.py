"""SpectralNet: Shaham, Stanton, Li, Nadler, Basri & Kluger, ICLR 2018, arXiv 1801.01587.

| symbol | name in code        | shape     | meaning                                                                   |
|--------|---------------------|-----------|---------------------------------------------------------------------------|
| u_i    | u                   | (N, d)    | codes of an autoencoder, which is kept fixed                              |
|        | siamese             | → (B, 10) | a network that maps neighbors close together and other pairs far apart    |
| W      | affinity            | (m, m)    | of a batch: a Gaussian kernel between neighbors, by the siamese outputs   |
| y_i    | head.coordinates(u) | (m, K)    | spectral coordinates, orthonormal over a batch: Y'Y = m I                 |

The siamese network learns a similarity. Then the spectral network minimizes sum_ij W_ij ||y_i - y_j||^2 / (2m) batch by
batch. Before each step its outputs are made orthonormal on another batch, by Y = Q R and y R^-1 sqrt(m); without this,
mapping all samples to one point would minimize the loss. The gradient passes through R, as in the released code. With R
as a constant it would only shrink the outputs, until rounding errors decide. Clusters come from k-means on the
coordinates. With orthonormal coordinates, the least loss is the sum of the K smallest eigenvalues of the Laplacian.

Source: the released code (shaham-lab/SpectralNet, in PyTorch); the paper from memory, not checked against its text.
As there, the scale of the kernel is that of the neighbor, and the pairs of the siamese network are drawn once. Not
followed:

| released                                            | here                                                       |
|-----------------------------------------------------|------------------------------------------------------------|
| a tenth of the samples is held out; the step falls  | training on all samples with a constant step               |
| when the loss on them does not                      |                                                            |
| 10 coordinates for any K                            | K coordinates                                              |
| autoencoder d-512-512-2048-10 for 40 epochs         | that of `start`; None is d-500-500-2000-10 for 40 epochs   |
| autoencoder and siamese network are options         | used by default                                            |
| weights of earlier runs are loaded if they exist    | never                                                      |
| final coordinates are orthonormal over the last     | orthonormal over all samples after each epoch, as with few |
| batch before the last step                          | updates the former are far from orthonormal                |
| a new k-means at each `predict`                     | the centers of `fit`                                       |
| `fit` takes labels and passes them on, unused       | no labels                                                  |

On codes of the 1,797 digits, with a width of 256 and batches of 600, the accuracy was 0.84 after 150 updates; k-means
of the exact eigenvectors reaches 0.87, and k-means of the codes 0.79. With R as a constant it was 0.49. The 30 epochs
on MNIST make 2,070 updates.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.clustering import kmeans
from dcbook.clustering.neighbors import nearest_others
from dcbook.models import SpectralMap
from dcbook.models.fully_connected import perceptron
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import batches, derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.pretraining import Pretraining

SIAMESE_DIM = 10
SIAMESE_BATCH = 128
PAIRS = 2  # number of pairs of each kind per sample
RESTARTS = 10


@dataclass(kw_only=True, repr=False, eq=False)
class SpectralNet(DeepClusterer):
    """SpectralNet.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : as in `DeepClusterer`; None is `Pretraining(epochs=40)`. It needs no decoder.
    siamese_epochs : epochs of the siamese network (30); with 0, affinities are computed from the codes.
    epochs : epochs of the spectral network (30).
    n_neighbors : number of neighbors in the batch to which a point has an affinity, at least 1 (30).
    width : width of both networks' first two layers, at least 2; the third has half of it (1024).
    lr : step of Adam for both networks (0.001).
    batch_size : batch size of the spectral network; None is 1024, or all samples if there are fewer.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    head_ : the spectral network, a `SpectralMap` with `coordinates`. `cluster_centers_` are the means of the clusters'
        codes, and `transform` returns codes.
    """

    start: Any = None
    siamese_epochs: int = 30
    epochs: int = 30
    n_neighbors: int = 30
    width: int = 1024
    lr: float = 1e-3
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 1024}
    _decoder_for = None

    def _optimize(self) -> None:
        u = self._embed(self._x)
        siamese, head = self._networks(u.shape[1])
        self._learn_neighbors(siamese, u)
        optimizer, order = Adam(head.layers.parameters(), self.lr), stream(self.seed_, "batches")
        loop = {"siamese": siamese, "head": head, "optimizer": optimizer, "order": order}
        for epoch, log in self._epochs("clustering", self.epochs, **loop):
            total = torch.zeros((), device=u.device)
            for batch, other in zip(self._batches(order), self._batches(order), strict=True):
                with torch.no_grad():
                    near = siamese(u[batch]) if self.siamese_epochs else u[batch]
                    affinity = losses.gaussian_affinity(near, self.n_neighbors)
                y = head.layers(u[batch]) @ losses.orthonormalizer(head.layers(u[other]))
                loss = losses.spectral_loss(affinity, y)
                loss.backward()
                optimizer.step()
                total += len(batch) * loss.detach()
            self._find_clusters(head, u, epoch)
            log(loss=total.item() / len(u))
        self.head_ = head
        if not self.epochs:
            self._find_clusters(head, u, 0)

    def _learn_neighbors(self, siamese: nn.Module, u: Tensor) -> None:
        """Train the siamese network on codes u (N, d), each paired with its nearest codes and as many others."""
        draw = stream(self.seed_, "pairs")
        first, second, similar = neighbor_pairs(u, PAIRS, draw)
        size = min(SIAMESE_BATCH, len(first))
        optimizer = Adam(siamese.parameters(), self.lr)
        for _, log in self._epochs("siamese", self.siamese_epochs, siamese=siamese, optimizer=optimizer, draw=draw):
            total = torch.zeros((), device=u.device)
            for batch in batches(len(first), size, draw, u.device):
                a, b = siamese(u[first[batch]]), siamese(u[second[batch]])
                loss = losses.pair_loss(a, b, similar[batch])
                loss.backward()
                optimizer.step()
                total += len(batch) * loss.detach()
            log(loss=total.item() / len(first))

    @torch.no_grad()
    def _find_clusters(self, head: SpectralMap, u: Tensor, epoch: int) -> None:
        """Make the coordinates of all samples orthonormal, and cluster them by k-means."""
        head.matrix.copy_(losses.orthonormalizer(head.layers(u)))
        y = head.coordinates(u)
        draw = stream(self.seed_, f"k-means {epoch}")
        head.centers.copy_(kmeans(y, self.n_clusters, n_init=RESTARTS, random_state=draw, device=y.device).centers)
        self.head_ = head
        self._centers = self._cluster_means(u)

    def _networks(self, latent_dim: int) -> tuple[nn.Module, SpectralMap]:
        with seeded(derived_seed(self.seed_, "networks")):
            half = max(1, self.width // 2)
            siamese = nn.Sequential(*perceptron([latent_dim, self.width, self.width, half, SIAMESE_DIM]), nn.ReLU())
            head = SpectralMap(latent_dim, self.n_clusters, self.width)
        return siamese.to(self._device), head.to(self._device)

    def _default_recipe(self) -> Pretraining:
        return Pretraining(epochs=40)

    def _check_hyperparameters(self) -> None:
        if min(self.siamese_epochs, self.epochs) < 0 or self.n_neighbors < 1 or self.width < 2 or self.lr <= 0:
            raise ValueError(
                f"siamese_epochs and epochs must be at least 0, n_neighbors at least 1, width at least 2 and lr above "
                f"0, not {self.siamese_epochs}, {self.epochs}, {self.n_neighbors}, {self.width}, {self.lr}"
            )


def neighbor_pairs(u: Tensor, n: int, draw: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of rows of codes u (N, d): each row with its `n` nearest rows, and with up to `n` random other rows.

    Returns the first and second rows (P,), int64, and whether they are neighbors (P,). Random pairs of neighbors are
    left out.
    """
    _, near = nearest_others(u, n)
    rows = torch.arange(len(u), device=u.device).unsqueeze(1)
    away = (rows + 1 + torch.randint(len(u) - 1, (len(u), n), generator=draw).to(u.device)) % len(u)
    kept = (away.unsqueeze(2) != near.unsqueeze(1)).all(2)
    first = torch.cat([rows.expand_as(near).flatten(), rows.expand_as(away)[kept]])
    second = torch.cat([near.flatten(), away[kept]])
    return first, second, torch.arange(len(first), device=u.device) < near.numel()
