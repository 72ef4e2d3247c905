"""SimCLR: Chen, Kornblith, Norouzi & Hinton, ICML 2020, arXiv 2002.05709, Algorithm 1. Symbols: `contrastive`.

Written after the paper from memory and the released code (google-research/simclr), not checked against the paper's
text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcbook import losses
from dcbook.training.contrastive_learner import ContrastiveLearner


@dataclass(kw_only=True, repr=False, eq=False)
class SimCLR(ContrastiveLearner):
    """A simple framework for contrastive learning of visual representations (SimCLR), then k-means.

    Both views of a batch pass through the network together, so batch normalization uses statistics of both; the loss is
    NT-Xent.

    Parameters: see `ContrastiveLearner`. The defaults are SCAN's recipe for SimCLR on CIFAR-10
    (wvangansbeke/Unsupervised-Classification): ResNet-18, 500 epochs of SGD with 0.4 in batches of 512, tau 0.1. The
    authors' own recipe has 1,000 epochs of LARS with tau 0.5; DCSS uses features of a ResNet-34 and states no recipe.
    """

    def _optimize(self) -> None:
        network = self.autoencoder_

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            _, z = network(torch.cat([a, b]))
            return losses.nt_xent(*z.chunk(2), self.temperature)

        self._train(loss)
