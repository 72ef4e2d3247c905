"""Neighbors share a cluster, and all clusters are used: SCAN's clustering loss alone (arXiv 2005.12320, section 2.2).

| symbol   | name in code | shape  | meaning                                                                     |
|----------|--------------|--------|-----------------------------------------------------------------------------|
| u_i      | u            | (N, d) | what the network takes: the samples, or codes of `start`, which are fixed   |
| N_i      | neighbors    | (N, n) | the n samples nearest to sample i, by the first `pca_dim` components of u   |
| p_i, p_j | p, q         | (B, K) | assignments of a sample and of one of its neighbors, drawn anew each time   |
| H(p')    | entropy      |        | of the mean assignment p' of a batch, from 0 (one cluster) to ln K (equal)  |
| w        | self.entropy |        | weight of H                                                                 |

The loss of a batch is mean(-ln <p_i, p_j>) - w H(p'). The first term alone is least where all samples have one cluster.
SCAN brings neighbors from a contrastive pretext, strong views, and a phase of self-labeling after this one; here are
none of them, so that the method shows what the two terms do on samples of any kind.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from dcbook import losses
from dcbook.clustering.neighbors import nearest_others
from dcbook.models import Classifier
from dcbook.models.identity import IdentityEncoder
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.start import resolve_start


@dataclass(kw_only=True, repr=False, eq=False)
class NeighborConsistency(DeepClusterer):
    """A perceptron that gives neighbors the same cluster, with a weight on the use of all clusters.

    Parameters
    ----------
    Beside those of `DeepClusterer`:

    start : None: the samples as they are, flattened. Otherwise as everywhere: a recipe or a trained network, whose
        codes take the place of the samples; it needs no decoder, and is left as it is.
    entropy : weight w of the entropy, at least 0 (5, as in SCAN).
    epochs, lr : passes over the data (20) and step of Adam (0.001).
    n_neighbors : n, from 1 to N - 1 (5). SCAN: 20.
    pca_dim : components in which neighbors are found, at least 1, or as many as there are (50).
    width : of the first of two hidden layers, at least 1 (256); the second has twice as many.

    Attributes
    ----------
    Beside those of `DeepClusterer`:

    head_ : the perceptron, u (B, d) → p (B, K), which gives the labels. `cluster_centers_` are the means of u in each
        cluster (of an empty one, the mean of all), and `transform` gives u.
    history_ : an entry an epoch: loss, disagreement (the first term) and entropy (H, in nats), means over the samples.
    """

    start: Any = None
    entropy: float = 5.0
    epochs: int = 20
    lr: float = 1e-3
    n_neighbors: int = 5
    pca_dim: int = 50
    width: int = 256
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _decoder_for = None
    _state = (*DeepClusterer._state, "head_")

    def _optimize(self) -> None:
        u = self._embed(self._x)
        neighbors = self._neighbors(u)
        optimizer = Adam(self.head_.parameters(), self.lr)
        order, draw = stream(self.seed_, "batches"), stream(self.seed_, "partners")
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order, draw=draw):
            totals = torch.zeros(2, device=u.device)
            for batch in self._batches(order):
                which = torch.randint(neighbors.shape[1], (len(batch), 1), generator=draw).to(u.device)
                partners = neighbors[batch].gather(1, which).squeeze(1)
                p, q = self.head_(u[batch]), self.head_(u[partners])
                terms = torch.stack([losses.neighbor_disagreement(p, q), losses.entropy(p.mean(0))])
                (terms[0] - self.entropy * terms[1]).backward()
                optimizer.step()
                totals += len(batch) * terms.detach()
            self._centers = self._cluster_means(u)
            disagreement, spread = (totals / len(u)).tolist()
            log(loss=disagreement - self.entropy * spread, disagreement=disagreement, entropy=spread)

    def _neighbors(self, u: Tensor) -> Tensor:
        """The nearest other samples (N, n) of each, by principal components of u (N, d)."""
        u = u.flatten(1)
        if u.shape[1] > self.pca_dim:
            reduced = PCA(min(self.pca_dim, len(u)), svd_solver="full").fit_transform(u.double().cpu().numpy())
            u = torch.as_tensor(reduced, dtype=u.dtype, device=u.device)
        return nearest_others(u, self.n_neighbors)[1]

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start and replace(start, centers=None))

    def _first_centers(self, restarts: int) -> Tensor:
        """Means of the clusters that a fresh head finds."""
        u = self._embed(self._x)
        with seeded(derived_seed(self.seed_, "head")):
            self.head_ = Classifier(u.shape[1], self.n_clusters, (self.width, 2 * self.width)).to(u.device)
        return self._cluster_means(u)

    def _resolve_start(self, input_shape: tuple[int, ...]):
        start = IdentityEncoder() if self.start is None else self.start
        return resolve_start(start, input_shape, None, self._decoder_for)

    def _check_hyperparameters(self) -> None:
        if min(self.entropy, self.epochs) < 0 or self.lr <= 0 or min(self.pca_dim, self.width) < 1:
            raise ValueError(
                f"entropy and epochs must be at least 0, lr above 0, pca_dim and width at least 1, not "
                f"{self.entropy}, {self.epochs}, {self.lr}, {self.pca_dim}, {self.width}"
            )

    def _check_samples(self, x) -> None:
        if not 1 <= self.n_neighbors < len(x):
            raise ValueError(f"n_neighbors must be from 1 to {len(x) - 1} for {len(x)} samples, not {self.n_neighbors}")
