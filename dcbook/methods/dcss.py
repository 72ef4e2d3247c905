"""DCSS, Deep Clustering with Self-Supervision using pairwise similarities: Sadeghi & Armanfard, arXiv 2405.03590.

| symbol   | name in code   | shape  | equation                                              |
|----------|----------------|--------|-------------------------------------------------------|
| u_i      | u              | (B, d) | encoder output, "u space"                             |
| mu_k     | self._centers  | (K, d) | Eq. (3), recomputed, not trained by gradient          |
| p_ik     | p              | (B, K) | Eq. (2), membership in u space                        |
| q_ik     | q              | (B, K) | MNet(u), "q space"                                    |
| alpha, m, T1, T2, zeta, gamma | the same |  | section 3; alpha, T2, gamma: see below |

Numbers of alpha, T2 and gamma are the code's. They are missing in our text of the paper, as are the bodies of Eqs. (1)
to (5), rebuilt from its words and the code. That Eqs. (4) and (5) leave out i = j is our reading.

Phase 1: every batch trains the autoencoder K times, the k-th time on the loss of cluster k, Eq. (1), with memberships
from the first forward pass. This takes K forward and K backward passes; the released loop takes 2K and K.
Phase 2: the decoder is removed. MNet and the encoder learn from pairs that are clearly similar or dissimilar, according
to p at first, Eq. (4), and to MNet's output q from epoch T2 on, Eq. (5).

The paper and the released code differ (Armanfard-Lab/DCSS at 21663bc, file DCSS.py); `variant` selects the paper, the
code, or single rows:

| row        | what                        | "paper"                        | "released"                               |
|------------|-----------------------------|--------------------------------|------------------------------------------|
| rounding   | q in the loss               | not rounded                    | > .99 → 1, < .01 → 0, no gradient (:241) |
| self-pairs | selected pairs              | >= zeta, <= gamma, i ≠ j (our  | > zeta, < gamma, self-pairs too (:244)   |
|            |                             | reading, see above)            |                                          |
| scale      | factor of the phase-2 loss  | 1                              | 0.001 (:247)                             |
| centers    | updated in phase 2          | after every epoch              | while T < T2 (:257)                      |
|            | and in phase 1              | every T1 epochs                | if T mod T1 = 1, never for T1 = 1 (:178) |
| evaluation | labels of training images   | evaluation mode, dataset order | training mode, shuffled batches (:135)   |
|            | batch norm in pretraining   | `Pretraining(released=False)`  | `released=True`: frozen (:54-70)         |

The released code also selects the checkpoint with the best accuracy by the true labels. `fit` uses none; the monitor
`dcbook.evaluation.LabelPicked` shows what the code would have reported. Not followed: division by zero for a sample at
a center, batches that must divide N, decoder blocks that are built but not used.
"""

from copy import deepcopy
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.models import MNet
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import SGD, Adam
from dcbook.training.variants import released_rows, with_fixed

RELEASED_ROWS = ("rounding", "self-pairs", "scale", "centers", "evaluation")
RELEASED_LOSS_SCALE = 1e-3
PAPER_SIZE = 70_000


@dataclass(kw_only=True, repr=False, eq=False)
class DCSS(DeepClusterer):
    """Deep Clustering with Self-Supervision.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : None is `Pretraining()`, fully connected, 100 epochs. The released code has
        `Pretraining(architecture="convolutional", epochs=200, batch_size=500)`, on which phase 1 has a larger effect.
    variant : "paper", "released", or single rows of the table above: "rounding", "rounding+self-pairs", ….
    m : fuzziness of the memberships, above 1 (1.5).
    alpha : weight of the centering loss relative to the reconstruction loss (0.1).
    T1 : number of phase-1 epochs between two updates of the centers (2).
    T2 : number of phase-2 epochs in which pairs are selected by p instead of q (5).
    zeta, gamma : pairs are similar from zeta upward and dissimilar up to gamma, 0 <= gamma <= zeta <= 1 (0.8, 0.2).
    phase1_epochs, phase2_epochs : 200 and 20. Without phase 2 this is the paper's DCSS_u.
    one_update : whether a batch of phase 1 makes one update on the sum of the K losses instead of K (see below).
    aggregated : as `one_update`, for K times the epochs (the paper's DCSS_agg, Table 2).
    phase1_lr, phase1_momentum : step and momentum of SGD in phase 1, whose losses are sums over a batch (1e-6, 0.9).
    encoder_lr, mnet_lr : steps of Adam in phase 2 (1e-5, 1e-3).
    schedule_size : the data size that the schedule is meant for; None uses all numbers as given. The paper's only
        schedule is for the 70,000 images of MNIST. With 70,000, phase 1 uses batches of N/70,000 times `batch_size` and
        a step larger by the inverse factor, so that an epoch makes as many updates as on MNIST, of the same size. Phase
        2, whose pairs need the whole batch, has 70,000/N times the epochs and T2, at least one of each that is not 0.
        Training then takes as long as on MNIST: hours, with the paper's epochs.
    batch_size : in all phases; None is 500, or all samples if there are fewer.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    mnet_ : the network of phase 2; `predict_proba` returns its q, or p without phase 2.
    history_ : in phase 1 Eqs. (1b), (1c) and (1a), summed over the clusters and divided by N; in phase 2 `pairwise`,
        Eq. (4) or (5) without the factor of "scale", divided by N, and `judged_by_q`, 1 from epoch T2 on.

    One update for K: with step s and gradient g_k of the loss of cluster k, K updates without momentum move the weights
    w by -s sum_k g_k(w_k), where w_k - w is of order s. Up to terms of order s^2 this is one update on the summed loss,
    -s sum_k g_k(w), K times as fast. With momentum mu, a gradient moves the weights by s / (1 - mu) in all, over about
    1 / (1 - mu) updates: as many batches with one update a batch, a single one with K = 10. So the one update lags at
    any step, which matters in a short training; at large steps the two forms part (`notebooks/dcss/k_updates_or_one`).

    MNet on top of any encoder (the "general framework" of section 4.8.3, Table 4) is DCSS without phase 1:

    - X + MNet for a fitted DEC, IDEC, AE + k-means, …: `DCSS(K, start=X.start_, phase1_epochs=0)`. Phase 2 starts from
      X's encoder and centers and trains the encoder together with MNet.
    - Features (N, d) from any source: `DCSS(K, start=IdentityEncoder(), phase1_epochs=0).fit(features)`, with
      `IdentityEncoder` from `dcbook.models`. Only MNet is trained.
    - Your own encoder, with or without a decoder: a module with the attribute `encoder`. As for features, centers come
      from k-means with 20 starts on its codes.
    """

    start: Any = None
    variant: str = "paper"
    m: float = 1.5
    alpha: float = 0.1
    T1: int = 2
    T2: int = 5
    zeta: float = 0.8
    gamma: float = 0.2
    phase1_epochs: int = 200
    phase2_epochs: int = 20
    one_update: bool = False
    aggregated: bool = False
    phase1_lr: float = 1e-6
    phase1_momentum: float = 0.9
    encoder_lr: float = 1e-5
    mnet_lr: float = 1e-3
    schedule_size: int | None = None
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 500}
    _during_fit = (*DeepClusterer._during_fit, "_judged_by_q")

    def _optimize(self) -> None:
        self._phase1()
        self._phase2()

    def _phase1(self) -> None:
        """Algorithm 1, phase 1: K updates per batch on the cluster-specific losses, or one update on their sum."""
        size = min(max(min(2, self.batch_size_), round(self.batch_size_ / self._stretch)), len(self._x))
        step = self.phase1_lr * self.batch_size_ / size
        optimizer = SGD(self.autoencoder_.parameters(), step, self.phase1_momentum)
        order = stream(self.seed_, "phase-1 batches")
        single = [slice(k, k + 1) for k in range(self.n_clusters)]
        updates = [slice(None)] if self.one_update or self.aggregated else single
        epochs = self.phase1_epochs * (self.n_clusters if self.aggregated else 1)
        for epoch, log in self._epochs("phase 1", epochs, optimizer=optimizer, order=order):
            if self._centers_are_due(epoch):
                self._update_centers()
            self.autoencoder_.train()
            parts = [self._train_on(self._x[batch], updates, optimizer) for batch in self._batches(order, size)]
            reconstruction, centering = (torch.stack(parts).sum(0) / len(self._x)).tolist()
            total = losses.cluster_loss(reconstruction, centering, self.alpha)
            log(reconstruction=reconstruction, centering=centering, total=total)

    def _train_on(self, x: Tensor, updates: list[slice], optimizer: SGD) -> Tensor:
        """An SGD step on Eq. (1) for each of `updates`, with p of the first; returns the sums (2,) of both losses."""
        weights, parts = None, []
        for clusters in updates:
            reconstruction, centering, weights = self._errors(x, clusters, weights)
            losses.cluster_loss(reconstruction, centering, self.alpha).backward()
            optimizer.step()
            parts.append(torch.stack([reconstruction.detach(), centering.detach()]))
        return torch.stack(parts).sum(0)

    def _errors(self, x: Tensor, clusters: slice, weights: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Eqs. (1b) and (1c) of a batch for some clusters, and p_ik^m (B, K), which is computed unless it is given."""
        u, x_hat = self._reconstructed(x)
        if weights is None:
            weights = losses.memberships(u.detach(), self._centers, self.m) ** self.m
        own = weights[:, clusters]
        centering = losses.weighted_centering(u, self._centers[clusters], own)
        return losses.weighted_reconstruction(x, x_hat, own), centering, weights

    def _phase2(self) -> None:
        """Algorithm 1, phase 2: train MNet and encoder on pairs selected by p before epoch T2, by q from then on."""
        epochs, T2 = (max(min(n, 1), round(n * self._stretch)) for n in (self.phase2_epochs, self.T2))
        if not epochs:
            return
        encoder, mnet = self.autoencoder_.encoder, self._new_mnet()
        optimizers = Adam(encoder.parameters(), self.encoder_lr), Adam(mnet.parameters(), self.mnet_lr)
        order = stream(self.seed_, "phase-2 batches")
        loop = {"mnet": mnet, "of encoder": optimizers[0], "of mnet": optimizers[1], "order": order}
        for epoch, log in self._epochs("phase 2", epochs, **loop):
            mnet.train()
            self.autoencoder_.train()
            self._judged_by_q = epoch >= T2
            total = torch.zeros((), device=self._x.device)
            for batch in self._batches(order):
                loss = self._pairwise(self._x[batch], mnet)
                (loss * self._loss_scale).backward()
                for optimizer in optimizers:
                    optimizer.step()
                total += loss.detach()
            self.mnet_ = mnet
            if not self._judged_by_q or "centers" not in self._released_rows:
                self._update_centers()
            log(pairwise=total.item() / len(self._x), judged_by_q=float(self._judged_by_q))
        self.mnet_ = mnet

    def _pairwise(self, x: Tensor, mnet: MNet) -> Tensor:
        """Eq. (4), or Eq. (5) from epoch T2 on."""
        released = self._released_rows
        u = self.autoencoder_.encoder(x)
        q = mnet(u)
        judge = q.detach() if self._judged_by_q else losses.memberships(u.detach(), self._centers, self.m)
        q = losses.rounded(q) if "rounding" in released else q
        return losses.pairwise_loss(q, judge @ judge.T, self.zeta, self.gamma, released="self-pairs" in released)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """Eq. (1b) and alpha times Eq. (1c), summed over all clusters; in phase 2, Eq. (4) or (5) for all pairs."""
        x = self._samples(rows)
        if hasattr(self, "mnet_"):
            return {"pseudo": self._pairwise(x, self.mnet_) * self._loss_scale}
        reconstruction, centering, _ = self._errors(x, slice(None))
        return {"self": reconstruction, "pseudo": self.alpha * centering}

    @property
    def _latent_centers(self) -> Tensor:
        """Centers (K, d); in phase 2 the means of the codes of MNet's clusters, which have another numbering."""
        return self._cluster_means() if hasattr(self, "mnet_") else super()._latent_centers

    @property
    def _loss_scale(self) -> float:
        return RELEASED_LOSS_SCALE if "scale" in self._released_rows else 1.0

    @property
    def _stretch(self) -> float:
        """Factor by which an epoch makes fewer updates than on data of size `schedule_size`."""
        return self.schedule_size / len(self._x) if self.schedule_size else 1.0

    def _centers_are_due(self, epoch: int) -> bool:
        if "centers" in self._released_rows:
            return epoch % self.T1 == 1
        return epoch > 0 and epoch % self.T1 == 0

    def _update_centers(self) -> None:
        """Eq. (3) over the whole data set, with memberships from the previous centers."""
        u = self._embed(self._x)
        p = losses.memberships(u, self._centers, self.m)
        self._centers = losses.weighted_centers(u, p, self.m, before=self._centers)

    def _new_mnet(self) -> MNet:
        with seeded(derived_seed(self.seed_, "mnet")):
            return MNet(self._centers.shape[1], self.n_clusters).to(self._device)

    def _soft_assignments(self, u: Tensor) -> Tensor:
        if not hasattr(self, "mnet_"):
            return losses.memberships(u, self._centers, self.m)
        self.mnet_.eval()
        with torch.inference_mode():
            return self.mnet_(u)

    def _training_labels(self) -> Tensor:
        """Released: by statistics of shuffled batches, computed on a copy to keep the model unchanged."""
        if "evaluation" not in self._released_rows or self._centers is None:
            return super()._training_labels()
        encoder = deepcopy(self.autoencoder_.encoder).train()
        head = deepcopy(self.mnet_).train() if hasattr(self, "mnet_") else None
        last = self.history_[-1] if self.history_ else {"phase": "start", "epoch": 0}
        order = stream(self.seed_, f"evaluation {last['phase']} {last['epoch']}")
        labels = torch.empty(len(self._x), dtype=torch.int64, device=self._x.device)
        with torch.no_grad():
            for batch in self._batches(order):
                u = encoder(self._x[batch])
                labels[batch] = (head(u) if head else losses.memberships(u, self._centers, self.m)).argmax(1)
        return labels

    @property
    def _released_rows(self) -> tuple[str, ...]:
        return released_rows(self.variant, RELEASED_ROWS, without="paper")

    @property
    def _decoder_for(self) -> str | None:
        return "phase 1 of DCSS (phase1_epochs=0 leaves it out)" if self.phase1_epochs else None

    def _check_hyperparameters(self) -> None:
        _ = self._released_rows  # raises for a wrong variant
        if not 0 <= self.gamma <= self.zeta <= 1:
            raise ValueError(f"0 <= gamma <= zeta <= 1 must hold, not gamma={self.gamma}, zeta={self.zeta}")
        if not (1 < self.m < inf and 0 <= self.alpha < inf and self.T1 >= 1 and self.T2 >= 0):
            raise ValueError(
                f"m > 1, alpha >= 0, T1 >= 1, T2 >= 0 must hold, not {self.m}, {self.alpha}, {self.T1}, {self.T2}"
            )
        if not 0 <= self.phase1_momentum < 1:
            raise ValueError(f"phase1_momentum must lie in [0, 1), not {self.phase1_momentum}")
        if min(self.phase1_epochs, self.phase2_epochs) < 0 or min(self.phase1_lr, self.encoder_lr, self.mnet_lr) <= 0:
            raise ValueError("epochs must be at least 0 and steps above 0")
        if self.batch_size == 1 and self.phase2_epochs:
            raise ValueError("batch_size must be at least 2: phase 2 compares the samples of a batch")
        if self.schedule_size is not None and self.schedule_size < 1:
            raise ValueError(f"schedule_size must be None or a number of samples, not {self.schedule_size}")


def DCSS_u(n_clusters: int = 10, **parameters) -> DCSS:
    """DCSS_u, the paper's name for phase 1 alone: a `DCSS` whose labels are the nearest centers in u space."""
    return with_fixed(DCSS, "DCSS_u", {"phase2_epochs": 0}, n_clusters=n_clusters, **parameters)


def DCSS_agg(n_clusters: int = 10, **parameters) -> DCSS:
    """DCSS_agg (Table 2): phase 1 with one update on the summed losses instead of K, for K times the epochs."""
    return with_fixed(DCSS, "DCSS_agg", {"phase2_epochs": 0, "aggregated": True}, n_clusters=n_clusters, **parameters)
