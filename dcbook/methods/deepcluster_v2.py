"""DeepCluster-v2: Caron et al., NeurIPS 2020, arXiv 2006.09882; released as main_deepclusterv2.py with SwAV.

| symbol | name in code | shape     | meaning                                                                          |
|--------|--------------|-----------|----------------------------------------------------------------------------------|
| z      | z            | (2B, d)   | Z space of the two views of each image, scaled to length 1                       |
|        | bank         | (2, N, d) | z of both views of all images from the previous epoch                            |
| C      | prototypes   | (heads, K, d) | centers of the bank, K = `prototypes` in each head, fixed during an epoch    |
| y_n    | labels       | (heads, N) | pseudo-labels: the cluster of image n, for each head                            |

For the other symbols see `dcbook.training.contrastive_learner`. Written after the released code (facebookresearch/swav)
and the paper from memory.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dcbook.clustering.assignment import assign
from dcbook.clustering.refine import random_points, refine
from dcbook.training.assignments import EVALUATION_BATCH
from dcbook.training.augment import Augmentation
from dcbook.training.contrastive_learner import ContrastiveLearner
from dcbook.training.inputs import check_batch_size, stream
from dcbook.training.passing_targets import PassingTargets, stability


@dataclass(kw_only=True, repr=False, eq=False)
class DeepClusterV2(PassingTargets, ContrastiveLearner):
    """DeepCluster-v2: alternate between clustering a memory bank and learning to classify the clusters; then k-means.

    Unlike in `DeepCluster`, an epoch does not begin with a pass over all images and a randomly initialized classifier:
    the features come from the previous epoch, and the centers are the classifier.

    Parameters
    ----------
    In addition to those of `ContrastiveLearner`:

    n_clusters : K of the k-means on H space after training, as in `SimCLR`; independent of the prototypes.
    prototypes : number of clusters in each head, from 1 to N. Released: 3,000 for ImageNet.
    heads : number of simultaneous clusterings, at least 1, whose losses are averaged; released: 3. They differ in the
        random starts of k-means, and alternate between the two views.
    passes : iterations of spherical k-means, at least 1, from random points of the bank. Empty clusters stay empty.

    Attributes
    ----------
    After `fit`, in addition to those of `ContrastiveLearner`:

    prototypes_ : (heads, prototypes, projection_dim) float32, of length 1: the centers of the last epoch.
    history_ : one entry per epoch, means over the heads: loss; clusters, the number of non-empty clusters; largest, the
        share of the largest cluster; stability_of_heads, the NMI (geometric mean) with the previous epoch.

    Differences from the released code: the first bank is computed in evaluation mode (released: with batch statistics).
    There are two views without additional small crops, because images of 32×32 and less are too small for them. Views,
    schedule and step are those of `SimCLR`, for comparison; the released code uses LARC with a warm-up, a ResNet-50 and
    blur. Several processes cannot share the work.
    """

    prototypes: int = 300
    heads: int = 3
    passes: int = 10

    _phase = "clustering and training"
    _head_batch_norm = True
    _state = (*ContrastiveLearner._state, *PassingTargets._seconds)
    _during_fit = (*ContrastiveLearner._during_fit, "_pseudo_labels")

    @property
    def targets(self) -> Tensor:
        """The clusters (N,) of the epoch in the first head."""
        return self._pseudo_labels[0]

    def _optimize(self) -> None:
        network, prototypes = self.autoencoder_, self._prototypes
        with self._making_targets():
            bank = self._first_bank()
        labels = torch.zeros(self.heads, len(self._x), dtype=torch.int64, device=self._x.device)
        self._pseudo_labels = labels

        def cluster() -> dict[str, float]:
            before = labels.clone() if self.history_ else [None] * self.heads
            found = []
            for head in range(self.heads):
                generator = stream(self.seed_, f"k-means of epoch {len(self.history_)}, head {head}")
                with self._making_targets(), self._clustering():
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
        """Centers (K, d) of z (N, d), both of length 1, and the index (N,) of the nearest center of each row."""
        start = random_points(z, self.prototypes, len(z), generator)
        centers = refine(z, start, max_passes=self.passes, repair=False, spherical=True).centers
        return centers, assign(z, centers, device=z.device)[0]

    @torch.no_grad()
    def _first_bank(self) -> Tensor:
        """z (2, N, d) of two views of all images from the current network, in evaluation mode."""
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
    """Numbers for the history about the clusters of a head."""
    sizes = torch.bincount(labels)
    said = {"clusters": int((sizes > 0).sum()), "largest": float(sizes.max() / len(labels))}
    return said if before is None else said | {"stability_of_heads": stability(before, labels)}
