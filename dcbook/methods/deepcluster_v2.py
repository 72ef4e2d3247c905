"""DeepCluster-v2: Caron et al., NeurIPS 2020, arXiv 2006.09882; its code is main_deepclusterv2.py of SwAV's release.

| symbol | name in code | shape     | meaning                                                                          |
|--------|--------------|-----------|----------------------------------------------------------------------------------|
| z      | z            | (2B, d)   | Z space of the two views of each image, scaled to length 1                       |
|        | bank         | (2, N, d) | z of both views of all images, as the epoch before left them                     |
| C      | prototypes   | (heads, K, d) | centers of the bank, K = `prototypes` in each head, fixed during an epoch    |
| y_n    | labels       | (heads, N) | pseudo-labels: the cluster of image n, for each head                            |

The other symbols: `contrastive`. After the released code (facebookresearch/swav); the paper as recalled.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dcbook.clustering.assignment import assign
from dcbook.clustering.refine import random_points, refine
from dcbook.methods.deepcluster import stability
from dcbook.training.augment import Augmentation
from dcbook.training.contrastive_learner import ContrastiveLearner
from dcbook.training.deep_clusterer import EVALUATION_BATCH
from dcbook.training.inputs import check_batch_size, stream


@dataclass(kw_only=True, repr=False, eq=False)
class DeepClusterV2(ContrastiveLearner):
    """Cluster what the last epoch left in a memory bank, learn to tell the clusters, and again. Then k-means.

    Against `DeepCluster`, no epoch begins with a pass over all images and with a classifier that knows nothing: the
    features come from the epoch before, and the centers are the classifier.

    Parameters
    ----------
    Beside those of `ContrastiveLearner`:

    n_clusters : K of the k-means on H space after training, as in `SimCLR`; the prototypes play no part in it.
    prototypes : clusters in each head, from 1 to N. Released: 3,000 for ImageNet.
    heads : clusterings at a time, at least 1, whose losses are averaged; released: 3. They differ in the points that
        k-means starts from, and by turns cluster the one and the other view.
    passes : iterations of spherical k-means, at least 1, from random points of the bank. Empty clusters stay empty.

    Attributes
    ----------
    After `fit`, beside those of `ContrastiveLearner`:

    prototypes_ : (heads, prototypes, projection_dim) float32, of length 1: the centers of the last epoch.
    history_ : an entry an epoch, means over the heads: loss; clusters, the number that live; largest, the share of the
        largest one; stability, the NMI (geometric mean) with the epoch before.

    What was not followed: the first bank is filled in evaluation mode (released: with statistics of the batch). There
    are two views and no small crops beside them, as images of 32×32 and less leave little to cut from. Views, schedule
    and step are those of `SimCLR`, for comparison; released are LARC with a warm-up, a ResNet-50 and blur. Several
    processes can't share the work.
    """

    prototypes: int = 300
    heads: int = 3
    passes: int = 10

    _phase = "clustering and training"
    _head_batch_norm = True

    def _optimize(self) -> None:
        network, prototypes = self.autoencoder_, self._prototypes
        bank = self._first_bank()
        labels = torch.zeros(self.heads, len(self._x), dtype=torch.int64, device=self._x.device)

        def cluster() -> dict[str, float]:
            before = labels.clone() if self.history_ else [None] * self.heads
            found = []
            for head in range(self.heads):
                generator = stream(self.seed_, f"k-means of epoch {len(self.history_)}, head {head}")
                prototypes[head], labels[head] = self._kmeans_on(bank[head % 2], generator)
                found.append(_said_of(before[head], labels[head]))
            return {name: sum(of_head[name] for of_head in found) / self.heads for name in found[0]}

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            _, z = network(torch.cat([a, b]))
            z = nn.functional.normalize(z, dim=1)
            bank[:, rows] = z.detach().view(2, len(rows), -1)
            total = 0.0
            for centers, y in zip(prototypes, labels[:, rows], strict=True):
                total = total + nn.functional.cross_entropy(z @ centers.T / self.temperature, y.repeat(2))
            return total / self.heads

        kept = {"bank": bank, "prototypes": prototypes, "labels": labels}
        self._train(loss, before_epoch=cluster, kept=kept)

    def _kmeans_on(self, z: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Centers (K, d) of z (N, d), both of length 1, and the nearest one of each row, (N,)."""
        start = random_points(z, self.prototypes, len(z), generator)
        centers = refine(z, start, max_passes=self.passes, repair=False, spherical=True).centers
        return centers, assign(z, centers)[0]

    @torch.no_grad()
    def _first_bank(self) -> Tensor:
        """z (2, N, d) of two views of all images under the network as it is, in evaluation mode."""
        network, noise = self.autoencoder_.eval(), stream(self.seed_, "views of the first bank")
        view = Augmentation(self.crop, self.flip, self.jitter, self.grayscale)
        bank = self._x.new_empty(2, len(self._x), self.projection_dim)
        for of_view in bank:
            for rows, x in zip(of_view.split(EVALUATION_BATCH), self._x.split(EVALUATION_BATCH), strict=True):
                rows.copy_(nn.functional.normalize(network(view(x, noise))[1], dim=1))
        return bank

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        self._prototypes = torch.zeros(self.heads, self.prototypes, self.projection_dim, device=self._device)

    def _complete(self) -> None:
        self.prototypes_ = self._prototypes.cpu().numpy()
        del self._prototypes
        super()._complete()

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.heads < 1 or self.passes < 1:
            raise ValueError(f"heads and passes must be at least 1, not {self.heads}, {self.passes}")

    def _check_samples(self, x) -> None:
        super()._check_samples(x)
        check_batch_size(self.prototypes, len(x), "prototypes")


def _said_of(before: Tensor | None, labels: Tensor) -> dict[str, float]:
    """What the history keeps of a head's clusters."""
    sizes = torch.bincount(labels)
    said = {"clusters": int((sizes > 0).sum()), "largest": float(sizes.max() / len(labels))}
    return said if before is None else said | {"stability": stability(before, labels)}
