"""DKM, Deep k-Means: Moradi Fard, Thonet & Gaussier, Pattern Recognition Letters 2020, arXiv 1806.10069.

| symbol | name in code      | shape  | meaning                                                             |
|--------|-------------------|--------|---------------------------------------------------------------------|
| h(x_i) | u                 | (B, d) | encoder output                                                      |
| r_k    | self._centers     | (K, d) | representatives, trained together with the network                  |
| alpha  | alpha             |        | inverse temperature of the softmax that replaces the nearest center |
| lambda | lam               |        | weight of the k-means term                                          |

L = mean_i ||x_i - x̂_i||^2 + lambda mean_i sum_k softmax_k(-alpha d_ik) d_ik, d_ik = ||h(x_i) - r_k||^2, minimized by
gradient descent over all parameters. Facts come from the released code (MaziarMF/deep-k-means: compgraph.py, dkm.py);
the paper is followed from memory, not checked against its text.

Not followed: batches drawn independently from all data (here each epoch uses every sample once), labels from the
distances computed during the last epoch (here from the final network), one state of Adam for pretraining and
clustering, TensorFlow's initialization, and the choice of lambda by the accuracy on labeled validation samples.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream
from dcbook.training.optimizers import Adam
from dcbook.training.pretraining import Pretraining
from dcbook.training.start import Start
from dcbook.training.variants import with_fixed

N_ALPHAS = 40


@dataclass(kw_only=True, repr=False, eq=False)
class DKM(DeepClusterer):
    """Deep k-Means: DKM-p, from a pretrained autoencoder and its k-means centers, or annealed, see `DKM_a`.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    lam : lambda, at least 0 (1).
    alpha : inverse temperature, above 0 (1000).
    annealing : whether alpha increases from 0.1 through the 40 values of `annealed_alphas`, each for an equal share of
        the epochs, from random centers, uniform in [-1, 1]; `alpha` and the centers of `start` are then not used.
    epochs : passes over the data (100; annealing takes 200, 5 for each of 40 values of alpha).
    lr : step of Adam (0.001).

    The released code pretrains for 50 epochs, our default start has 100.

    `predict_proba` returns the softmax at the last alpha. Both errors are sums, so lambda = 1 has more weight on small
    images than on MNIST. Annealing needs many updates (55,000 in the paper's epochs on MNIST): with few updates, most
    random centers stay far from the codes, and their clusters stay empty. history_ has the loss, its terms, of which
    `clustering` is without lambda, and `alpha`.
    """

    start: Any = None
    lam: float = 1.0
    alpha: float = 1000.0
    annealing: bool = False
    epochs: int = 100
    lr: float = 1e-3
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _during_fit = (*DeepClusterer._during_fit, "_epoch_alpha")

    def _check_hyperparameters(self) -> None:
        if self.lam < 0 or self.epochs < 0 or self.lr <= 0 or self.alpha <= 0:
            raise ValueError(
                f"lam and epochs must be at least 0, lr and alpha above 0, not {self.lam}, {self.epochs}, {self.lr}, "
                f"{self.alpha}"
            )

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, Start(start.autoencoder) if start and self.annealing else start)

    def _first_centers(self, restarts: int) -> Tensor:
        if not self.annealing:
            return super()._first_centers(restarts)
        latent_dim = self._embed(self._x[:1]).shape[1]
        uniform = torch.rand(self.n_clusters, latent_dim, generator=stream(self.seed_, "centers"))
        return (2 * uniform - 1).to(self._x)

    def _optimize(self) -> None:
        autoencoder = self.autoencoder_.train()
        self._centers = nn.Parameter(self._centers)
        optimizer = Adam([*autoencoder.parameters(), self._centers], self.lr)
        order = stream(self.seed_, "batches")
        alphas = self._alphas
        for epoch, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order):
            self._epoch_alpha = alphas[epoch * len(alphas) // self.epochs]
            total = torch.zeros(2, device=self._x.device)
            for batch in self._batches(order):
                reconstruction, clustering = self._errors(batch)
                (reconstruction + self.lam * clustering).backward()
                optimizer.step()
                total += len(batch) * torch.stack([reconstruction, clustering]).detach()
            reconstruction, clustering = (total / len(self._x)).tolist()
            loss = reconstruction + self.lam * clustering
            log(loss=loss, reconstruction=reconstruction, clustering=clustering, alpha=self._epoch_alpha)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The two terms of L at the current alpha."""
        reconstruction, clustering = self._errors(rows)
        return {"self": reconstruction, "pseudo": self.lam * clustering}

    def _errors(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        x = self._samples(rows)
        u, x_hat = self._reconstructed(x)
        return losses.squared_error(x, x_hat), losses.soft_kmeans(u, self._centers, self._epoch_alpha)

    @property
    def _alphas(self) -> list[float]:
        return annealed_alphas() if self.annealing else [float(self.alpha)]

    def _soft_assignments(self, u: Tensor) -> Tensor:
        return torch.softmax(-self._alphas[-1] * losses.squared_distances(u, self._centers), 1)


def annealed_alphas(n: int = N_ALPHAS) -> list[float]:
    """The values alpha_1 = 0.1, alpha_{i+1} = alpha_i 2^(1 / log(i + 1)^2), i < n (dkm.py:49-79)."""
    alphas = [0.1]
    for i in range(1, n):
        alphas.append(alphas[-1] * 2 ** (1 / math.log(i + 1) ** 2))
    return alphas


def DKM_a(n_clusters: int = 10, *, start=None, epochs: int = 200, **parameters) -> DKM:
    """DKM-a, the paper's annealed form: a `DKM` from random centers and, unless `start` is given, a new network."""
    start = Pretraining(epochs=0) if start is None else start
    given = {"n_clusters": n_clusters, "start": start, "epochs": epochs, **parameters}
    return with_fixed(DKM, "DKM_a", {"annealing": True}, **given)
