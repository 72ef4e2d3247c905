"""MoCo, Momentum Contrast: He, Fan, Wu, Xie & Girshick, CVPR 2020, arXiv 1911.05722, Algorithm 1.

| symbol | name in code   | shape    | meaning                                                     |
|--------|----------------|----------|-------------------------------------------------------------|
| f_q    | network        |          | query encoder with its head, trained by gradient            |
| f_k    | key_network    |          | key encoder: theta_k ← m theta_k + (1 - m) theta_q          |
| q, k   | q, k           | (B, d)   | Z space of one view under f_q, of the other one under f_k   |
|        | queue          | (K, d)   | keys of the last batches, newest first; random at the start |

For the other symbols see `dcbook.training.contrastive_learner`. Written after the paper from memory and the released
code (facebookresearch/moco at c567ee4), not checked against the paper's text.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.training.contrastive_learner import ContrastiveLearner
from dcbook.training.inputs import stream


@dataclass(kw_only=True, repr=False, eq=False)
class MoCo(ContrastiveLearner):
    """Momentum Contrast with the projection head of its second version (MoCo v2), then k-means.

    Parameters
    ----------
    In addition to those of `ContrastiveLearner`:

    queue : number of keys that are kept as negatives, at most N, as a longer queue would hold several keys of each
        image; None is 4,096, or N if that is smaller.
    momentum : m of the key encoder, in [0, 1].
    bn_groups : number of parts of a batch that are batch-normalized separately, as if each were on its own GPU. Keys
        are shuffled between the parts ("shuffled BN"), so that common statistics do not reveal a query's key; 1 is the
        released code on a single GPU.

    The defaults are those of the released code for ImageNet (SGD with 0.03 in batches of 256, 200 epochs, 8 GPUs) in
    its second version (cosine schedule, two-layer head, tau 0.2), except for a ResNet-18 instead of a ResNet-50 and a
    queue of 4,096 instead of 65,536, as the data here are smaller, and the views of `SimCLR`, without blur. DCSS does
    not state the version in its Table 5. The features are those of the query encoder; the key encoder and the queue are
    discarded.
    """

    queue: int | None = None
    momentum: float = 0.999
    bn_groups: int = 8
    epochs: int = 200
    lr: float = 0.03
    temperature: float = 0.2
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256, "queue": 4096}

    def _optimize(self) -> None:
        network, key_network = self.autoencoder_, deepcopy(self.autoencoder_).train().requires_grad_(False)
        queue = torch.randn(self.queue_, self.projection_dim, generator=stream(self.seed_, "queue")).to(self._x)
        queue = nn.functional.normalize(queue, dim=1)
        shuffling = stream(self.seed_, "shuffled batch normalization")

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            q = self._in_groups(network, a)
            shuffled = torch.randperm(len(b), generator=shuffling).to(b.device)
            k = torch.empty_like(q)
            k[shuffled] = self._in_groups(key_network, b[shuffled])
            k = nn.functional.normalize(k, dim=1)
            value = losses.info_nce(q, k, queue, self.temperature)
            queue.copy_(torch.cat([k, queue])[: self.queue_])
            return value

        def follow(updates: int, step: float) -> None:
            for slow, fast in zip(key_network.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast.detach(), 1 - self.momentum)

        kept = {"key network": key_network, "queue": queue, "shuffling": shuffling}
        self._train(loss, after_update=follow, kept=kept)

    def _in_groups(self, network: nn.Module, x: Tensor) -> Tensor:
        """Z space of x (B, C, H, W), computed in parts of at least two images, as batch normalization needs."""
        parts = x.tensor_split(max(1, min(self.bn_groups, len(x) // 2)))
        return torch.cat([network(part)[1] for part in parts])

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if not 0 <= self.momentum <= 1 or self.bn_groups < 1:
            raise ValueError(
                f"momentum must lie in [0, 1] and bn_groups be at least 1, not {self.momentum}, {self.bn_groups}"
            )
