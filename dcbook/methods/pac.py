"""PAC, probability aggregation clustering: Yan, Lu & Yan, ECCV 2024, arXiv 2407.05246, part of DPAC.

| symbol | name in code | shape  | meaning                                                              |
|--------|--------------|--------|----------------------------------------------------------------------|
| f_i    | f            | (N, d) | codes of the start, scaled to length 1                               |
| p_i    | p            | (N, K) | assignments, nearly equal at the start                               |
| d_ij   |              |        | 1 - f_i·f_j                                                          |
| s_ik   |              |        | sum_j d_ij p_jk^m: distance of cluster k from i, without a center    |

Minimizes sum_ij d_ij sum_k p_ik^m p_jk^m over assignments, one sample at a time: p_ik ∝ s_ik^(-1 / (m - 1)), m = 1.01.
A sweep visits all samples; sweeps end when one changes p by less than 0.001 a sample. As s_ik = sum_j p_jk^m -
f_i·sum_j p_jk^m f_j, two sums take the place of N × N distances, and a step costs d K operations, not N K.

Source: the released code (aomandechenai/Deep-Probability-Aggregation-Clustering,
probability_aggregation_clustering.py), read; the paper's text was not at hand. There, the exponent 1 / (m - 1) is
truncated to an integer, 99 for m = 1.01, as 1 / (1.01 - 1) is 99.99…; here it is 100. DPAC, which trains the network by
the same assignments, is not here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcbook import losses
from dcbook.models import Aggregation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream
from dcbook.training.start import resolve_start

LEAST_SWEEPS = 11


@dataclass(kw_only=True, repr=False, eq=False)
class PAC(DeepClusterer):
    """Probability aggregation clustering of the codes of a start: fuzzy clusters without centers.

    Parameters
    ----------
    In addition to those of `DeepClusterer`; there are no batches:

    start : as in `DeepClusterer`, but its centers are not used; the method is designed for the codes of a contrastive
        pretext.
    m : exponent of assignments, above 1 (1.01; near 1, assignments become hard).
    epochs : largest number of sweeps over the samples (100).
    tol : a sweep that changes p by less than this, summed over clusters and averaged over samples, is the last one,
        from the 12th on; at least 0 (0.001).
    uniformity : the first assignments are softmaxes of standard normals over this number, above 0 (1,000).

    Attributes
    ----------
    head_ : an `Aggregation`, which holds the two sums; `predict_proba` gives p. `cluster_centers_` are the means of
        clusters' codes.
    history_ : one entry for each sweep: the loss divided by N, and `change`.
    """

    start: Any = None
    m: float = 1.01
    epochs: int = 100
    tol: float = 1e-3
    uniformity: float = 1000.0

    _decoder_for = None
    _state = (*DeepClusterer._state, "head_")

    def _optimize(self) -> None:
        u = self._embed(self._x)
        f = torch.nn.functional.normalize(u.double().cpu(), dim=1)
        first = torch.randn(len(u), self.n_clusters, generator=stream(self.seed_, "assignments"), dtype=torch.float64)
        p = (first / self.uniformity).softmax(1)
        self.head_ = Aggregation(u.shape[1], self.n_clusters, self.m).to(self._device)
        self._take(u, f, p)
        for sweep, log in self._epochs("aggregation", self.epochs, p=p):
            if sweep > LEAST_SWEEPS and self.history_[-1]["change"] < self.tol:
                break
            change = aggregate(f.numpy(), p.numpy(), self.m)
            self._take(u, f, p)
            log(loss=losses.aggregation_loss(f, p, self.m).item(), change=change)

    def _take(self, u: Tensor, f: Tensor, p: Tensor) -> None:
        self.head_.take(f.to(u.device), (p**self.m).to(u.device))
        self._centers = self._cluster_means(u)

    def _resolve_start(self, input_shape: tuple[int, ...]):
        return resolve_start(self.start, input_shape, None)

    def _first_centers(self, restarts: int) -> None:
        return None

    def _check_hyperparameters(self) -> None:
        if self.m <= 1 or self.uniformity <= 0 or min(self.epochs, self.tol) < 0:
            raise ValueError(
                f"m must be above 1, uniformity above 0, epochs and tol at least 0, not {self.m}, {self.uniformity}, "
                f"{self.epochs}, {self.tol}"
            )


def aggregate(f: np.ndarray, p: np.ndarray, m: float) -> float:
    """One sweep: the assignments p (N, K) of features f (N, d) of length 1, updated in place one after the other.

    Returns how much they changed, summed over clusters and averaged over samples. Both arrays are float64.
    """
    q = p**m
    mass, moments, change = q.sum(0), q.T @ f, 0.0
    for f_i, p_i, q_i in zip(f, p, q, strict=True):
        log_s = np.log(np.maximum(mass - moments @ f_i, np.finfo(np.float32).tiny))
        new = np.exp((log_s.min() - log_s) / (m - 1))
        new /= new.sum()
        step = new**m - q_i
        mass += step
        moments += step[:, None] * f_i
        change += np.abs(new - p_i).sum()
        p_i[:] = new
    return float(change) / len(p)
