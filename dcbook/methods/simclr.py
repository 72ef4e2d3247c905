"""SimCLR: Chen, Kornblith, Norouzi & Hinton, ICML 2020, arXiv 2002.05709, Algorithm 1.

For the symbols see `dcbook.training.contrastive_learner`. Written after the paper from memory and the released code
(google-research/simclr), not checked against the paper's text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook import losses
from dcbook.losses.contrastive import ANCHORS
from dcbook.training.contrastive_learner import ContrastiveLearner


@dataclass(kw_only=True, repr=False, eq=False)
class SimCLR(ContrastiveLearner):
    """A simple framework for contrastive learning of visual representations (SimCLR), then k-means.

    Both views of a batch pass through the network together, so batch normalization uses statistics of both; the loss is
    NT-Xent.

    Parameters
    ----------
    In addition to those of `ContrastiveLearner`:

    anchors : "both", the mean of the loss over all 2B views, as in the paper; or "first", over the first views alone,
        as in SCAN's released code; see `dcbook.losses.nt_xent`.

    The defaults are SCAN's recipe for SimCLR on CIFAR-10 (wvangansbeke/Unsupervised-Classification), ResNet-18, 500
    epochs of SGD with 0.4 in batches of 512, tau 0.1, except that there the anchors are the first views alone, and the
    step changes after each epoch and falls to 0.0004; here after each update and to 0. The authors' own recipe has
    1,000 epochs of LARS with tau 0.5; DCSS uses features of a ResNet-34 and states no recipe.
    """

    anchors: str = "both"

    def _optimize(self) -> None:
        network = self.autoencoder_

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            _, z = network(torch.cat([a, b]))
            return losses.nt_xent(*z.chunk(2), self.temperature, anchors=self.anchors)

        self._train(loss)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.anchors not in ANCHORS:
            raise ValueError(f"anchors must be one of {', '.join(ANCHORS)}, not {self.anchors!r}")
