"""EDESC, Efficient Deep Embedded Subspace Clustering: Cai, Fan, Guo, Wang, Zhang & Guo, CVPR 2022.

| symbol     | name in code      | shape     | equation                                                             |
|------------|-------------------|-----------|----------------------------------------------------------------------|
| z_i        | u                 | (B, n_z)  | encoder output, not normalized                                       |
| D, D_k     | self.head_.basis  | (n_z, Kd) | bases of K subspaces, block D_k of d columns; n_z = K d              |
| s_ik       | self.head_(u)     | (B, K)    | ∝ ||D_k' z_i||^2 + eta d, rows sum to 1                              |
| s~_ik      | self._target      | (N, K)    | ∝ s_ik^2 / sum_i s_ik, rows sum to 1; all samples, once per epoch    |
| L_rec      | reconstruction    |           | mean squared error                                                   |
| L_sub      | clustering        |           | KL(s~ || s), mean over samples AND clusters                          |
| L_D1, L_D2 | basis             |           | 1e-3 ||D'D ∘ I - I||_F and 1e-3 ||D'D ∘ O||_F, norms, not squared    |

L = L_rec + beta L_sub + L_D1 + L_D2. D starts from the first d left singular vectors of the (uncentered) codes of each
k-means cluster. The label of a sample is the cluster with the largest s.

Source: the released code (JinyuCai95/EDESC-pytorch at 3f755da: EDESC.py, EDESC-MB.py, Constraint.py, InitializeD.py);
the paper was not read. The released code and this implementation:

| released                                               | here                                                       |
|--------------------------------------------------------|------------------------------------------------------------|
| KL averaged over samples and clusters                  | the same; `kl_mean="samples"` is the usual KL, K times it  |
| 200 full-batch steps (EDESC.py), or 100 epochs of      | the latter; the former is `batch_size=len(x), epochs=200`  |
| batches of 256 in the order of the file (EDESC-MB.py)  | `shuffle=True` shuffles                                    |
| prints the best accuracy over epochs and over 10 runs  | the last epoch, without labels; the monitor                |
|                                                        | `dcbook.evaluation.LabelPicked` shows the best for         |
|                                                        | comparison                                                 |
| fails if n_z is not K d                                | any d from 1 to n_z                                        |
| loads "reuters.pkl" for each data set, weights that it | a recipe, trained on the data                              |
| has pretrained in batches of 512 (EDESC.py) or 256     |                                                            |
| k-means from 10 starts                                 | 20 starts, as for the other methods                        |
| Constraint.py needs CUDA                               | any device                                                 |

With the released KL, K = 10 and codes of squared length 27, s is nearly uniform at first (largest entry .12, as
eta d K = 250). Then beta L_sub has little effect, and D may drift before it has. Therefore compare results with
`labels_` after `epochs=0`, the start. On Reuters-10k, 16 runs without a choice by labels had an accuracy of
0.70 ± 0.06, as the README of a fork of the code reports.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.clustering.subspaces import principal_subspaces
from dcbook.models import Subspaces
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import in_batches, stream
from dcbook.training.optimizers import Adam
from dcbook.training.pretraining import Pretraining

DIM = 5
BASIS_WEIGHT = 1e-3
KL_MEANS = ("elements", "samples")


@dataclass(kw_only=True, repr=False, eq=False)
class EDESC(DeepClusterer):
    """Efficient Deep Embedded Subspace Clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : as in `DeepClusterer`; None is `Pretraining(widths=(500, 500, 1000), latent_dim=5 * n_clusters, epochs=50)`.
    d : dimension of a subspace, from 1 to n_z, the dimension of the codes; None is n_z / K, rounded down, and at least
        1 (5 with the default start, as released).
    eta : smoothness of s, above 0 (5).
    beta : weight of the clustering loss, at least 0 (0.1).
    kl_mean : whether KL is averaged over "elements" (samples and clusters), as released, or over "samples", which makes
        it K times as large.
    epochs, lr : passes over the data (100), and the step of Adam for network and D (0.001).
    shuffle : whether batches are shuffled in each epoch; False keeps the order of x, as released.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    head_ : the subspaces, a module with `basis` (n_z, K d); `predict_proba` returns s. `cluster_centers_` are the means
        of the clusters' codes, which are not used in training.
    """

    start: Any = None
    d: int | None = None
    eta: float = 5.0
    beta: float = 0.1
    kl_mean: str = "elements"
    epochs: int = 100
    lr: float = 1e-3
    shuffle: bool = False
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _during_fit = (*DeepClusterer._during_fit, "_target")
    _state = (*DeepClusterer._state, "_target", "head_")

    def _initialize(self, recipe, start) -> None:
        """Set the autoencoder, and D from k-means on its codes."""
        super()._initialize(recipe, start)
        u = self._embed(self._x)
        dim = self.d or max(1, u.shape[1] // self.n_clusters)
        labels = losses.squared_distances(u, self._centers).argmin(1)
        self.head_ = Subspaces(u.shape[1], self.n_clusters, dim, float(self.eta)).to(self._device)
        with torch.no_grad():
            self.head_.basis.copy_(principal_subspaces(u, labels, self.n_clusters, dim))

    def _optimize(self) -> None:
        optimizer = Adam([*self.autoencoder_.train().parameters(), *self.head_.parameters()], self.lr)
        order = stream(self.seed_, "batches")
        self._take_target()
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order):
            total = torch.zeros(3, device=self._x.device)
            for batch in self._batches(order) if self.shuffle else self._batches_in_order():
                parts = self._parts(batch)
                sum(parts).backward()
                optimizer.step()
                total += len(batch) * torch.stack(parts).detach()
            self._take_target()
            reconstruction, clustering, basis = (total / len(self._x)).tolist()
            loss = reconstruction + clustering + basis
            log(loss=loss, reconstruction=reconstruction, clustering=clustering, basis=basis)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """L_rec, and beta L_sub + L_D1 + L_D2 for the current target; {} in pretraining."""
        if not hasattr(self, "head_"):
            return {}
        reconstruction, clustering, basis = self._parts(rows)
        return {"self": reconstruction, "pseudo": clustering + basis}

    def _parts(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """L_rec, beta L_sub and L_D1 + L_D2."""
        x, basis = self._samples(rows), self.head_.basis
        u, x_hat = self._reconstructed(x)
        divergence = losses.kl_divergence(self._target.index_select(0, rows), self.head_(u))
        weight = self.beta / self.n_clusters if self.kl_mean == "elements" else self.beta
        lengths, overlap = losses.column_lengths(basis), losses.subspace_overlap(basis, self.n_clusters)
        return losses.mean_squared_error(x, x_hat), weight * divergence, BASIS_WEIGHT * (lengths + overlap)

    @torch.no_grad()
    def _take_target(self) -> None:
        """Compute the target of the next epoch, and the means of the clusters."""
        u = self._embed(self._x)
        self._target = losses.target_distribution(self.head_(u))
        self._centers = self._cluster_means(u)

    def _batches_in_order(self) -> list[Tensor]:
        return in_batches(torch.arange(len(self._x), device=self._x.device), self.batch_size_)

    def _default_recipe(self) -> Pretraining:
        return Pretraining(widths=(500, 500, 1000), latent_dim=DIM * self.n_clusters, epochs=50)

    def _check_network(self) -> None:
        latent_dim = self._embed(self._x[:1]).shape[1]
        if self.d is not None and not 1 <= self.d <= latent_dim:
            raise ValueError(f"d must be None or from 1 to {latent_dim}, the dimension of the codes, not {self.d}")

    def _check_hyperparameters(self) -> None:
        if self.eta <= 0 or self.beta < 0 or self.lr <= 0 or self.epochs < 0:
            raise ValueError(
                f"eta and lr must be above 0, beta and epochs at least 0, not {self.eta}, {self.lr}, {self.beta}, "
                f"{self.epochs}"
            )
        if self.kl_mean not in KL_MEANS:
            raise ValueError(f"kl_mean must be one of {', '.join(KL_MEANS)}, not {self.kl_mean!r}")
