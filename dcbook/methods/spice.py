"""SPICE, step 2 (SPICE-Self): Niu, Shan & Wang, TIP 2022, arXiv 2103.09382.

| symbol | name in code | shape    | meaning                                                                    |
|--------|--------------|----------|----------------------------------------------------------------------------|
| f_i    | features     | (M, d)   | codes of unaugmented images by the pretext's trunk, scaled to length 1     |
| p_i    | p            | (M, K)   | assignments of the same images by one of several heads, d-d-K              |
|        | rows         | (K, M/K) | images labeled k: those nearest to the mean of f over the M/(2K) images    |
|        |              |          | with the largest p_k                                                       |
|        | strong       | (M, d)   | codes of strong views of the images                                        |

The trunk is frozen. For each block of M images, each head labels M/K images for each cluster (an image can get several
labels or none), and learns these labels on strong views: eight passes in batches of 128. The heads' softmax enters a
cross-entropy that applies softmax again ("double softmax"), so that the loss is at least ln(1 + (K - 1)/e). The
other symbols: `dcbook.training.head_clusterer`.

Source: the released code (niuchuangnn/SPICE: sem_head.py, train_self_v2.py, configs/cifar10/spice_self.py), read; the
paper's text was not at hand. There, step 3 starts from the checkpoint and head with the best accuracy by labels; here
`head_` is what the code also writes as "checkpoint_select": the head and epoch with the lowest loss on the labels that
it gives to all images. Step 3, a semi-supervised training on reliable labels, is not here. Not followed:

| released                                                  | here                                             |
|-----------------------------------------------------------|--------------------------------------------------|
| strong views are drawn anew for each block and go through | codes of a few fixed views, with the trunk in    |
| the trunk, whose batch normalization is in training mode  | evaluation mode; `fixed_views=0` draws them anew |
| the heads label by codes of weak views (flip, shift)      | by codes of unaugmented images                   |
| blocks and batches that are not full are dropped          | they are used                                    |
| a MoCo pretext of 1,000 epochs                            | the pretext of `start`                           |
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Classifier
from dcbook.training.assignments import EVALUATION_BATCH
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.inputs import derived_seed, in_batches, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.views import Strong

VIEW = Strong()
WORST = 1e30


@dataclass(kw_only=True, repr=False, eq=False)
class SPICE(HeadClusterer):
    """Semantic pseudo-labels by prototypes, learned by several heads on a frozen trunk.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    start : the pretext, such as `SimCLRPretext(...).fit(x).start_`; it is needed.
    view, fixed_views : the strong view, and the number of views of each image, drawn once (4); 0 draws new ones. Views
        that the start holds are used if they are at least as many; ValueError if they are known to come from another
        view.
    epochs, lr : of Adam (100 epochs, 0.005; for CIFAR-10 an earlier setting has 30). batch_size None is 128.
    block : M, images that are labeled at a time, at least K; None is 5,000, or N where that is less.
    repeats : passes over the labeled images of a block, at least 1 (8).
    heads : trained side by side, at least 1 (10).
    center_share : share of the M/K images of a cluster that define its prototype, in (0, 1] (0.5).
    softmaxes : 2 as released, or 1, the usual cross-entropy.

    Attributes
    ----------
    head_ : the head with the lowest selection value in any epoch.
    history_ : the loss; `selection`, the lowest selection value of the heads after the epoch; and `taught`, the share
        of all images that get a label from the best head.
    """

    view: Any = VIEW
    fixed_views: int = 4
    epochs: int = 100
    lr: float = 0.005
    block: int | None = None
    repeats: int = 8
    heads: int = 10
    center_share: float = 0.5
    softmaxes: int = 2

    SIZES: ClassVar = {"batch_size": 128, "block": 5000}
    _state = (*HeadClusterer._state, "_heads", "_lowest")
    _during_fit = (*HeadClusterer._during_fit, "_heads", "_lowest", "_pretext")

    def _optimize(self) -> None:
        self._pretext = self._pretext_codes(1, self.fixed_views, self.view)
        optimizer = Adam(self._heads.parameters(), self.lr)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        labeled: list[Tensor] = []

        def places() -> list[Tensor]:
            for block in self._blocks(order):
                labeled[:] = self._labeled(block, noise)
                for _ in range(self.repeats):
                    yield from in_batches(torch.randperm(len(labeled[1]), generator=order), self.batch_size_)

        def loss(place: Tensor) -> dict[str, Tensor]:
            place = place.to(self._device)
            return self._cross_entropy(labeled[0][:, place], labeled[1][place])

        for _, log in self._epochs("prototypes", self.epochs, optimizer=optimizer, order=order, noise=noise):
            log(**self._pass(loss, places(), optimizer), **self._select())

    def _blocks(self, order: torch.Generator) -> list[Tensor]:
        """The images in blocks; a last one with fewer than K images, too few to label, joins the one before."""
        blocks = list(self._batches(order, self.block_))
        if len(blocks) > 1 and len(blocks[-1]) < self.n_clusters:
            blocks[-2:] = [torch.cat(blocks[-2:])]
        return blocks

    def labels_of_heads(self) -> np.ndarray:
        """Labels (heads, N) of the training samples by each current head, while `fit` runs: for a monitor."""
        self._samples(torch.zeros(0, dtype=torch.int64, device=self._device))
        with torch.no_grad():
            return torch.stack([head(self._pretext.h).argmax(1) for head in self._heads]).cpu().numpy()

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        return self._cross_entropy(*self._labeled(rows, noise))

    @torch.no_grad()
    def _labeled(self, rows: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Strong codes of the images among `rows` (M,) that each head labels, (heads, m, d), and their labels (m,)."""
        strong, h = self._strong(rows, noise), self._pretext.h[rows]
        taught = [labeled_by_prototypes(self._unit(h), head(h), self.center_share) for head in self._heads]
        return torch.stack([strong[found.flatten()] for found in taught]), self._labels_of(taught[0])

    def _strong(self, rows: Tensor, noise: torch.Generator) -> Tensor:
        """Codes (M, d) of a strong view of each image: one of the fixed views, or a new one."""
        if self.fixed_views:
            which = torch.randint(self.fixed_views, (len(rows),), generator=noise).to(rows.device)
            return self._pretext.views[which, rows]
        views = [self.view(self._samples(part), noise) for part in rows.split(EVALUATION_BATCH)]
        return torch.cat([self._embed(view) for view in views])

    def _cross_entropy(self, codes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The mean over the heads of the cross-entropy, each head on its own codes (heads, m, d)."""
        parts = [
            losses.origin_loss(head(own), labels, self.softmaxes) for head, own in zip(self._heads, codes, strict=True)
        ]
        return {"cross_entropy": torch.stack(parts).mean()}

    @torch.no_grad()
    def _select(self) -> dict[str, float]:
        """Keep the head with the lowest loss on the labels that it gives to all images, if it is the lowest so far."""
        h, values, shares = self._pretext.h, [], []
        for head in self._heads:
            p = head(h)
            rows = labeled_by_prototypes(self._unit(h), p, self.center_share)
            values.append(losses.origin_loss(p[rows.flatten()], self._labels_of(rows), self.softmaxes).item())
            shares.append(len(rows.unique()) / len(h))
        best = values.index(min(values))
        if values[best] < self._lowest:
            self._lowest.fill_(values[best])
            self.head_.load_state_dict(self._heads[best].state_dict())
        return {"selection": values[best], "taught": shares[best]}

    def _labels_of(self, rows: Tensor) -> Tensor:
        return torch.arange(len(rows), device=rows.device).repeat_interleave(rows.shape[1])

    def _unit(self, h: Tensor) -> Tensor:
        return nn.functional.normalize(h, dim=1)

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        d = self._embed(self._x[:1]).shape[1]
        with seeded(derived_seed(self.seed_, "heads")):
            self._heads = nn.ModuleList(self._fresh_head(d) for _ in range(self.heads)).to(self._device)
        self._lowest = torch.tensor(WORST, device=self._device)

    def _fresh_head(self, d: int) -> nn.Module:
        return Classifier(d, self.n_clusters, (d,))

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.fixed_views < 0 or min(self.repeats, self.heads) < 1:
            raise ValueError(
                f"fixed_views must be at least 0, repeats and heads at least 1, not {self.fixed_views}, "
                f"{self.repeats}, {self.heads}"
            )
        if not 0 < self.center_share <= 1 or self.softmaxes not in (1, 2):
            raise ValueError(
                f"center_share must lie in (0, 1] and softmaxes be 1 or 2, not {self.center_share}, {self.softmaxes}"
            )
        if self.block is not None and self.block < self.n_clusters:
            raise ValueError(f"block must be at least K = {self.n_clusters}, not {self.block}")


def labeled_by_prototypes(features: Tensor, p: Tensor, center_share: float = 0.5) -> Tensor:
    """The images labeled for each cluster: rows (K, M // K), at least one, of features (M, d) and assignments p (M, K).

    A prototype is the mean of the features of the images with the largest p_k, `center_share` of M // K of them and at
    least one; the images with the largest inner product with it are labeled k, nearest first.
    """
    each = max(1, len(p) // p.shape[1])
    first = p.topk(max(1, int(center_share * each)), dim=0).indices
    prototypes = features[first].mean(0)
    return (prototypes @ features.T).topk(each, dim=1).indices
