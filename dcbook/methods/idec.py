"""IDEC, Improved Deep Embedded Clustering with local structure preservation: Guo, Gao, Liu & Yin, IJCAI 2017.

As DEC, but the decoder is kept and the reconstruction error is added to the loss: L = L_r + gamma KL(P || Q). For the
symbols and the loop see `dcbook.training.self_training`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.self_training import check_schedule, self_train


@dataclass(kw_only=True, repr=False, eq=False)
class IDEC(DeepClusterer):
    """Improved Deep Embedded Clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    gamma : weight of the clustering loss (0.1).
    max_updates, update_interval, tol : as in DEC (20,000; 140 on MNIST, 30 on USPS; 0.001).
    optimizer, lr, momentum : "adam" with 0.001, as released for MNIST, or "sgd" (0.1 and 0.99 for other data sets).
    alpha : degrees of freedom of Student's t (1).

    history_ has, beside the loss, `updates`, the number of updates so far. `n_updates_` is their number, also after
    Ctrl-C.

    L_r is averaged over batch and pixels, KL over the batch (IDEC.py:84-205). The released code scales pixels to
    [0, 5.1], which makes L_r 26 times larger than for pixels in [0, 1], as used here.
    """

    start: Any = None
    gamma: float = 0.1
    max_updates: int = 20_000
    update_interval: int = 140
    tol: float = 1e-3
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    alpha: float = 1.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _during_fit = (*DeepClusterer._during_fit, "_target")
    _state = (*DeepClusterer._state, "_target")

    def _check_hyperparameters(self) -> None:
        check_schedule(self)
        if self.gamma < 0:
            raise ValueError(f"gamma must be at least 0, not {self.gamma}")

    def _initialize(self, recipe, start) -> None:
        self.n_updates_ = 0
        super()._initialize(recipe, start)

    def _optimize(self) -> None:
        self_train(self, self.autoencoder_.train().parameters())

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """IDEC Eq. (1): L_r, the mean squared error, and gamma L_c, L_c = KL(P || Q) for the current target P."""
        x, target = self._samples(rows), self._target.index_select(0, rows)
        u, x_hat = self._reconstructed(x)
        clustering = losses.kl_divergence(target, self._soft_assignments(u))
        return {"self": losses.mean_squared_error(x, x_hat), "pseudo": self.gamma * clustering}

    def _soft_assignments(self, u: Tensor) -> Tensor:
        return losses.student_t(u, self._centers, self.alpha)
