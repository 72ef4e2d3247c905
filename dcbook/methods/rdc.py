"""R-DC (RECONSTRUCTION), after Shaheen, Mrabah, Ksantini & Alqaddoumi 2025, "Self-Supervision Is All You Need".

arXiv 2503.03733. No equation, setting, table or code of R-DC was available to us. This reconstruction is based on its
abstract and captions, summaries by others and the authors' earlier methods, with low to medium confidence.

| part                                                              | confidence                                       |
|-------------------------------------------------------------------|--------------------------------------------------|
| two rounds of self-supervision, of samples, then of neighborhoods | certain (abstract)                               |
| no pseudo-labels; a smooth transition between the rounds          | certain (abstract)                               |
| two filters, then centroids of nearest neighbors                  | high (summary); which filters: unknown           |
| phase 1 is ACAI                                                   | medium to high (second-hand; as in DynAE)        |
| neighbors from distances of codes                                 | medium to high (second-hand summary)             |
| the loss, k, tau, hand-over, refresh, stop, optimizer, k-means    | unknown: parameters below, defaults chosen here  |

| symbol | name in code         | shape  | meaning                                                              |
|--------|----------------------|--------|----------------------------------------------------------------------|
| z_i    | u                    | (N, d) | codes, recomputed every `refresh` epochs                             |
| N_k(i) | indices              | (N, k) | the k nearest other samples, by Euclidean distance D_ij              |
|        | kept                 | (N, k) | neighbors that pass both filters, if sample i is handed over         |
| c_i    | centroids            | (N, d) | mean of z_i and the codes of its kept neighbors                      |
| T      | view                 |        | shifts and rotates a sample slightly                                 |

A sample without kept neighbors has c_i = z_i and its own image as target, as in phase 1 (and as conflicted samples in
DynAE). The transition is therefore smooth: samples are handed over from the target of phase 1 to that of phase 2
gradually.

Targets that depend on the network can make training diverge. On the digits, within 20 epochs, loss and variance of the
codes grew several times larger with "current" decoders refreshed every epoch and, for "latent", with gamma 1. The
defaults avoid this; they were chosen by the loss, without labels.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.clustering import kmeans
from dcbook.training.acai import ACAIPretraining
from dcbook.training.assignments import EVALUATION_BATCH
from dcbook.training.augment import ShiftRotation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream
from dcbook.training.neighborhoods import AGREEMENT_FILTERS, DISTANCE_FILTERS, KAPPA, neighborhoods
from dcbook.training.optimizers import SGD, Adam

RESTARTS = 20
CHOICES = {
    "distance_filter": DISTANCE_FILTERS,
    "agreement_filter": AGREEMENT_FILTERS,
    "loss": ("image", "latent", "neighbor"),
    "target_decoder": ("phase 1", "current"),
    "optimizer": ("adam", "sgd"),
}


@dataclass(kw_only=True, repr=False, eq=False)
class RDCReconstruction(DeepClusterer):
    """A reconstruction of R-DC from its abstract, not the authors' algorithm; see the top of this file.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : phase 1, as in `DeepClusterer`; None is `ACAIPretraining()`.
    n_neighbors : k, at least 1 (10; FT-VGAE has 3).
    distance_filter : first filter: keep neighbors with D_ij <= tau, the "mean" or "median" of all D_ij; or "none".
    agreement_filter : second filter: keep "mutual" neighbors; or neighbors that are unconflicted by DynAE's rule
        ("confidence", with kappa 3 and the centers of k-means: weak pseudo-labels, contrary to the paper's claim); or
        "none".
    loss : "image": ||g(f(T(x_i))) - sg g(c_i)||^2, the analog of DynAE's center images; "latent": gamma times that
        + ||f(T(x_i)) - sg c_i||^2; "neighbor": the mean over i and its kept neighbors l of ||g(f(T(x_l))) - x_i||^2,
        the analog of FT-VGAE. All are means over pixels or dimensions; sg stops the gradient. The computing time of
        "neighbor" is larger by the factor 1 + the number of kept neighbors.
    target_decoder : the decoder g of c_i: the one at the end of "phase 1", or the "current" one at each refresh.
    gamma : weight in "latent", at least 0 (100, as in DynAE).
    epochs : maximum number of epochs of phase 2 (40, less than a tenth of phase 1's).
    refresh : number of epochs between two searches for neighbors (1).
    hand_over : share of the epochs, in [0, 1], over which the samples are handed over to phase 2, equally many per
        epoch, those with the nearest kept neighbors first (0.5; 0 hands over all samples at once). With `refresh`
        above 1 samples are handed over at each search; the last search must complete the hand-over.
    stop : None: after `epochs`; "distance": when the mean ||z_i - c_i|| does not decrease in an epoch after the
        hand-over is complete; or a function of the model, called after each epoch, that returns whether to stop (in a
        sweep, a frozen dataclass with `__call__`), for example by comparing intrinsic and linear dimension.
    optimizer, lr, momentum : "adam" with 0.0001, or "sgd" with `lr` and `momentum`.
    shift, rotation : ranges of the views T, see `ShiftRotation`; ignored for vectors.

    The final clusters come from k-means with 20 starts on the final codes. After earlier epochs, `labels_` and
    `cluster_centers_` come from k-means that starts from the previous centers; no loss uses them except with
    "confidence".

    history_ has, at the end of each epoch, `loss`, `survived` (share of the samples with neighbors that pass both
    filters), `handed_over` (share of the samples that train on their neighborhood) and `distance`, the mean
    ||z_i - c_i||.
    """

    start: Any = None
    n_neighbors: int = 10
    distance_filter: str = "mean"
    agreement_filter: str = "mutual"
    loss: str = "image"
    target_decoder: str = "phase 1"
    gamma: float = 100.0
    epochs: int = 40
    refresh: int = 1
    hand_over: float = 0.5
    stop: str | Callable[["RDCReconstruction"], bool] | None = None
    optimizer: str = "adam"
    lr: float = 1e-4
    momentum: float = 0.9
    shift: float = 0.1
    rotation: float = 10.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _default_recipe = ACAIPretraining
    _during_fit = (*DeepClusterer._during_fit, "_near", "_images")
    _state = (*DeepClusterer._state, "_near", "_images")

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """{"self": the loss of phase 2} of the training samples `rows` (B,), without augmentation, during `fit`.

        There is no "pseudo" part. {} in phase 1.
        """
        x = self._samples(rows)
        return {} if self._near is None else {"self": self._loss(x, rows, lambda x: x)}

    def _optimize(self) -> None:
        weights = list(self.autoencoder_.train().parameters())
        optimizer = Adam(weights, self.lr) if self.optimizer == "adam" else SGD(weights, self.lr, self.momentum)
        move = ShiftRotation(self.shift, self.rotation)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        decoder = self.autoencoder_.decoder
        decoder = decoder if self.target_decoder == "current" else deepcopy(decoder)
        self._look(self._embed(self._x), 0, decoder)
        codes = None  # codes of the previous epoch
        for epoch, log in self._epochs("phase 2", self.epochs, optimizer=optimizer, order=order, noise=noise):
            if epoch and self._is_over(epoch):
                break
            if epoch and epoch % self.refresh == 0:
                self._look(self._embed(self._x) if codes is None else codes, epoch, decoder)
            total = torch.zeros((), device=self._x.device)
            for batch in self._batches(order):
                value = self._loss(self._samples(batch), batch, lambda x: move(x, noise))
                value.backward()
                optimizer.step()
                total += len(batch) * value.detach()
            codes = self._embed(self._x)
            self._centers = self._followed(codes)
            distance = (codes - self._near.centroids).norm(dim=1).mean().item()
            handed_over = self._near.handed_over.float().mean().item()
            about = {"survived": self._near.survived, "handed_over": handed_over, "distance": distance}
            log(loss=total.item() / len(self._x), **about)

    def _is_over(self, epoch: int) -> bool:
        """Whether `stop` ends the training before this epoch."""
        if self.stop != "distance":
            return bool(self.stop and self.stop(self))
        *_, before, last = [float("inf"), *(e["distance"] for e in self.history_ if e["phase"] == "phase 2")]
        searched = (epoch - 2) // self.refresh * self.refresh  # the epoch of the search that epoch - 2 trained on
        return epoch > 1 and self._share(searched) == 1 and last >= before

    def _loss(self, x: Tensor, rows: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
        """The loss of phase 2 for the training samples x (B, …) with indices `rows` (B,), augmented by `view`."""
        near, kept = self._near, self._near.kept[rows]
        if self.loss == "neighbor":
            own, found = kept.nonzero().unbind(1)
            owners = torch.cat([torch.arange(len(rows), device=rows.device), own])
            seen = torch.cat([rows, near.indices[rows][own, found]])
            weights = 1 / (len(rows) * (1 + kept.sum(1)))[owners]
            _, x_hat = self._reconstructed(view(self._samples(seen)))
            return losses.neighbor_reconstruction(x[owners], x_hat, weights)
        u, x_hat = self._reconstructed(view(x))
        image_error = losses.mean_squared_error(self._images[rows], x_hat)
        if self.loss == "image":
            return image_error
        return losses.mean_squared_error(near.centroids[rows], u) + self.gamma * image_error

    def _look(self, u: Tensor, epoch: int, decoder: nn.Module) -> None:
        """Compute neighborhoods and their images from codes u (N, d)."""
        filters = self.distance_filter, self.agreement_filter
        self._near = neighborhoods(u, self.n_neighbors, *filters, self._centers, self._share(epoch))
        if self.loss != "neighbor":
            self._images = self._x.flatten(1).clone()
            with torch.no_grad():
                for rows in self._near.handed_over.nonzero().flatten().split(EVALUATION_BATCH):
                    self._images[rows] = decoder(self._near.centroids[rows]).flatten(1)

    def _share(self, epoch: int) -> float:
        """The share of the samples that are handed over by an epoch."""
        ramp = self.hand_over * self.epochs
        return min(1.0, (epoch + 1) / ramp) if ramp else 1.0

    def _followed(self, u: Tensor) -> Tensor:
        """Centers (K, d) of k-means on codes u (N, d), starting from the previous centers."""
        randomness = stream(self.seed_, "k-means")
        found = kmeans(u, self.n_clusters, init=self._centers, random_state=randomness, device=u.device)
        return found.centers.to(u)

    def _complete(self) -> None:
        self._centers = self._kmeans(RESTARTS)
        super()._complete()

    def _initialize(self, recipe, start) -> None:
        self._near = self._images = None
        super()._initialize(recipe, start)

    def _check_hyperparameters(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")
        if self.agreement_filter == "confidence" and self.n_clusters <= KAPPA:
            raise ValueError(f'agreement_filter="confidence" needs n_clusters above 3, not {self.n_clusters}')
        if not (self.stop is None or self.stop == "distance" or callable(self.stop)):
            raise ValueError(f'stop must be None, "distance" or a function of the model, not {self.stop!r}')
        ShiftRotation(self.shift, self.rotation)
        if min(self.n_neighbors, self.refresh) < 1 or self.epochs < 0 or not 0 <= self.hand_over <= 1:
            raise ValueError(
                f"n_neighbors and refresh must be at least 1, epochs at least 0 and hand_over in [0, 1], not "
                f"{self.n_neighbors}, {self.refresh}, {self.epochs}, {self.hand_over}"
            )
        if self.epochs and self._share((self.epochs - 1) // self.refresh * self.refresh) < 1:
            raise ValueError("refresh is too large: the last search comes before the hand-over is complete")
        if self.gamma < 0 or self.lr <= 0 or not 0 <= self.momentum < 1:
            raise ValueError(
                f"gamma must be at least 0, lr above 0 and momentum in [0, 1), not {self.gamma}, {self.lr}, "
                f"{self.momentum}"
            )
