"""MiCE, mixture of contrastive experts: Tsai, Li & Zhu, ICLR 2021, arXiv 2105.01899.

| symbol | name in code        | shape     | meaning                                                              |
|--------|---------------------|-----------|----------------------------------------------------------------------|
| f_k    | head_.embeddings(h) | (B, K, d) | embeddings of view 1 by K experts, linear, of length 1               |
| v_k    | v                   | (B, K, d) | embeddings of view 2 by the teacher, a moving average of the student |
| g      |                     | (B, d)    | embedding of view 3 by the gate, of length 1                         |
| ω_k    | head_.directions    | (K, d)    | fixed directions of the gate with inner products -1 / (K - 1)        |
| μ_k    | head_.prototypes    | (K, d)    | direction of each expert, learned, and reset after each epoch        |
|        | head_.queue         | (L, K, d) | the teacher's embeddings of earlier images                           |
| π_k    | log_prior           | (B, K)    | gate: softmax of ω_k·g / κ                                           |
| φ_k    | log_likelihood      | (B, K)    | expert k: softmax of (f_k + μ_k)·v_k / τ among the keys of the queue |
| r_k    | posterior           | (B, K)    | ∝ π_k φ_k; its argmax is the label                                   |

L = -mean ln sum_k π_k φ_k: identify an image among those of the queue by a mixture of experts, one for each cluster.
The released bound with r equals this (`losses.mixture_loss`). After each epoch, μ_k becomes the direction of the sum of
v_k over the images whose posterior in that epoch was largest for k. κ = τ = 1. The other symbols:
`dcbook.training.head_clusterer`.

Source: the released code (TsungWeiTsai/MiCE: ELBO.py, train_MiCE.py, util.py), read; the paper's text was not at hand.
As released, the teacher's batch normalization uses its own statistics, in training mode. Not followed:

| released                                                  | here                                 |
|-----------------------------------------------------------|--------------------------------------|
| μ starts as uninitialized memory                          | random directions                    |
| an expert without images gets μ = 0                       | it keeps its μ                       |
| evaluation extends the queue: labels depend on the order  | the queue does not change            |
| evaluation takes v from the teacher                       | v = f: `head_` needs no second trunk |
| the step is 0 in the first epoch and rises over ten       | it rises from a tenth of the step    |
| the last batch of an epoch is dropped                     | it is used                           |
| the teacher's batch is shuffled, for batch normalization  | not shuffled: there is one device    |
| on several devices                                        |                                      |
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Experts
from dcbook.models.experts import unit_embeddings
from dcbook.training.augment import Augmentation
from dcbook.training.head_clusterer import HeadClusterer, statistics_kept
from dcbook.training.inputs import stream
from dcbook.training.optimizers import SGD
from dcbook.training.schedules import check_schedule, step_factor

VIEW = Augmentation(crop=0.2, jitter=0.5, hue=0.4, jittered=1.0)
DROPS = (0.48, 0.64, 0.8)
WARM_UP = 10 / 1001


@dataclass(kw_only=True, repr=False, eq=False)
class MiCE(HeadClusterer):
    """A mixture of K contrastive experts, each a MoCo on an embedding of its own, and a gate.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width : of the `dcbook.models.ResNet` (ResNet-34, 64).
    embedding_dim : d, at least K - 1 (128).
    view : by default crops of at least 20 percent of the area, and color jitter of all images.
    epochs, lr, sgd_momentum, weight_decay : of SGD (1,001 epochs, 1.0, 0.9, 1e-4); batch_size None is 256.
    schedule : "steps", a tenth of the step after 48, 64 and 80 percent of the epochs; "cosine"; "constant". In the
        first percent of the epochs the step increases.
    queue : L, keys that are kept, at most N; None is 16,384, or N where that is less.
    teacher_momentum : in [0, 1] (0.999; 0.99 for short runs).
    temperature : κ = τ, above 0 (1).
    reset : whether prototypes are reset after each epoch.

    Attributes
    ----------
    head_ : `Experts`, with the gate, the experts, the prototypes and the final queue.
    history_ : beside the loss `experts`, the number of experts that had images in that epoch.
    """

    architecture: str = "resnet-34"
    width: float = 64
    embedding_dim: int = 128
    view: Any = VIEW
    epochs: int = 1001
    lr: float = 1.0
    sgd_momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "steps"
    queue: int | None = None
    teacher_momentum: float = 0.999
    temperature: float = 1.0
    reset: bool = True

    SIZES: ClassVar = {"batch_size": 256, "queue": 16384}
    _state = (*HeadClusterer._state, "_teacher")
    _during_fit = (*HeadClusterer._during_fit, "_teacher")

    def _optimize(self) -> None:
        head, encoder = self.head_, self.autoencoder_.encoder
        optimizer = SGD([*encoder.parameters(), *head.parameters()], self.lr, self.sgd_momentum, self.weight_decay)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        sums, sizes = torch.zeros_like(head.prototypes), torch.zeros(self.n_clusters, device=self._device)
        seen: dict[str, Tensor] = {}

        def losses_of(rows: Tensor) -> dict[str, Tensor]:
            log_joint, seen["v"] = self._log_joint(rows, noise)
            seen["labels"] = log_joint[0].add(log_joint[1]).argmax(1)
            return {"likelihood": losses.mixture_loss(*log_joint)}

        def follow() -> None:
            v, labels = seen["v"], seen["labels"]
            head.remember(v)
            add_keys(sums, sizes, v, labels)
            for slow, fast in zip(self._teacher.parameters(), self._followed(), strict=True):
                slow.lerp_(fast.detach(), 1 - self.teacher_momentum)

        for epoch, log in self._epochs("experts", self.epochs, optimizer=optimizer, order=order, noise=noise):
            optimizer.lr = self.lr * step_factor(self.schedule, epoch, self.epochs, DROPS, WARM_UP)
            sums.zero_()
            sizes.zero_()
            self._teacher.train()
            found = self._pass(losses_of, self._batches(order), optimizer, follow)
            if self.reset:
                reset_prototypes(head.prototypes, sums, sizes)
            log(**found, experts=int((sizes > 0).sum()))

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        return {"likelihood": losses.mixture_loss(*self._log_joint(rows, noise)[0])}

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        with statistics_kept(getattr(self, "_teacher", nn.Identity())):
            return super().objectives(rows)

    def _log_joint(self, rows: Tensor, noise: torch.Generator) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """ln π and ln φ (B, K) of three views of the images, and the teacher's embeddings v (B, K, d)."""
        x, encoder, head = self._samples(rows), self.autoencoder_.encoder, self.head_
        f = head.embeddings(encoder(self.view(x, noise)))
        with torch.no_grad():
            keys = self._teacher["trunk"](self.view(x, noise))
            v = unit_embeddings(self._teacher["experts"], keys, self.n_clusters)
        log_prior = head.log_prior(encoder(self.view(x, noise)))
        return (log_prior, head.log_likelihood(f, v)), v

    def _followed(self) -> list[Tensor]:
        """The student's weights that the teacher follows."""
        return [*self.autoencoder_.encoder.parameters(), *self.head_.experts.parameters()]

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        teacher = {"trunk": deepcopy(self.autoencoder_.encoder), "experts": deepcopy(self.head_.experts)}
        self._teacher = nn.ModuleDict(teacher).requires_grad_(False)

    def _fresh_head(self, d: int) -> nn.Module:
        return Experts(d, self.n_clusters, self.embedding_dim, self.queue_, self.temperature)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        check_schedule(self.schedule)
        if self.embedding_dim < max(1, self.n_clusters - 1) or self.temperature <= 0:
            raise ValueError(
                f"embedding_dim must be at least K - 1 = {self.n_clusters - 1} and temperature above 0, not "
                f"{self.embedding_dim}, {self.temperature}"
            )
        if not 0 <= self.teacher_momentum <= 1 or not 0 <= self.sgd_momentum < 1 or self.weight_decay < 0:
            raise ValueError(
                f"teacher_momentum must lie in [0, 1], sgd_momentum in [0, 1) and weight_decay be at least 0, not "
                f"{self.teacher_momentum}, {self.sgd_momentum}, {self.weight_decay}"
            )


@torch.no_grad()
def add_keys(sums: Tensor, sizes: Tensor, v: Tensor, labels: Tensor) -> None:
    """Add each image's v_k, where k is its label, to row k of `sums` (K, d), and 1 to `sizes` (K,), in place.

    `v` (B, K, d) are the teacher's embeddings, `labels` (B,) int64 the experts with the largest posteriors.
    """
    sums.index_add_(0, labels, v[torch.arange(len(v), device=v.device), labels])
    sizes.index_add_(0, labels, torch.ones_like(labels, dtype=sizes.dtype))


@torch.no_grad()
def reset_prototypes(prototypes: Tensor, sums: Tensor, sizes: Tensor) -> None:
    """Replace μ (K, d) by the directions of `sums`, in place; an expert without images keeps its μ."""
    used = sizes > 0
    prototypes.data[used] = nn.functional.normalize(sums[used], dim=1)
