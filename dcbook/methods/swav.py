"""SwAV: Caron, Misra, Mairal, Goyal, Bojanowski & Joulin, NeurIPS 2020, arXiv 2006.09882, Algorithm 1.

| symbol   | name in code | shape   | meaning                                                               |
|----------|--------------|---------|-----------------------------------------------------------------------|
| z_t, z_s | z            | (2B, d) | Z space of the two views of each image, scaled to length 1            |
| C        | prototypes   | (K, d)  | K = `prototypes` directions, trained by gradient and kept at length 1 |
| z C^T    | scores       | (B, K)  | cosines; the softmax of scores / tau predicts a code, Eq. (2)         |
| q_t, q_s | codes        | (B, K)  | soft clusters of equal size, by Sinkhorn, Eqs. (3) and (5)            |
|          | queue        | (2, L, d) | z of the last batches, newest first, for each of the two views      |

For the other symbols see `dcbook.training.contrastive_learner`. Written after the released code (facebookresearch/swav,
main_swav.py) and the paper from memory, not checked against its text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.clustering import sinkhorn
from dcbook.training.contrastive_learner import ContrastiveLearner
from dcbook.training.inputs import check_batch_size, stream
from dcbook.training.optimizers import SGD
from dcbook.training.passing_targets import PassingTargets


@dataclass(kw_only=True, repr=False, eq=False)
class SwAV(PassingTargets, ContrastiveLearner):
    """Swapping Assignments between Views (SwAV): predict the code of a view from the other view; then k-means.

    Parameters
    ----------
    In addition to those of `ContrastiveLearner`:

    n_clusters : K of the k-means on H space after training, as in `SimCLR`; independent of the prototypes.
    prototypes : number of prototypes, at least 1. Released: 3,000 for ImageNet, three times its number of classes; the
        paper finds that other numbers work, too.
    eps, sinkhorn_iterations : parameters of the codes, see `dcbook.clustering.sinkhorn`; eps is above 0, iterations at
        least 0. A loss that stays at log `prototypes` means that all codes are equal; the authors advise a smaller eps.
    frozen_updates : number of initial updates in which the prototypes are not trained. The released 313 are one epoch
        of ImageNet with batches of 4,096, and 5,005 one epoch with batches of 256; use one epoch for small data.
    queue, queue_from : number of samples kept for each view, at most N, and number of epochs before samples are added.
        Once the queue is full, its scores are used with the batch's in Sinkhorn, for batches that are small compared
        with the number of prototypes. 0: no queue. Released for batches of 256: 3,840 from epoch 15.

    Attributes
    ----------
    After `fit`, in addition to those of `ContrastiveLearner`:

    prototypes_ : (prototypes, projection_dim) float32, rows of length 1.

    Differences from the released code: there are two views without additional small crops (multi-crop), because images
    of 32×32 and less are too small for them. Views, schedule and step are those of `SimCLR`, for comparison; the
    released code uses LARC with a warm-up, a ResNet-50 and blur. The head has batch normalization, as released; without
    it, and with eps 0.05, all codes became equal on the digits.
    """

    prototypes: int = 300
    eps: float = 0.05
    sinkhorn_iterations: int = 3
    frozen_updates: int = 313
    queue: int = 0
    queue_from: int = 15

    _head_batch_norm = True
    _state = (*ContrastiveLearner._state, *PassingTargets._seconds)

    @property
    def targets(self) -> Tensor:
        """The prototype (N,) that is nearest to each image as it is, without views and without Sinkhorn."""
        z = torch.as_tensor(self.project(self._x.cpu().numpy()), device=self._prototypes.device)
        return (z @ self._prototypes.detach().T).argmax(1)

    def _optimize(self) -> None:
        network, prototypes = self.autoencoder_, self._prototypes
        top = SGD([prototypes], self.lr, self.sgd_momentum, self.weight_decay)
        queue = self._x.new_zeros(2, self.queue, self.projection_dim)

        def loss(a: Tensor, b: Tensor, rows: Tensor) -> Tensor:
            _, z = network(torch.cat([a, b]))
            z = nn.functional.normalize(z, dim=1)
            scores = (z @ prototypes.T).chunk(2)
            with self._making_targets(), self._clustering():
                codes = [self._codes(*of_view) for of_view in zip(scores, z.detach().chunk(2), queue, strict=True)]
            return losses.swapped_prediction(*scores, *codes, self.temperature)

        def move_prototypes(updates: int, step: float) -> None:
            if updates < self.frozen_updates:
                prototypes.grad = None
                return
            top.lr = step
            top.step()
            with torch.no_grad():
                prototypes.copy_(nn.functional.normalize(prototypes, dim=1))

        self._train(loss, after_update=move_prototypes, kept={"prototypes": prototypes, "top": top, "queue": queue})

    @torch.no_grad()
    def _codes(self, scores: Tensor, z: Tensor, queue: Tensor) -> Tensor:
        """Codes (B, K) of a view, computed together with a full queue (L, d); z (B, d) is then added to the queue."""
        n, everything = len(scores), scores
        if len(queue) and queue[-1].any():
            everything = torch.cat([scores, queue @ self._prototypes.T])
        if len(self.history_) >= self.queue_from:
            queue.copy_(torch.cat([z, queue])[: len(queue)])
        return sinkhorn(everything, self.eps, self.sinkhorn_iterations)[:n]

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        drawn = torch.randn(self.prototypes, self.projection_dim, generator=stream(self.seed_, "prototypes"))
        self._prototypes = nn.Parameter(nn.functional.normalize(drawn, dim=1).to(self._device))

    def _complete(self) -> None:
        self.prototypes_ = self._prototypes.detach().cpu().numpy()
        del self._prototypes
        super()._complete()

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.prototypes < 1 or not self.eps > 0 or min(self.sinkhorn_iterations, self.frozen_updates) < 0:
            raise ValueError(
                f"prototypes must be at least 1, eps above 0, sinkhorn_iterations and frozen_updates at least 0, not "
                f"{self.prototypes}, {self.eps}, {self.sinkhorn_iterations}, {self.frozen_updates}"
            )
        if self.queue < 0 or self.queue_from < 0:
            raise ValueError(f"queue and queue_from must be at least 0, not {self.queue}, {self.queue_from}")

    def _check_samples(self, x) -> None:
        super()._check_samples(x)
        if self.queue:
            check_batch_size(self.queue, len(x), "queue")
