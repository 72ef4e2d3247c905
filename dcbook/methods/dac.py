"""DAC, deep adaptive image clustering: Chang, Wang, Meng, Xiang & Pan, ICCV 2017.

| symbol | name in code      | shape  | meaning                                                     |
|--------|-------------------|--------|-------------------------------------------------------------|
| l_i    | label_features(p) | (B, K) | label feature: the softmax output, scaled to length 1       |
| s_ij   | s                 | (B, B) | l_i · l_j, from 0 to 1                                      |
| s⁰_ij  | before            | (B, B) | s for the unaugmented images at the beginning of their block |
| r_ij   | same, decided     | (B, B) | 1 if s⁰ > u, 0 if s⁰ < l; otherwise the pair is left out     |
| u, l   | `_thresholds`     |        | move linearly from `upper` and `lower` to `meet`            |

When the thresholds meet, every pair is used. Loss: the mean over decided pairs of -r ln s - (1 - r) ln(1 - s). The data
come in blocks of 1,000; targets are computed once for a block, which is then trained on several times. The other
symbols: `dcbook.training.head_clusterer`.

Source: the released code (vector-1127/DAC: mnist.py, cifar10_1.py, cifar10_2.py, cifar100.py, stl.py, imagenet10.py),
read, and an independent port (HongtaoYang/DAC-tensorflow), from a description; the paper's text was not at hand. Two
ports agree on its schedule: upper 0.95, lower 0.455, meet 0.5, in 46 epochs. Defaults are those of cifar10_2.py, the
version with two thresholds.

| released                                                       | here                                                |
|----------------------------------------------------------------|-----------------------------------------------------|
| targets, and labels in the end, by statistics of the batch     | targets by those of the block; labels by running    |
| (of 32; labels on MNIST of 128)                                | statistics, independent of the rest of the batch    |
| cifar10_2.py: the loss is divided once more by B               | `pair_scale="batch"`                                |
| all other files: one threshold, all pairs: DAC*                | `DAC_star`, that is lower=None                      |
| mnist.py: squared error                                        | pair_loss="squared"                                 |
| mnist.py, stl.py, imagenet10.py: ReLU before the softmax       | rectified=True                                      |
| mnist.py alone: batch normalization after each pooling         | "dac", "dac-v1", "dac-96": after each max-pooling   |
| a second loss: output to the block's own output                | `anchor` (1; 0 on MNIST; 10 otherwise)              |
| cifar10_1.py, cifar100.py: its target is the label feature     | anchor_scaled="target"                              |
| stl.py, imagenet10.py: label features on both sides            | anchor_scaled="both"                                |
| two augmented updates in each of 10 passes; mnist.py: 5 passes | `passes` (20)                                       |
| the last 8 images of a block of 1,000 make no batch of 32      | they do                                             |
| thresholds go 1/n of their way in each of n epochs, so that    | they reach `meet` in the last epoch                 |
| the last of 50 has u = 0.8969 and l = 0.8931 (DAC*: 0.7548)    |                                                     |
| cifar10_2.py: the model is compiled anew in each epoch, so     | one RMSProp, whose averages go on                   |
| that RMSProp's averages of squared gradients start from 0      |                                                     |
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import NormalizedClassifier
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.optimizers import RMSProp
from dcbook.training.variants import with_fixed
from dcbook.training.views import Distortion

VIEW = Distortion.mild()
PAIR_LOSSES = {"cross-entropy": losses.cross_entropy_of_pairs, "squared": losses.squared_error_of_pairs}
PAIR_SCALES = ("pairs", "batch")
SCALED = ("none", "target", "both")


@dataclass(kw_only=True, repr=False, eq=False)
class DAC(HeadClusterer):
    """Deep adaptive clustering: trains on pairs with high or low similarity, and on more pairs as training goes on.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width : of the `dcbook.models.ResNet`, or "dac", "dac-v1" or "dac-96", the released ones (width 64).
    view : by default the mild distortions of cifar10_2.py.
    epochs, passes, block : passes over all data in blocks (50), updates of each image of a block in a row (20), images
        in a block (1,000, or all).
    lr : of RMSProp (1e-3); batch_size None is 32.
    upper, lower, meet : u and l in the first epoch, and both in the last; 0 <= lower <= meet <= upper <= 1. lower None:
        u alone decides all pairs (DAC*).
    growing : whether u and l move during training (True); otherwise they keep their first values.
    pair_loss : "cross-entropy" or "squared".
    pair_scale : "pairs", the mean over decided pairs, or "batch", this mean divided by B again, as released.
    anchor : weight of the second loss, at least 0 (1).
    anchor_scaled : which side of the second loss is scaled to length 1: "none" (cifar10_2.py), "target" (cifar10_1.py,
        cifar100.py) or "both" (stl.py, imagenet10.py), see `anchor_loss`.
    rectified : whether a ReLU comes before the softmax.

    history_ : the loss and its parts, `decided`, the share of all pairs that are used, and `same`, the share of pairs
        with target 1.
    """

    architecture: str = "dac"
    width: float = 64
    view: Any = VIEW
    epochs: int = 50
    passes: int = 20
    block: int | None = None
    lr: float = 1e-3
    upper: float = 0.99
    lower: float | None = 0.80
    meet: float = 0.895
    growing: bool = True
    pair_loss: str = "cross-entropy"
    pair_scale: str = "pairs"
    anchor: float = 1.0
    anchor_scaled: str = "none"
    rectified: bool = False

    SIZES: ClassVar = {"batch_size": 32, "block": 1000}
    NOTED = ("decided", "same")

    def _optimize(self) -> None:
        self._train_in_blocks(self.autoencoder_, self.head_)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """As in `HeadClusterer`; the rows are a block of their own."""
        self._look(rows)
        return super().objectives(rows)

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        upper, lower = self._thresholds()
        before = losses.label_features(self._before[rows])
        same, decided = losses.pair_targets(before @ before.T, upper, lower)
        p = self.head_(self.autoencoder_.encoder(self.view(self._samples(rows), noise)))
        features = losses.label_features(p)
        loss = PAIR_LOSSES[self.pair_loss](features @ features.T, same, decided)
        parts = {"pairs": loss / len(rows) if self.pair_scale == "batch" else loss}
        if self.anchor:
            parts["anchor"] = self.anchor * anchor_loss(p, self._before[rows], self.anchor_scaled)
        return parts | {"decided": decided.float().mean(), "same": same.float().mean()}

    def _thresholds(self) -> tuple[float, float | None]:
        """u and l in the current epoch."""
        done = sum(entry["phase"] == "clustering" for entry in self.history_)
        t = min(1.0, done / max(1, self.epochs - 1)) if self.growing else 0.0
        upper = self.upper + t * (self.meet - self.upper)
        return upper, None if self.lower is None else self.lower + t * (self.meet - self.lower)

    def _optimizer(self, weights):
        return RMSProp(weights, self.lr, decay=0.9, eps=1e-8, keras=True)

    def _fresh_head(self, d: int) -> nn.Module:
        return NormalizedClassifier(d, self.n_clusters, self.n_clusters, self.rectified)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.block == 1:
            raise ValueError("block must be at least 2: batch normalization needs two images")
        lower = self.meet if self.lower is None else self.lower
        if not 0 <= lower <= self.meet <= self.upper <= 1:
            raise ValueError(
                f"thresholds must keep 0 <= lower <= meet <= upper <= 1, not lower={self.lower}, meet={self.meet}, "
                f"upper={self.upper}"
            )
        if self.pair_loss not in PAIR_LOSSES or self.pair_scale not in PAIR_SCALES:
            raise ValueError(
                f"pair_loss must be one of {', '.join(PAIR_LOSSES)} and pair_scale one of {', '.join(PAIR_SCALES)}, "
                f"not {self.pair_loss!r}, {self.pair_scale!r}"
            )
        if self.passes < 1 or self.anchor < 0 or self.anchor_scaled not in SCALED:
            raise ValueError(
                f"passes must be at least 1, anchor at least 0 and anchor_scaled one of {', '.join(SCALED)}, not "
                f"{self.passes}, {self.anchor}, {self.anchor_scaled!r}"
            )


def anchor_loss(p: Tensor, before: Tensor, scaled: str = "none") -> Tensor:
    """The second loss: the mean cross-entropy, entry by entry, of assignments p (B, K) to those of their block (B, K).

    `scaled` "target" compares p with the label features of the block, whose rows have length 1 and sums above 1;
    "both" compares label features with label features. `before` gets no gradient.
    """
    target = before if scaled == "none" else losses.label_features(before)
    return losses.cross_entropies(losses.label_features(p) if scaled == "both" else p, target).mean()


def DAC_star(n_clusters: int = 10, **parameters: Any) -> DAC:
    """DAC*: `DAC` in which one threshold, falling from 0.99 to 0.75, decides all pairs.

    From cifar10_1.py and cifar100.py it takes this threshold alone; all else is that of `DAC`, after cifar10_2.py. What
    these files have besides: architecture="dac-v1", view=Distortion(), anchor=10 and anchor_scaled="target". stl.py
    has 75 epochs to meet=0.5, architecture="dac-96", shifts of 0.1, anchor=10, anchor_scaled="both" and rectified=True;
    imagenet10.py the same but 50 epochs to meet=0.75; mnist.py 20 epochs of 5 passes from upper=0.9 to meet=0.5,
    batches of 128, shifts of 0.1 and no flips, pair_loss="squared", anchor=0 and rectified=True. TypeError if `lower`
    is given.
    """
    given = {"upper": 0.99, "meet": 0.75} | parameters
    return with_fixed(DAC, "DAC*", {"lower": None}, n_clusters=n_clusters, **given)
