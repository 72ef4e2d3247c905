"""DCCM, deep comprehensive correlation mining: Wu, Long, Wang, Qian, Li, Lin & Zha, ICCV 2019.

| symbol   | name in code        | shape        | meaning                                                       |
|----------|---------------------|--------------|---------------------------------------------------------------|
| G_ij     | linked              | (B, B) bool  | whether the cosine of the assignments is at least 0.95        |
| y_i, w_i | labels, sure        | (B,)         | argmax of the assignment; whether its maximum is at least 0.9 |
| M        | maps                | (B, c, H, W) | feature maps after the trunk's first pooling                  |
| Y        | scores              | (B, K)       | outputs before the last normalization and softmax             |
| D        | self._discriminator | (c + K) → 1  | 1×1 convolutions: whether map and output are of one image     |

L = 5 L_label + 1 L_graph + 0.05 L_local. Blocks of 1,000 images as in DAC: targets from the images without
augmentation, then several updates. L_local takes as positives each image's own map and that of one linked image, as
negatives maps of two images that are not linked. The other symbols: `dcbook.training.head_clusterer`.

Source: the released code (Cory-M/DCCM: main.py, functions.py, sampling.py, dim_Model.py), from a description; the
paper's text was not at hand. Labels choose the checkpoint there (best NMI), and it is scored before each epoch, so that
the last epoch is never scored; here the last epoch counts. As released, targets come from statistics of the block;
labels come from those of 1,000 images there and from running ones here.

`pairs="released"` has the positives and negatives of sampling.py: the index of a link of an image is taken after the
image's own column has been removed, so for a partner j > i image j - 1 is used (which can be i itself), and without a
link some image of the batch. Which link or image that is, torch's topk leaves open; here it is the first. Negatives are
the first two unlinked images of the batch for every anchor. "linked", the default, is the intended choice: the next
linked image of the shuffled batch, or the image itself if none is linked, and the next two that are not linked. Anchors
with fewer than two of these use those that exist (released: an error).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import NormalizedClassifier
from dcbook.training.head_clusterer import HeadClusterer, statistics_kept
from dcbook.training.inputs import derived_seed, seeded
from dcbook.training.optimizers import RMSProp
from dcbook.training.views import Distortion

VIEW = Distortion()
HIDDEN = 64  # of the cluster head


@dataclass(kw_only=True, repr=False, eq=False)
class DCCM(HeadClusterer):
    """Deep comprehensive correlation mining.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width : of the `dcbook.models.ResNet` with pooling ("resnet-9"), or "dccm", the released network
        (width 64).
    view : the distortions of the release.
    epochs, passes, block : as in `DAC` (200, 20, 1,000).
    lr : of RMSProp (1e-4, as on CIFAR-10; 1e-3 on CIFAR-100); batch_size None is 32.
    link, sure : thresholds of G and w, in [0, 1] (0.95, 0.9).
    label, graph, local : weights of the losses, at least 0 (5, 1, 0.05); 0 removes a loss.
    discriminator : channels of D, at least 1 (512, which takes about twenty times the computing time of a small trunk).
    pairs : "linked" or "released".

    history_ : the loss and its parts, `links`, the share of linked pairs, and `confident`, the share of images with a
        pseudo-label.
    """

    architecture: str = "dccm"
    width: float = 64
    view: Any = VIEW
    epochs: int = 200
    passes: int = 20
    block: int | None = None
    lr: float = 1e-4
    link: float = 0.95
    sure: float = 0.9
    label: float = 5.0
    graph: float = 1.0
    local: float = 0.05
    discriminator: int = 512
    pairs: str = "linked"

    SIZES: ClassVar = {"batch_size": 32, "block": 1000}
    NOTED = ("links", "confident")
    _state = (*HeadClusterer._state, "_discriminator")
    _during_fit = (*HeadClusterer._during_fit, "_discriminator")

    def _optimize(self) -> None:
        self._train_in_blocks(self.autoencoder_, self.head_, self._discriminator)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """As in `HeadClusterer`; the rows are a block of their own."""
        self._look(rows)
        return super().objectives(rows)

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        before = self._before[rows]
        features = losses.label_features(before)
        linked, (largest, labels) = features @ features.T >= self.link, before.max(1)
        linked.fill_diagonal_(True)  # a cosine of 1 may be rounded down
        sure = largest >= self.sure
        maps, h = self._maps_and_codes(self.view(self._samples(rows), noise))
        scores = self.head_.scores(h)
        p = self.head_.top(scores)
        parts = {}
        if self.label:
            parts["label"] = self.label * losses.pseudo_label_loss(p, labels, sure)
        if self.graph:
            parts["graph"] = self.graph * losses.graph_loss(p, linked)
        if self.local:
            parts["local"] = self.local * self._local(maps, scores, linked)
        return parts | {"links": linked.float().mean(), "confident": sure.float().mean()}

    def _maps_and_codes(self, x: Tensor) -> tuple[Tensor | None, Tensor]:
        """Feature maps after the trunk's first pooling (None if the local loss has weight 0), and codes."""
        encoder = self.autoencoder_.encoder
        if not self.local:
            return None, encoder(x)
        first = layers_to_pooling(encoder)
        maps = encoder[:first](x)
        return maps, encoder[first:](maps)

    def _local(self, maps: Tensor, scores: Tensor, linked: Tensor) -> Tensor:
        partner, negatives, there = (as_released if self.pairs == "released" else as_meant)(linked)
        positive = torch.cat([self._judged(maps, scores), self._judged(maps[partner], scores)])
        others = [self._judged(maps[each], scores)[has] for each, has in zip(negatives, there, strict=True)]
        others = torch.cat(others)
        return losses.local_information(positive, others if len(others) else positive.new_full((1,), -torch.inf))

    def _judged(self, maps: Tensor, scores: Tensor) -> Tensor:
        """The discriminator's output (B, 1, H, W) for maps (B, c, H, W) and scores (B, K), at each position."""
        copied = scores[:, :, None, None].expand(-1, -1, *maps.shape[2:])
        return self._discriminator(torch.cat([maps, copied], 1))

    def _optimizer(self, weights):
        return RMSProp(weights, self.lr, decay=0.9, eps=1e-8, keras=True)

    def _fresh_head(self, d: int) -> nn.Module:
        return NormalizedClassifier(d, self.n_clusters, HIDDEN)

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        with torch.no_grad(), statistics_kept(self.autoencoder_):
            maps, _ = self._maps_and_codes(self._x[:2])
        channels = maps.shape[1] if self.local else 0
        with seeded(derived_seed(self.seed_, "discriminator")):
            widths = [channels + self.n_clusters, self.discriminator, self.discriminator, 1]
            layers = [nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(widths)]
            self._discriminator = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        self._discriminator.to(self._device)

    def _check_network(self) -> None:
        if self.local and not layers_to_pooling(self.autoencoder_.encoder):
            raise ValueError(
                'DCCM needs a trunk with max-pooling, such as "resnet-9", for its local loss; or set local=0'
            )

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.block == 1:
            raise ValueError("block must be at least 2: batch normalization needs two images")
        if not (0 <= self.link <= 1 and 0 <= self.sure <= 1):
            raise ValueError(f"link and sure must lie in [0, 1], not {self.link}, {self.sure}")
        if min(self.label, self.graph, self.local) < 0 or not (self.label or self.graph or self.local):
            raise ValueError("the weights label, graph and local must be at least 0, and one of them above 0")
        if self.passes < 1 or self.discriminator < 1 or self.pairs not in ("linked", "released"):
            raise ValueError(
                f'passes and discriminator must be at least 1 and pairs "linked" or "released", not {self.passes}, '
                f"{self.discriminator}, {self.pairs!r}"
            )


def layers_to_pooling(encoder: nn.Module) -> int:
    """The number of layers up to and with the first max-pooling; 0 without one."""
    layers = encoder if isinstance(encoder, nn.Sequential) else ()
    return next((i for i, layer in enumerate(layers, 1) if isinstance(layer, nn.MaxPool2d)), 0)


Pairs = tuple[Tensor, Tensor, Tensor]  # partner (B,), two negatives (2, B), whether they exist (2, B) bool


def as_meant(linked: Tensor) -> Pairs:
    """The next linked image, or the image itself, and the next two unlinked ones, of a graph (B, B) bool.

    "Next" is cyclic in the batch, whose order is random.
    """
    n = len(linked)
    own = torch.arange(n, device=linked.device)
    away = (own - own.unsqueeze(1)) % n  # cyclic distance from row to column; 0 on the diagonal
    partner = torch.where(linked & (away > 0), away, n).min(1)
    partner = torch.where(partner.values < n, partner.indices, own)
    distance, negatives = torch.where(linked, n, away).topk(min(2, n), dim=1, largest=False)
    return partner, negatives.T, n > distance.T


def as_released(linked: Tensor) -> Pairs:
    """The choice of sampling.py, see the module's docstring. `linked` (B, B) bool, each image linked to itself."""
    n = len(linked)
    others = linked[~torch.eye(n, dtype=torch.bool, device=linked.device)].view(n, n - 1)
    partner = others.to(torch.uint8).argmax(1)  # the first link; its index is not corrected for the removed column
    first = torch.where(linked, n, torch.arange(n, device=linked.device))
    place, negatives = first.topk(min(2, n), dim=1, largest=False)
    return partner, negatives.T, n > place.T
