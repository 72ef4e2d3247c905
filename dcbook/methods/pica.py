"""PICA, partition confidence maximization: Huang, Gong & Zhu, CVPR 2020.

| symbol | name in code | shape  | meaning                                                                        |
|--------|--------------|--------|--------------------------------------------------------------------------------|
| P      | p            | (B, K) | assignments of the images, each shifted slightly                               |
| Q      | q            | (B, K) | assignments of C perturbed copies of the batch, concatenated                   |
| A      | cosines      | (K, K) | cosines of the columns of P and Q: how many images two clusters share          |
| L_ce   | "confusion"  |        | mean over clusters of -ln softmax(A_k)_k: each cluster differs from the others |
| L_ne   | "balance"    |        | ln K + sum_k m_k ln m_k, m the means of P's columns                            |

L = L_ce + 2 L_ne. A second head with more clusters ("overclusters") is trained by the same loss: each epoch passes over
all data for this head first and then for the head with K clusters; both passes train the trunk. The other symbols:
`dcbook.training.head_clusterer`.

Source: the released code (Raymond-sci/PICA: losses.py:34-43, main.py:131-182, base.yaml), from a description; the
paper's text was not at hand. Labels choose the checkpoint there (best accuracy); here the last epoch counts. Not
followed:

| released                                                | here                                              |
|---------------------------------------------------------|---------------------------------------------------|
| originals: crops of 4/5 of the side, at random in       | originals are shifted by up to 1/8 of the side,   |
| training, in the center in evaluation                   | and used whole in evaluation                      |
| a fixed Sobel filter before the trunk                   | none                                              |
| a ResNet-34 with stem 64, pooling and no average to 1×1 | `dcbook.models.ResNet`                            |
| weights of the linear heads start from N(0, 0.01²)      | from PyTorch's default                            |
| on STL-10 the unlabeled images train the large head     | all samples are treated alike                     |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Classifier
from dcbook.training.augment import Augmentation, ShiftRotation
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import Adam

VIEW = Augmentation(crop=0.2, jitter=0.5, hue=0.4, jittered=1.0)
MOVED = ShiftRotation(shift=0.125, rotation=0.0)


@dataclass(kw_only=True, repr=False, eq=False)
class PICA(HeadClusterer):
    """Partition confidence maximization: the columns of the assignment matrix should differ from one another.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width : of the `dcbook.models.ResNet` (ResNet-34, 64).
    view : of the perturbed copies; by default crops of at least 20 percent of the area, and color jitter of all images.
    original : view of the images themselves; by default a small shift.
    copies : C, perturbed copies of each image in an update, at least 1 (3).
    overclusters : clusters of the second head, at least 0 (70); 0 means no second head.
    balance : weight of L_ne, at least 0 (2). L_ne is the only term that prevents all images from falling into one
        cluster.
    epochs, lr : of Adam (200 epochs, 1e-4, constant); batch_size None is 256.

    history_ : the loss, confusion and balance of the head with K clusters, and `overclusters_loss` of the second head.
        `confidence` is the mean over images of the largest assignment.
    """

    architecture: str = "resnet-34"
    width: float = 64
    view: Any = VIEW
    original: Any = MOVED
    copies: int = 3
    overclusters: int = 70
    balance: float = 2.0
    epochs: int = 200
    lr: float = 1e-4

    NOTED = ("confidence",)
    VIEWS = ("view", "original")

    def _optimize(self) -> None:
        large = self._large_head()
        optimizer = Adam([*self.autoencoder_.parameters(), *self.head_.parameters(), *large.parameters()], self.lr)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        for _, log in self._epochs(
            "clustering", self.epochs, optimizer=optimizer, order=order, noise=noise, large=large
        ):
            noted = {}
            if self.overclusters:
                found = self._pass(lambda rows: self._of_head(large, rows, noise), self._batches(order), optimizer)
                noted = {"overclusters_loss": found["loss"]}
            found = self._pass(lambda rows: self._losses(rows, noise), self._batches(order), optimizer)
            log(**found, **noted)

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        return self._of_head(self.head_, rows, noise)

    def _of_head(self, head: Callable[[Tensor], Tensor], rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        """Losses of a head; originals and copies pass separately, so that batch normalization treats each alone."""
        x, encoder = self._samples(rows), self.autoencoder_.encoder
        p = head(encoder(self.original(x, noise)))
        q = head(encoder(torch.cat([self.view(x, noise) for _ in range(self.copies)])))
        return {
            "confusion": losses.partition_confusion(p.repeat(self.copies, 1), q),
            "balance": self.balance * losses.imbalance(p),
            "confidence": p.amax(1).mean(),
        }

    def _large_head(self) -> nn.Module:
        with seeded(derived_seed(self.seed_, "large head")):
            d = self._embed(self._x[:1]).shape[1]
            return Classifier(d, max(self.overclusters, 1), ()).to(self._device)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.copies < 1 or self.overclusters < 0 or self.balance < 0:
            raise ValueError(
                f"copies must be at least 1, overclusters and balance at least 0, not {self.copies}, "
                f"{self.overclusters}, {self.balance}"
            )
