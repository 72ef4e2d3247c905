"""DCN, Deep Clustering Network: Yang, Fu, Sidiropoulos & Hong, ICML 2017, arXiv 1610.04794.

| symbol | name in code      | shape  | meaning                                                        |
|--------|-------------------|--------|----------------------------------------------------------------|
| f(x_i) | u                 | (B, d) | encoder output                                                 |
| M      | self._centers     | (K, d) | running means of the codes, not trained by gradient            |
| s_i    | self._assigned    | (N,)   | cluster of each sample when its batch was last seen            |
| c_k    | counts            | (K,)   | number of assignments to cluster k; its step size is 1/c_k     |
| lambda | lam               |        | weight of the k-means term                                     |

For each batch, the network is updated once with M and s fixed, then the batch's samples are assigned to the nearest
centers, and then these centers move. Written after the paper from memory, not checked against its text; the order and
the counts agree with the released code.

The released code (boyangumn/DCN) weights the other term: ||f(x_i) - M s_i||^2 + lbd ||x_i - x̂_i||^2 with lbd 0.05 on
raw MNIST, which is lambda = 40, in a batch-normalized latent space of 50 dimensions. Its counts are integers under
Python 2, where 1/c is 0, so according to the code (read, not run) its centers never move: `initial_count=float("inf")`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream
from dcbook.training.optimizers import Adam


@dataclass(kw_only=True, repr=False, eq=False)
class DCN(DeepClusterer):
    """Deep Clustering Network.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    lam : lambda, at least 0, in ||x_i - x̂_i||^2 + (lambda/2) ||f(x_i) - M s_i||^2, summed over pixels and dimensions.
    epochs : passes over the data (50).
    lr : step of Adam (0.001).
    initial_count : initial count c_k of each center (100 in the released code), at least 0.

    The defaults are those of the comparison by DKM's authors (MaziarMF/deep-k-means, dcn.py, compgraph.py): weight 1 on
    the k-means term, which is lambda = 2, Adam, batches of 256, and the network of DEC; they pretrain for 50 epochs,
    our default start for 100. DCN's own code uses SGD with Nesterov's momentum, batch normalization and batches of 128.
    """

    start: Any = None
    lam: float = 2.0
    epochs: int = 50
    lr: float = 1e-3
    initial_count: float = 100.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _during_fit = (*DeepClusterer._during_fit, "_assigned")
    _state = (*DeepClusterer._state, "_assigned")

    def _check_hyperparameters(self) -> None:
        if self.lam < 0 or self.epochs < 0 or self.lr <= 0 or self.initial_count < 0:
            raise ValueError(
                f"lam, epochs and initial_count must be at least 0 and lr above 0, not {self.lam}, {self.epochs}, "
                f"{self.initial_count}, {self.lr}"
            )

    def _optimize(self) -> None:
        autoencoder = self.autoencoder_.train()
        optimizer = Adam(autoencoder.parameters(), self.lr)
        order = stream(self.seed_, "batches")
        self._assigned = self._assign(self._embed(self._x)).clone()
        counts = torch.full((self.n_clusters,), float(self.initial_count), device=self._x.device)
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order, counts=counts):
            total = torch.zeros(2, device=self._x.device)
            for batch in self._batches(order):
                reconstruction, clustering = self._errors(batch)
                losses.dcn_loss(reconstruction, clustering, self.lam).backward()
                optimizer.step()
                total += len(batch) * torch.stack([reconstruction, clustering]).detach()
                u = self._embed(self._x.index_select(0, batch))
                self._assigned[batch] = labels = self._assign(u)
                self._centers, counts[:] = losses.running_means(self._centers, counts, u, labels)
            reconstruction, clustering = (total / len(self._x)).tolist()
            loss = losses.dcn_loss(reconstruction, clustering, self.lam)
            log(loss=loss, reconstruction=reconstruction, clustering=clustering)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """||x_i - x̂_i||^2 and (lambda / 2) ||f(x_i) - M s_i||^2."""
        reconstruction, clustering = self._errors(rows)
        return {"self": reconstruction, "pseudo": self.lam / 2 * clustering}

    def _errors(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        x = self._samples(rows)
        u, x_hat = self._reconstructed(x)
        own = self._centers.index_select(0, self._assigned[rows])
        return losses.squared_error(x, x_hat), losses.squared_error(u, own)
