"""DCSS, Deep Clustering with Self-Supervision using pairwise similarities: Sadeghi & Armanfard, arXiv 2405.03590.

| symbol   | name in code   | shape  | equation                                              |
|----------|----------------|--------|-------------------------------------------------------|
| u_i      | u              | (B, d) | encoder output, "u space"                             |
| mu_k     | self._centers  | (K, d) | Eq. (3), recomputed by its own rule, never by gradient |
| p_ik     | p              | (B, K) | Eq. (2), membership in u space                        |
| q_ik     | q              | (B, K) | MNet(u), "q space"                                    |
| alpha, m, T1, T2, zeta, gamma | the same |  | section 3; alpha and gamma are known from the code only |

Phase 1: every batch trains the autoencoder K times, the k-th time on cluster k's own loss, Eq. (1). The memberships are
taken once a batch, so the forward pass of the first update gives them too: K forward and K backward passes, where the
released loop makes 2K and K.
Phase 2: the decoder goes; MNet on top of the encoder learns from pairs that are surely similar or dissimilar, first
judged by p, Eq. (4), and from epoch T2 on by its own output q, Eq. (5).

Paper and released code differ (Armanfard-Lab/DCSS at 21663bc, file DCSS.py); `variant` says which is followed, all of
it or row by row:

| row        | what                        | "paper"                        | "released"                               |
|------------|-----------------------------|--------------------------------|------------------------------------------|
| rounding   | q in the loss               | as it is                       | > .99 → 1, < .01 → 0, no gradient (:241) |
| self-pairs | selected pairs              | >= zeta, <= gamma, two samples | > zeta, < gamma, self-pairs too (:244)   |
| scale      | factor of the phase-2 loss  | 1                              | 0.001 (:247)                             |
| centers    | updated in phase 2          | after every epoch              | while T < T2 (:257)                      |
|            | and in phase 1              | every T1 epochs                | where T mod T1 = 1, never for 1 (:178)   |
| evaluation | labels of training images   | evaluation mode, dataset order | training mode, shuffled batches (:135)   |
|            | batch norm in pretraining   | `Pretraining(released=False)`  | `released=True`: frozen (:54-70)         |

The released code also keeps the checkpoint with the best accuracy against the true labels. No label enters `fit`, so
that is no variant: the monitor `dcbook.evaluation.LabelPicked` shows what it would have reported. Not followed at all:
division by zero for a sample on a center, batches that must divide N, decoder blocks that are built and never used.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dcbook import losses
from dcbook.models import MNet
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import SGD, Adam
from dcbook.training.variants import with_fixed

RELEASED_ROWS = ("rounding", "self-pairs", "scale", "centers", "evaluation")
RELEASED_LOSS_SCALE = 1e-3
PAPER_SIZE = 70_000


@dataclass(kw_only=True, repr=False, eq=False)
class DCSS(DeepClusterer):
    """Deep Clustering with Self-Supervision.

    Parameters
    ----------
    Beside those of `DeepClusterer`:

    variant : "paper", "released", or single rows of the table above: "rounding", "rounding+self-pairs", ….
    m : fuzziness of the memberships, above 1 (1.5).
    alpha : weight of centering against reconstruction (0.1).
    T1 : phase-1 epochs between two updates of the centers (2).
    T2 : phase-2 epochs that take pairs from p before q takes over (5).
    zeta, gamma : pairs are similar from zeta on and dissimilar up to gamma, 0 <= gamma <= zeta <= 1 (0.8, 0.2).
    phase1_epochs, phase2_epochs : 200 and 20. Without phase 2 this is the paper's DCSS_u.
    one_update : whether a batch of phase 1 makes one update on the sum of the K losses, not K in turn (see below).
    aggregated : the same for K times the epochs (the paper's DCSS_agg, Table 2).
    phase1_lr, phase1_momentum : of SGD on the summed losses (1e-6, 0.9).
    encoder_lr, mnet_lr : of Adam in phase 2 (1e-5, 1e-3).
    schedule_size : None takes all numbers literally. Or the data size that the schedule is written for: the paper
        states one schedule, for the 70,000 images of MNIST, and with N samples an epoch would make N/70,000 as many
        updates. With 70,000, phase 1 takes batches of N/70,000 times `batch_size` with a step as many times larger,
        which keeps the number and the size of an epoch's updates; phase 2, whose pairs need the batch, takes 70,000/N
        times the epochs and T2. Any data then takes as long as MNIST: hours, with the epochs of the paper.
    batch_size : in all phases; None is 500, or all samples where there are fewer.

    Attributes
    ----------
    Beside those of `DeepClusterer`:

    mnet_ : the network of phase 2; `predict_proba` gives its q, or p where there was no phase 2.

    K updates in turn, or one. With step s and g_k the gradient of cluster k's loss, K updates without momentum lead
    from weights w to w - s sum_k g_k(w_k), where w_k lies at a distance of order s from w. But for terms of order s^2
    that is w - s sum_k g_k(w), one update on the sum: `one_update` moves the weights alike, K times as fast. Momentum
    mu moves each gradient by s / (1 - mu) in all, spread over some 1 / (1 - mu) updates: as many batches with one
    update, a batch with ten. That too is alike where gradients change little over these batches. It breaks where the
    step is so long that gradients change much within them: both forms may then diverge, K updates in turn as well as
    the one. `notebooks/dcss/k_updates_or_one` measures it.

    MNet on top of any encoder (the "general framework" of section 4.4, Table 4) is DCSS without phase 1:

    - X + MNet for a fitted DEC, IDEC, AE + k-means, …: `DCSS(K, start=X.start_, phase1_epochs=0)`. Phase 2 goes on from
      X's encoder and centers and trains that encoder along with MNet.
    - features (N, d) of any origin: `DCSS(K, start=IdentityEncoder(), phase1_epochs=0).fit(features)`, with
      `IdentityEncoder` from `dcbook.models`. Centers come from k-means on the features, and MNet alone is trained.
    - an encoder of your own, without a decoder: a module that has it as its attribute `encoder`.
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
        """Algorithm 1, phase 1: K updates a batch on the cluster-specific losses, or one on their sum."""
        size = min(max(2, round(self.batch_size_ / self._stretch)), len(self._x))
        step = self.phase1_lr * self.batch_size_ / size
        optimizer = SGD(self.autoencoder_.parameters(), step, self.phase1_momentum)
        order = stream(self.seed_, "phase-1 batches")
        update = self._summed_update if self.one_update or self.aggregated else self._cluster_updates
        epochs = self.phase1_epochs * (self.n_clusters if self.aggregated else 1)
        for epoch, log in self._epochs("phase 1", epochs, optimizer=optimizer, order=order):
            if self._centers_are_due(epoch):
                self._update_centers()
            self.autoencoder_.train()
            parts = [update(self._x[batch], optimizer) for batch in self._batches(order, size)]
            reconstruction, centering = (torch.stack(parts).sum(0) / len(self._x)).tolist()
            total = losses.cluster_loss(reconstruction, centering, self.alpha)
            log(reconstruction=reconstruction, centering=centering, total=total)

    def _cluster_updates(self, x: Tensor, optimizer: SGD) -> Tensor:
        """K successive updates on one batch, the k-th weighted by p_ik^m; p is taken from the first forward pass."""
        weights, parts = None, []
        for k in range(self.n_clusters):
            u, x_hat = self._reconstructed(x)
            weights = self._weights(u) if weights is None else weights
            parts.append(self._update(x, x_hat, u, slice(k, k + 1), weights, optimizer))
        return torch.stack(parts).sum(0)

    def _summed_update(self, x: Tensor, optimizer: SGD) -> Tensor:
        """One update on the sum of the K losses (section 4.3, DCSS_agg)."""
        u, x_hat = self._reconstructed(x)
        return self._update(x, x_hat, u, slice(None), self._weights(u), optimizer)

    def _update(self, x, x_hat, u, clusters: slice, weights: Tensor, optimizer: SGD) -> Tensor:
        """One SGD step on Eq. (1) for some clusters; returns their reconstruction and centering losses."""
        reconstruction, centering = self._errors(x, x_hat, u, clusters, weights)
        losses.cluster_loss(reconstruction, centering, self.alpha).backward()
        optimizer.step()
        return torch.stack([reconstruction.detach(), centering.detach()])

    def _errors(self, x, x_hat, u, clusters: slice, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Eqs. (1b) and (1c) for some clusters."""
        weights = weights[:, clusters]
        centering = losses.weighted_centering(u, self._centers[clusters], weights)
        return losses.weighted_reconstruction(x, x_hat, weights), centering

    def _weights(self, u: Tensor) -> Tensor:
        return losses.memberships(u.detach(), self._centers, self.m) ** self.m

    def _phase2(self) -> None:
        """Algorithm 1, phase 2: MNet and encoder on pairs judged by p before epoch T2, by q from then on."""
        epochs, T2 = (round(n * self._stretch) for n in (self.phase2_epochs, self.T2))
        if not epochs:
            return
        encoder = self.autoencoder_.encoder
        mnet = self._new_mnet()
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
        """Eq. (4) or, once q judges, Eq. (5)."""
        released = self._released_rows
        u = self.autoencoder_.encoder(x)
        q = mnet(u)
        judge = q.detach() if self._judged_by_q else losses.memberships(u.detach(), self._centers, self.m)
        q = losses.rounded(q) if "rounding" in released else q
        return losses.pairwise_loss(q, judge @ judge.T, self.zeta, self.gamma, released="self-pairs" in released)

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """Eq. (1b), and alpha times Eq. (1c), both summed over all clusters; in phase 2 Eq. (4) or (5) of all pairs."""
        x = self._samples(rows)
        if hasattr(self, "mnet_"):
            return {"pseudo": self._pairwise(x, self.mnet_) * self._loss_scale}
        u, x_hat = self._reconstructed(x)
        reconstruction, centering = self._errors(x, x_hat, u, slice(None), self._weights(u))
        return {"self": reconstruction, "pseudo": self.alpha * centering}

    @property
    def _latent_centers(self) -> Tensor:
        """In phase 2 clusters are MNet's, whose numbers are not those of the centers: the means of their codes."""
        return self._cluster_means() if hasattr(self, "mnet_") else super()._latent_centers

    @property
    def _loss_scale(self) -> float:
        return RELEASED_LOSS_SCALE if "scale" in self._released_rows else 1.0

    @property
    def _stretch(self) -> float:
        """By how much fewer updates an epoch makes here than on the data the schedule was written for."""
        return self.schedule_size / len(self._x) if self.schedule_size else 1.0

    def _centers_are_due(self, epoch: int) -> bool:
        if "centers" in self._released_rows:
            return epoch % self.T1 == 1
        return epoch > 0 and epoch % self.T1 == 0

    def _update_centers(self) -> None:
        """Eq. (3) over the whole data set, with memberships from the centers as they were."""
        u = self._embed(self._x)
        self._centers = losses.weighted_centers(u, losses.memberships(u, self._centers, self.m), self.m)

    def _new_mnet(self) -> MNet:
        latent_dim = self._centers.shape[1]
        with seeded(derived_seed(self.seed_, "mnet")):
            return MNet(latent_dim, self.n_clusters).to(self._device)

    def _soft_assignments(self, u: Tensor) -> Tensor:
        if not hasattr(self, "mnet_"):
            return losses.memberships(u, self._centers, self.m)
        self.mnet_.eval()
        with torch.inference_mode():
            return self.mnet_(u)

    def _training_labels(self) -> Tensor:
        if "evaluation" not in self._released_rows or self._centers is None:
            return super()._training_labels()
        return self._labels_in_training_mode()

    def _labels_in_training_mode(self) -> Tensor:
        """The released evaluation, on the statistics of shuffled batches; here on a copy: a look changes no model."""
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
        known = {"paper": (), "released": RELEASED_ROWS}
        return known[self.variant] if self.variant in known else tuple(self.variant.split("+"))

    @property
    def _decoder_for(self) -> str | None:
        return "phase 1 of DCSS (phase1_epochs=0 leaves it out)" if self.phase1_epochs else None

    def _check_hyperparameters(self) -> None:
        if not set(self._released_rows) <= set(RELEASED_ROWS):
            rows = ", ".join(RELEASED_ROWS)
            raise ValueError(f'variant must be "paper", "released" or rows of {rows} joined by +, not {self.variant!r}')
        if not 0 <= self.gamma <= self.zeta <= 1:
            raise ValueError(f"0 <= gamma <= zeta <= 1 must hold, not gamma={self.gamma}, zeta={self.zeta}")
        if self.m <= 1 or self.alpha < 0 or self.T1 < 1 or self.T2 < 0:
            raise ValueError(
                f"m > 1, alpha >= 0, T1 >= 1, T2 >= 0 must hold, not {self.m}, {self.alpha}, {self.T1}, {self.T2}"
            )
        if min(self.phase1_epochs, self.phase2_epochs) < 0 or min(self.phase1_lr, self.encoder_lr, self.mnet_lr) <= 0:
            raise ValueError("epochs must be at least 0 and steps above 0")
        if self.schedule_size is not None and self.schedule_size < 1:
            raise ValueError(f"schedule_size must be None or a number of samples, not {self.schedule_size}")


def DCSS_u(n_clusters: int = 10, **parameters) -> DCSS:
    """DCSS_u, the paper's name for phase 1 alone: a `DCSS` whose labels are the nearest centers in u space."""
    return with_fixed(DCSS, "DCSS_u", {"phase2_epochs": 0}, n_clusters=n_clusters, **parameters)


def DCSS_agg(n_clusters: int = 10, **parameters) -> DCSS:
    """DCSS_agg (Table 2): phase 1 with one update on the summed losses in place of K, for K times the epochs."""
    fixed = {"phase2_epochs": 0, "aggregated": True}
    return with_fixed(DCSS, "DCSS_agg", fixed, n_clusters=n_clusters, **parameters)
