"""CC, Contrastive Clustering: Li, Hu, Liu, Peng, Zhou & Peng, AAAI 2021, arXiv 2009.09687.

| symbol   | name in code      | shape  | meaning                                                                    |
|----------|-------------------|--------|----------------------------------------------------------------------------|
| h_a, h_b | h_a, h_b          | (B, d) | codes of two views of the same images                                      |
| z_a, z_b | network.head(h_a) | (B, p) | instance head g_I: rows are images                                         |
| c_a, c_b | p, q              | (B, K) | cluster head g_C: rows are soft labels, columns stand for clusters         |
| L_ins    | "instance"        |        | NT-Xent of the 2B rows of z, tau_I = 0.5                                   |
| L_clu    | "cluster"         |        | NT-Xent of the 2K columns of c, tau_C = 1                                  |
| L_ne     | "balance"         |        | sum over both views of ln K + sum_k m_k ln m_k, m the means of the columns |

L = L_ins + L_clu + L_ne. The other symbols: `dcbook.training.head_clusterer`.

Source: the released code (Yunfan-Li/Contrastive-Clustering: contrastive_loss.py:26-92, train.py:47-88), from a
description; the paper's text was not at hand. Not followed: images are enlarged to 224 pixels and enter a ResNet-34
with a 7×7 stem; here they keep their size and enter a 3×3 stem. There, the last batch of an epoch is dropped; here it
is used. On STL-10, each of their epochs begins with L_ins alone on the 100,000 unlabeled images; here all samples are
treated alike. On STL-10 and the ImageNet subsets, their color jitter has strength 1 (on CIFAR and Tiny ImageNet 0.5, as
in the default `view`), and on the ImageNet subsets images are blurred, which no view here does.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Classifier
from dcbook.training.augment import Augmentation
from dcbook.training.head_clusterer import HeadClusterer

VIEW = Augmentation()


@dataclass(kw_only=True, repr=False, eq=False)
class CC(HeadClusterer):
    """Contrastive clustering: one head contrasts images (rows), another head contrasts clusters (columns).

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width, projection_dim : of the `dcbook.models.ResNet` (ResNet-34, 64, 128).
    view : by default that of SimCLR, with crops of at least 8 percent of the area, as released.
    epochs, lr : of Adam (1,000 epochs, 3e-4, constant); batch_size None is 256.
    temperature, cluster_temperature : tau_I and tau_C, above 0 (0.5, 1).
    instance, cluster, balance : weights of the three losses, at least 0 (1 each); 0 removes a loss.
    """

    architecture: str = "resnet-34"
    width: float = 64
    projection_dim: int = 128
    view: Any = VIEW
    epochs: int = 1000
    lr: float = 3e-4
    temperature: float = 0.5
    cluster_temperature: float = 1.0
    instance: float = 1.0
    cluster: float = 1.0
    balance: float = 1.0

    OF_SAMPLES = ("instance",)

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        x, network = self._samples(rows), self.autoencoder_
        h_a, h_b = (network.encoder(self.view(x, noise)) for _ in range(2))
        p, q = self.head_(h_a), self.head_(h_b)
        parts = {}
        if self.instance:
            parts["instance"] = self.instance * losses.nt_xent(network.head(h_a), network.head(h_b), self.temperature)
        if self.cluster:
            parts["cluster"] = self.cluster * losses.cluster_contrast(p, q, self.cluster_temperature)
        if self.balance:
            parts["balance"] = self.balance * (losses.imbalance(p) + losses.imbalance(q))
        return parts

    def _check_network(self) -> None:
        if self.instance and not hasattr(self.autoencoder_, "head"):
            raise ValueError("the start has no instance head, which CC needs: give SimCLR's, or set instance=0")

    def _fresh_head(self, d: int) -> nn.Module:
        return Classifier(d, self.n_clusters, (d,))

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if min(self.temperature, self.cluster_temperature) <= 0 or min(self.instance, self.cluster, self.balance) < 0:
            raise ValueError("temperatures must be above 0 and the weights instance, cluster and balance at least 0")
        if self.projection_dim < 1:
            raise ValueError(f"projection_dim must be at least 1, not {self.projection_dim}")
        if not (self.instance or self.cluster or self.balance):
            raise ValueError("one of the weights instance, cluster and balance must be above 0")
