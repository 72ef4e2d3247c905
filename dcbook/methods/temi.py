"""TEMI: Adaloglou, Michels, Kalisch & Kollmann, BMVC 2023, arXiv 2303.17896: heads on frozen features.

| symbol | name in code    | shape      | meaning                                                                |
|--------|-----------------|------------|------------------------------------------------------------------------|
| u, u'  | codes           | (2, B, d)  | codes of images and of one of the 50 nearest neighbors of each         |
| p      | students        | (2, B, K)  | assignments by a head, the student                                     |
| q      | teachers        | (2, B, K)  | assignments by its teacher, a moving average of the student (0.996)    |
| π      | self._marginals | (heads, K) | running mean of q over batches, with momentum 0.9                      |
| w      | weight          | (B,)       | sum_k q_k q'_k, mean over the heads: whether the two share a cluster   |

L of a head = the mean over both directions of w · (-ln sum_k (p_k q'_k)^0.6 / π_k), no gradient through q, π and w; the
loss is the mean over the heads. 1/π gives more weight to small clusters, and the power below 1 keeps assignments soft.
The other symbols: `dcbook.training.head_clusterer`.

Source: the released code (HHU-MMBS/TEMI-official-BMVC2023: losses, model_builders/multi_head.py, train_main.py and the
command in its README), read; the paper's text was not at hand. There, features are those of foundation models (DINO,
CLIP) that saw other images; here those of the pretext in `start`. As released, `head_` is the teacher of the head with
the lowest mean loss in the last epoch, and the last layer is frozen in the first epoch. Its evaluation prints the best
accuracy of all checkpoints; here the last epoch counts. Neighbors are those of the codes that the heads read, by
cosine (gen_embeds.py), while SCAN's are those of the pretext's z. Not followed: AdamW's weight decay, which removes
4e-8 of a weight at each step; the step size increases after each epoch, not after each update; Adam counts the first
epoch for the last layer, too, whose first steps are therefore smaller; the last batch is used.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.clustering.neighbors import nearest_others
from dcbook.models import UnitClassifier
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.schedules import step_factor


@dataclass(kw_only=True, repr=False, eq=False)
class TEMI(HeadClusterer):
    """Teacher ensemble-weighted pointwise mutual information of neighbors, by several heads on frozen features.

    Parameters
    ----------
    In addition to those of `HeadClusterer`, except `view`, which is not used; samples may have any shape:

    start : the pretext, such as `SimCLRPretext(...).fit(x).start_`, or another start; it is needed.
    n_neighbors : of each sample, by the cosine of its codes, at least 1 (50).
    heads : trained side by side, at least 1 (16; others take up to 50).
    width, dim : of a head's layers (512, 256), see `dcbook.models.UnitClassifier`.
    epochs, lr : of Adam (100 epochs, 4e-4, increasing over the first fifth of the epochs, then constant); batch_size
        None is 1,024.
    beta : power of the product of assignments, above 0 (0.6).
    temperature : of students and teachers, above 0 (0.1).
    teacher_momentum, marginal_momentum : in [0, 1] (0.996, 0.9); a marginal_momentum of 1 leaves π at 1/K.
    weighted : whether pairs are weighted by w; otherwise all have the same weight.
    standardized : whether codes enter the heads with mean 0 and deviation 1 (False; an option of the release).
    """

    n_neighbors: int = 50
    heads: int = 16
    width: int = 512
    dim: int = 256
    epochs: int = 100
    lr: float = 4e-4
    beta: float = 0.6
    temperature: float = 0.1
    teacher_momentum: float = 0.996
    marginal_momentum: float = 0.9
    weighted: bool = True
    standardized: bool = False

    IMAGES = False
    SIZES: ClassVar = {"batch_size": 1024}
    _state = (*HeadClusterer._state, "_heads", "_teachers", "_marginals")
    _during_fit = (*HeadClusterer._during_fit, "_heads", "_teachers", "_marginals", "_frozen", "_near")

    def _optimize(self) -> None:
        self._frozen = self._pretext_codes().h
        self._near = nearest_others(nn.functional.normalize(self._frozen, dim=1), self.n_neighbors)[1]
        optimizer = Adam(self._heads.parameters(), self.lr)
        order, draw = stream(self.seed_, "batches"), stream(self.seed_, "partners")
        totals, seen = torch.zeros(self.heads, device=self._device), {}

        def loss(rows: Tensor) -> dict[str, Tensor]:
            of_heads, seen["marginals"] = self._of_heads(rows, draw)
            totals.add_(len(rows) * of_heads.detach())
            return {"information": of_heads.mean()}

        def follow() -> None:
            self._marginals.copy_(seen["marginals"])
            for slow, fast in zip(self._teachers.parameters(), self._heads.parameters(), strict=True):
                slow.lerp_(fast.detach(), 1 - self.teacher_momentum)

        for epoch, log in self._epochs("information", self.epochs, optimizer=optimizer, order=order, draw=draw):
            optimizer.lr = self.lr * step_factor("constant", epoch, self.epochs, warm_up=0.2)
            for head in self._heads:
                head.directions.requires_grad_(epoch > 0)
                head.lengths.requires_grad_(epoch > 0)
            totals.zero_()
            found = self._pass(loss, self._batches(order), optimizer, follow)
            self.head_.load_state_dict(self._teachers[int(totals.argmin())].state_dict())
            log(**found)

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        return {"information": self._of_heads(rows, noise)[0].mean()}

    def _of_heads(self, rows: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """The loss of each head, (heads,), with drawn neighbors; and the marginals (heads, K) after this batch."""
        near = self._near[rows]
        drawn = torch.randint(near.shape[1], (len(rows), 1), generator=draw).to(rows.device)
        codes = self._frozen[torch.cat([rows, near.gather(1, drawn).squeeze(1)])]
        with torch.no_grad():
            teachers = torch.stack([teacher(codes) for teacher in self._teachers]).unflatten(1, (2, -1))
            marginals = torch.lerp(teachers.mean((1, 2)), self._marginals, self.marginal_momentum)
            weight = teachers.prod(1).sum(2).mean(0) if self.weighted else codes.new_ones(len(rows))
        values = []
        for head, teacher, pi in zip(self._heads, teachers, marginals, strict=True):
            student = head(codes).unflatten(0, (2, -1))
            there, back = (losses.pointwise_information(student[i], teacher[1 - i], pi, self.beta) for i in (0, 1))
            values.append((weight * (there + back)).mean() / 2)
        return torch.stack(values), marginals

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        u = self._embed(self._x)
        with seeded(derived_seed(self.seed_, "heads")):
            self._heads = nn.ModuleList(self._fresh_head(u.shape[1]) for _ in range(self.heads)).to(self._device)
        for head in self._heads if self.standardized else ():
            head.rescaled.to_unit_deviation(u)
        self._teachers = deepcopy(self._heads).requires_grad_(False)
        self._marginals = torch.full((self.heads, self.n_clusters), 1 / self.n_clusters, device=self._device)

    def _fresh_head(self, d: int) -> nn.Module:
        return UnitClassifier(d, self.n_clusters, self.width, self.dim, self.temperature)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if min(self.n_neighbors, self.heads, self.width, self.dim) < 1 or min(self.beta, self.temperature) <= 0:
            raise ValueError(
                f"n_neighbors, heads, width and dim must be at least 1, beta and temperature above 0, not "
                f"{self.n_neighbors}, {self.heads}, {self.width}, {self.dim}, {self.beta}, {self.temperature}"
            )
        if not (0 <= self.teacher_momentum <= 1 and 0 <= self.marginal_momentum <= 1):
            raise ValueError(
                f"teacher_momentum and marginal_momentum must lie in [0, 1], not {self.teacher_momentum}, "
                f"{self.marginal_momentum}"
            )
