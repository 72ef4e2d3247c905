"""IDECF, Improved Deep Embedded Clustering with deep Fuzzy supervision: Sadeghi & Armanfard.

| symbol  | name in code     | shape  | equation                                                                       |
|---------|------------------|--------|--------------------------------------------------------------------------------|
| u_i     | u                | (B, d) | encoder output                                                                 |
| mu_k    | self._centers    | (K, d) | sum_i p_ik^m u_i / sum_i p_ik^m over all samples, not trained by gradient      |
| p_ik    | self.head_(u)    | (B, K) | output of a small network, the teacher: d-100-200-K, softmax                   |
| q_ik    | q                | (B, K) | ∝ 1 / (1 + ||u_i - mu_k||^2), Student's t as in DEC                            |
| m       | m                |        | fuzziness of the teacher (1.5)                                                 |
| lambda  | lam              |        | weight of the clustering loss (0.1)                                            |

Training starts from k-means centers. In each iteration the centers are updated (except in the first), the teacher is
trained for ten epochs on the loss of fuzzy c-means, sum_ik p_ik^m ||u_i - mu_k||^2, and then the autoencoder for one
epoch on mean squared error + lambda KL(P || Q). The label of a sample is the cluster with the teacher's largest p.

Source: the released code (Armanfard-Lab/IDECF at ad3ca9a, IDECF.py); the paper was not read. `variant` selects which
rows of this table are followed, all or some:

| row        | what        | "repaired"                    | "released"                                                |
|------------|-------------|-------------------------------|-----------------------------------------------------------|
| dimensions | q           | as above                      | ∝ sum_j 1 / (1 + (u_ij - mu_kj)^2), a sum over dimensions |
| elements   | KL          | mean over the batch           | mean over batch and clusters                              |
| attached   | gradient    | P is a constant               | also flows through P into the encoder                     |

Not followed: pretraining selects the epoch with the best accuracy by the labels (`dcbook.evaluation.LabelPicked` shows
the selection), and is skipped by `pretraining=True`; its 200 epochs in batches of 500 (our default start: 100, 256);
dropout of a tenth of the pixels; Xavier initialization. With the step of 1e-6 the autoencoder hardly changes in 60
iterations; mainly the teacher learns.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.models import Classifier
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import SGD, Adam
from dcbook.training.variants import released_rows

RELEASED_ROWS = ("dimensions", "elements", "attached")
WIDTHS = (100, 200)
SMALLEST = 1e-12  # lower bound of p: at 0, p ln p has an infinite gradient, and a cluster has no center


@dataclass(kw_only=True, repr=False, eq=False)
class IDECF(DeepClusterer):
    """Improved Deep Embedded Clustering with a fuzzy teacher.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    variant : "released", "repaired", or single rows of the table above: "dimensions", "dimensions+attached", ….
    m : fuzziness, above 1 (1.5).
    lam : lambda, weight of the clustering loss, at least 0 (0.1).
    epochs : number of iterations, each with one epoch of the autoencoder (60).
    teacher_epochs, teacher_lr : epochs of the teacher per iteration (10), and the step of its Adam (0.001), whose state
        is reset in each iteration.
    lr, momentum : step and momentum of the autoencoder's SGD (1e-6, 0.9), whose state is also reset.
    batch_size : None is 500, or all samples if there are fewer.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    head_ : the teacher, a `Classifier`; `predict_proba` returns its p.
    """

    start: Any = None
    variant: str = "released"
    m: float = 1.5
    lam: float = 0.1
    epochs: int = 60
    teacher_epochs: int = 10
    teacher_lr: float = 1e-3
    lr: float = 1e-6
    momentum: float = 0.9
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 500}
    _state = (*DeepClusterer._state, "head_")

    def _optimize(self) -> None:
        with seeded(derived_seed(self.seed_, "teacher")):
            self.head_ = Classifier(self._centers.shape[1], self.n_clusters, WIDTHS).to(self._device)
        order = stream(self.seed_, "batches")
        for epoch, log in self._epochs("clustering", self.epochs, order=order):
            u = self._embed(self._x)
            if epoch:
                p = self._memberships(u).detach()
                self._centers = losses.weighted_centers(u, p, self.m, before=self._centers)
            fuzzy = self._train_teacher(u, order)
            reconstruction, clustering = self._train_autoencoder(order)
            loss = reconstruction + clustering
            log(loss=loss, reconstruction=reconstruction, clustering=clustering, fuzzy=fuzzy)

    def _train_teacher(self, u: Tensor, order: torch.Generator) -> float:
        """Train the teacher by fuzzy c-means on codes u (N, d); return its mean loss over the samples, last epoch."""
        optimizer, total = Adam(self.head_.parameters(), self.teacher_lr), torch.zeros((), device=u.device)
        for _ in range(self.teacher_epochs):
            total.zero_()
            for batch in self._batches(order):
                loss = losses.weighted_centering(u[batch], self._centers, self.head_(u[batch]) ** self.m)
                loss.backward()
                optimizer.step()
                total += loss.detach()
        return total.item() / len(u)

    def _train_autoencoder(self, order: torch.Generator) -> list[float]:
        """Train the autoencoder for one epoch; return the means of both parts of the loss."""
        optimizer = SGD(self.autoencoder_.train().parameters(), self.lr, self.momentum)
        total = torch.zeros(2, device=self._x.device)
        for batch in self._batches(order):
            parts = list(self.objectives(batch).values())
            sum(parts).backward()
            optimizer.step()
            self.head_.zero_grad(set_to_none=True)
            total += len(batch) * torch.stack(parts).detach()
        return (total / len(self._x)).tolist()

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The mean squared error and lambda KL(P || Q), with P from the current teacher; {} in pretraining."""
        if not hasattr(self, "head_"):
            return {}
        x, rows_followed = self._samples(rows), self._released_rows
        u, x_hat = self._reconstructed(x)
        p = self._memberships(u)
        p = p if "attached" in rows_followed else p.detach()
        kernel = losses.student_t_by_dimension if "dimensions" in rows_followed else losses.student_t
        divergence = losses.kl_divergence(p, kernel(u, self._centers))
        weight = self.lam / self.n_clusters if "elements" in rows_followed else self.lam
        return {"self": losses.mean_squared_error(x, x_hat), "pseudo": weight * divergence}

    def _memberships(self, u: Tensor) -> Tensor:
        return self.head_(u).clamp_min(SMALLEST)

    @property
    def _released_rows(self) -> tuple[str, ...]:
        return released_rows(self.variant, RELEASED_ROWS, without="repaired")

    def _check_hyperparameters(self) -> None:
        _ = self._released_rows  # raises for a wrong variant
        if self.m <= 1 or self.lam < 0 or min(self.epochs, self.teacher_epochs) < 0:
            raise ValueError(
                f"m must be above 1 and lam, epochs and teacher_epochs at least 0, not {self.m}, {self.lam}, "
                f"{self.epochs}, {self.teacher_epochs}"
            )
        if min(self.lr, self.teacher_lr) <= 0 or not 0 <= self.momentum < 1:
            raise ValueError(
                f"lr and teacher_lr must be above 0 and momentum in [0, 1), not {self.lr}, {self.teacher_lr}, "
                f"{self.momentum}"
            )
