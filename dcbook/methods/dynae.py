"""DynAE, Dynamic Autoencoder: Mrabah, Khan, Ksantini & Lachiri, Neural Networks 2020, arXiv 1901.07752.

| symbol | name in code     | shape  | meaning                                                                       |
|--------|------------------|--------|-------------------------------------------------------------------------------|
| z_i    | u                | (B, d) | encoder output                                                                |
| mu_k   | self._centers    | (K, d) | code of the sample nearest to the k-th centroid of k-means on all codes       |
|        | self._images     | (K, …) | the image decoded from mu_k when mu_k was computed                            |
| q_ik   | q                | (B, K) | DEC's Student t at the codes of samples without augmentation                  |
| beta   | self._thresholds | 2      | sample i is unconflicted if the largest entry of q_i exceeds beta1, and the   |
|        |                  |        | second largest entry by more than beta2                                       |
| t1, t2 | code, image      | (B, …) | mu_k and its image for unconflicted samples; own code and image for others    |
| T      | move             |        | shifts and rotates a sample slightly                                          |

L = ||f(T(x_i)) - t1_i||^2 + gamma ||g(f(T(x_i))) - t2_i||^2, averaged over batch and dimensions. When a sample becomes
unconflicted, the target of its reconstruction changes from its own image to the image of its center. Every
`update_interval` updates the conflicted samples are counted. If their number has not fallen, centers are recomputed and
both thresholds fall by dk / K, with dk = 0.3 kappa, 0.3 kappa, 0.3^2 kappa, 0.3^3 kappa, …

Few clusters, with kappa = 3: no entry of q exceeds 1, so that no sample can be unconflicted before the thresholds have
fallen twice (K = 2) or once (K = 3); until then none has a pseudo-label. With K = 2, one fall more makes every sample
unconflicted (beta1 < 1 / 2, beta2 < 0), so that training ends at the next count.

Source: nairouz/DynAE, DynAE.py:54-72 (targets), 387-540 (training), dynAE.ipynb (settings); the paper from memory, not
checked against its text. Not followed: batches in the order of the file, with an empty batch if their size divides N
(here N / batch_size, rounded up, shuffled in every epoch), labels from the last count (here from the final network),
and rotation about a point that is half a pixel off the center.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.clustering.neighbors import nearest_references
from dcbook.training.acai import ACAIPretraining
from dcbook.training.augment import ShiftRotation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream, updates_in
from dcbook.training.optimizers import SGD

RESTARTS = 10


@dataclass
class Progress:
    """Progress of the training: conflicted samples at the last count, updates, falls of the thresholds, end."""

    conflicted: int
    updates: int = 0
    falls: int = 0
    stop: bool = False


@dataclass(kw_only=True, repr=False, eq=False)
class DynAE(DeepClusterer):
    """Dynamic Autoencoder.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : as in `DeepClusterer`; None is `ACAIPretraining()`, whose critic is trained, as the paper describes. The
        released code corresponds to `ACAIPretraining(critic="frozen")`, according to its compile order (not run).
    kappa : above 0; the initial thresholds are beta1 = kappa / K and beta2 = beta1 / 2 (3).
    gamma : weight of the images, at least 0 (100, as in the released notebook; the released class has 1).
    max_updates : maximum number of mini-batch updates (100,000).
    update_interval : updates between two counts of conflicted samples (140).
    tol : stop when less than this share of the samples is conflicted, in [0, 1] (0.01; 0 never stops).
    lr, momentum : step and momentum of SGD (0.001, 0.9).
    shift, rotation : ranges of the views T, see `ShiftRotation`; ignored for vectors.

    history_ has the share of `conflicted` samples, `beta1` and `beta2` at the last count, and the losses.
    `predict_proba` returns q. `n_updates_` is the number of updates, also after Ctrl-C.
    """

    start: Any = None
    kappa: float = 3.0
    gamma: float = 100.0
    max_updates: int = 100_000
    update_interval: int = 140
    tol: float = 0.01
    lr: float = 1e-3
    momentum: float = 0.9
    shift: float = 0.1
    rotation: float = 10.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _default_recipe = ACAIPretraining
    _during_fit = (*DeepClusterer._during_fit, "_thresholds", "_images")
    _state = (*DeepClusterer._state, "_thresholds", "_images")

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The losses of the training samples `rows` (B,), without augmentation, during `fit`; `fit` minimizes the sum.

        "self" is gamma ||g(z) - t2||^2 and "pseudo" ||z - t1||^2, as in commented-out code of the release
        (DynAE.py:145-159). {} in pretraining.
        """
        x = self._samples(rows)
        return {} if self._thresholds is None else self._losses(x, lambda x: x)

    def _losses(self, x: Tensor, view: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        code, image = self._targets(x)
        u, x_hat = self._reconstructed(view(x))
        return {
            "self": self.gamma * losses.mean_squared_error(image, x_hat),
            "pseudo": losses.mean_squared_error(code, u),
        }

    def _optimize(self) -> None:
        optimizer = SGD(self.autoencoder_.train().parameters(), self.lr, self.momentum)
        move = ShiftRotation(self.shift, self.rotation)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        self._take_centers(self._centers)
        beta1 = self.kappa / self.n_clusters
        self._thresholds = beta1, beta1 / 2
        done = Progress(len(self._x))
        loop = {"optimizer": optimizer, "order": order, "noise": noise, "done": done}
        epochs = -(-self.max_updates // updates_in(len(self._x), self.batch_size_))
        try:
            for _, log in self._epochs("clustering", epochs, **loop):
                if done.stop:
                    break
                total, before = torch.zeros(2, device=self._x.device), done.updates
                for batch in self._batches(order):
                    if done.updates % self.update_interval == 0:
                        last, done.conflicted = done.conflicted, self._count_conflicted()
                        done.stop = done.conflicted < self.tol * len(self._x)
                        if done.conflicted >= last:
                            self._take_centers(self._kmeans(RESTARTS))
                            fall = threshold_fall(self.kappa, done.falls) / self.n_clusters
                            self._thresholds = tuple(beta - fall for beta in self._thresholds)
                            done.falls += 1
                    if done.stop or done.updates == self.max_updates:
                        break
                    parts = self._losses(self._samples(batch), lambda x: move(x, noise))
                    sum(parts.values()).backward()
                    optimizer.step()
                    total += torch.stack([parts["self"], parts["pseudo"]]).detach()
                    done.updates += 1
                if done.updates > before:
                    beta1, beta2 = self._thresholds
                    own, pseudo = (total / (done.updates - before)).tolist()
                    about = {"conflicted": done.conflicted / len(self._x), "beta1": beta1, "beta2": beta2}
                    log(loss=own + pseudo, reconstruction=own, clustering=pseudo, **about)
        finally:
            self.n_updates_ = done.updates

    def _targets(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Targets of the codes and the reconstructions of samples x."""
        u = self._embed(x)
        q = self._soft_assignments(u)
        sure = losses.unconflicted(q, *self._thresholds).unsqueeze(1)
        nearest = q.argmax(1)
        return (
            torch.where(sure, self._centers[nearest], u),
            torch.where(sure, self._images[nearest].flatten(1), x.flatten(1)),
        )

    def _count_conflicted(self) -> int:
        q = self._soft_assignments(self._embed(self._x))
        return int((~losses.unconflicted(q, *self._thresholds)).sum())

    def _take_centers(self, centroids: Tensor) -> None:
        """Set the centers to the codes of the samples nearest to `centroids` (K, d), and decode their images."""
        u = self._embed(self._x)
        _, nearest = nearest_references(centroids, u, 1)
        self._centers = u[nearest.flatten()]
        with torch.no_grad():
            self._images = self.autoencoder_.decoder(self._centers)

    def _initialize(self, recipe, start) -> None:
        self._thresholds = self._images = None
        self.n_updates_ = 0
        super()._initialize(recipe, start)

    def _soft_assignments(self, u: Tensor) -> Tensor:
        return losses.student_t(u, self._centers)

    def _check_hyperparameters(self) -> None:
        ShiftRotation(self.shift, self.rotation)
        if self.max_updates < 0 or self.update_interval < 1 or not 0 <= self.tol <= 1:
            raise ValueError(
                f"max_updates must be >= 0, update_interval >= 1 and tol in [0, 1], not {self.max_updates}, "
                f"{self.update_interval}, {self.tol}"
            )
        if min(self.kappa, self.lr) <= 0 or self.gamma < 0 or not 0 <= self.momentum < 1:
            raise ValueError(
                f"kappa and lr must be above 0, gamma at least 0 and momentum in [0, 1), not {self.kappa}, {self.lr}, "
                f"{self.gamma}, {self.momentum}"
            )


def threshold_fall(kappa: float, n: int) -> float:
    """dk after n falls of the thresholds: 0.3 kappa, 0.3 kappa, 0.3^2 kappa, 0.3^3 kappa, … (DynAE.py:387-540)."""
    fall = 0.3 * kappa
    for _ in range(n - 1):
        fall *= 0.3
    return fall
