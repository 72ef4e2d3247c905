"""DEC, Deep Embedded Clustering: Xie, Girshick & Farhadi, ICML 2016, arXiv 1511.06335.

Start from an autoencoder and k-means centers, remove the decoder, and minimize KL(P || Q) over encoder and centers,
where P is a sharpened Q. For the symbols and the loop see `dcbook.training.self_training`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.self_training import check_schedule, self_train


@dataclass(kw_only=True, repr=False, eq=False)
class DEC(DeepClusterer):
    """Deep Embedded Clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    max_updates : maximum number of mini-batch updates (20,000 in the Keras port).
    update_interval : updates between two target distributions (160 on MNIST in the original, 140 in the port).
    tol : stop when less than this share of the labels changes between two targets (0.001; 0 never stops).
    optimizer, lr, momentum : "sgd" with 0.01 and 0.9 as in the original code, or "adam" with `lr`.
    alpha : degrees of freedom of Student's t (1).

    history_ has, beside the loss, `updates`, the number of updates so far. `n_updates_` is their number, also after
    Ctrl-C.

    The original code pretrains layer by layer with dropout, on pixels scaled to [0, 5.1]. Here, as in later ports, the
    autoencoder is trained end to end; pixels are in [0, 1].
    """

    start: Any = None
    max_updates: int = 20_000
    update_interval: int = 140
    tol: float = 1e-3
    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    alpha: float = 1.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _decoder_for = None
    _during_fit = (*DeepClusterer._during_fit, "_target")
    _state = (*DeepClusterer._state, "_target")

    def _check_hyperparameters(self) -> None:
        check_schedule(self)

    def _initialize(self, recipe, start) -> None:
        self.n_updates_ = 0
        super()._initialize(recipe, start)

    def _optimize(self) -> None:
        self_train(self, self.autoencoder_.train().encoder.parameters())

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """KL(P || Q) for the current target P."""
        u = self.autoencoder_.encoder(self._samples(rows))
        return {"pseudo": losses.kl_divergence(self._target.index_select(0, rows), self._soft_assignments(u))}

    def _soft_assignments(self, u: Tensor) -> Tensor:
        return losses.student_t(u, self._centers, self.alpha)
