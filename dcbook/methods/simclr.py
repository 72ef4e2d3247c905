"""SimCLR: Chen, Kornblith, Norouzi & Hinton, ICML 2020, arXiv 2002.05709, Algorithm 1. Symbols: `contrastive`.

After the paper as recalled and the released code (google-research/simclr), not checked against the paper's text.
"""

import torch
from torch import Tensor

from dcbook import losses
from dcbook.training.contrastive_learner import ContrastiveLearner


class SimCLR(ContrastiveLearner):
    """A simple framework for contrastive learning of visual representations, then k-means.

    All views of a batch go through the network together, so that batch normalization sees both; the loss is NT-Xent.

    Parameters: see `ContrastiveLearner`. The defaults are the recipe by which SCAN trains SimCLR on CIFAR-10
    (wvangansbeke/Unsupervised-Classification): ResNet-18, 500 epochs of SGD with 0.4 in batches of 512, tau 0.1. The
    authors' own has 1,000 epochs of LARS with tau 0.5; DCSS takes its features from a ResNet-34 and gives no recipe.
    """

    def __init__(
        self,
        n_clusters: int = 10,
        *,
        architecture: str = "resnet-18",
        width: int = 64,
        projection_dim: int = 128,
        epochs: int = 500,
        lr: float = 0.4,
        sgd_momentum: float = 0.9,
        weight_decay: float = 1e-4,
        temperature: float = 0.1,
        crop: float = 0.2,
        flip: bool = True,
        jitter: float = 0.5,
        grayscale: float = 0.2,
        batch_size: int = 512,
        random_state=None,
        device="auto",
        progress="auto",
    ):
        self.n_clusters = n_clusters
        self.architecture = architecture
        self.width = width
        self.projection_dim = projection_dim
        self.epochs = epochs
        self.lr = lr
        self.sgd_momentum = sgd_momentum
        self.weight_decay = weight_decay
        self.temperature = temperature
        self.crop = crop
        self.flip = flip
        self.jitter = jitter
        self.grayscale = grayscale
        self.batch_size = batch_size
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def _optimize(self) -> None:
        network = self.autoencoder_

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            _, z = network(torch.cat([a, b]))
            return losses.nt_xent(*z.chunk(2), self.temperature)

        self._train(loss)
