"""IDFD, instance discrimination and feature decorrelation: Tao, Takagi & Nakata, ICLR 2021, arXiv 2106.00131.

| symbol | name in code      | shape  | meaning                                                               |
|--------|-------------------|--------|-----------------------------------------------------------------------|
| v_i    | head_.features(h) | (B, d) | a view's code, mapped linearly and scaled to length 1                 |
| m_j    | self._memory      | (N, d) | memory of each image: m ← (m + v) / 2, scaled to length 1             |
| L_id   | "instance"        |        | cross-entropy of image i among all N, logits v_i·m_j / tau, tau = 1   |
| C_kl   |                   | (d, d) | cosines of the columns of v over the batch / tau_2, tau_2 = 2         |
| L_fd   | "decorrelation"   |        | cross-entropy of dimension k among all d, logits C_kl                 |

L = L_id + L_fd; one view of each image an epoch. Neither loss uses clusters: these come from k-means on the memory with
20 starts. The analogy is spectral clustering: the soft temperature keeps similarities of images, as a graph does, and
dimensions become orthogonal, as eigenvectors are. tau = 0.07, as usual in instance discrimination, is another method.
The other symbols: `dcbook.training.head_clusterer`.

Source: the released code (TTN-YKK/Clustering_friendly_representation_learning, main.py), read; the paper's text was not
at hand. The code trains on the 50,000 training images of CIFAR-10; the paper reportedly uses all 60,000. As released,
the memory takes the features of the forward pass before the update, and L_fd needs batches of at least d images to
reach its least value, 4.357086 for d = 128. Not followed: weights of convolutions start as in `dcbook.models.ResNet`.
Labels of the training images are those of their memories; `predict` takes an image as it is.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.clustering import kmeans
from dcbook.models import UnitMap
from dcbook.training.augment import Augmentation
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.inputs import stream
from dcbook.training.optimizers import SGD
from dcbook.training.schedules import check_schedule, step_factor

VIEW = Augmentation(crop=0.2, flip=False, jitter=0.5, hue=0.0, jittered=1.0)
DROPS = (0.3, 0.475, 0.65, 0.825)
RESTARTS = 20


@dataclass(kw_only=True, repr=False, eq=False)
class IDFD(HeadClusterer):
    """Instance discrimination with a soft temperature and decorrelated features, then k-means on the memory.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    architecture, width : of the `dcbook.models.ResNet` (ResNet-18, 64).
    embedding_dim : d, dimension of v (128).
    view : by default crops of at least 20 percent of the area and color jitter of all images without hue; no flips.
    epochs, lr, sgd_momentum, weight_decay : of SGD (2,000 epochs, 0.03, 0.9, 5e-4); batch_size None is 128.
    schedule : "steps", a tenth of the step after 30, 47.5, 65 and 82.5 percent of the epochs; "cosine"; "constant".
    temperature, decorrelation_temperature : tau and tau_2, above 0 (1, 2).
    memory_momentum : share of the memory that stays when the image is seen, in [0, 1) (0.5).
    instance, decorrelation : weights of the two losses, at least 0 (1 each); 0 removes a loss.

    Attributes
    ----------
    head_ : a `UnitMap`, with `features` v and the `centers` of k-means among them.
    """

    architecture: str = "resnet-18"
    width: float = 64
    embedding_dim: int = 128
    view: Any = VIEW
    epochs: int = 2000
    lr: float = 0.03
    sgd_momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "steps"
    temperature: float = 1.0
    decorrelation_temperature: float = 2.0
    memory_momentum: float = 0.5
    instance: float = 1.0
    decorrelation: float = 1.0

    OF_SAMPLES = ("instance", "decorrelation")
    SIZES: ClassVar = {"batch_size": 128}
    _state = (*HeadClusterer._state, "_memory")
    _during_fit = (*HeadClusterer._during_fit, "_memory")

    def _optimize(self) -> None:
        weights = [*self.autoencoder_.encoder.parameters(), *self.head_.parameters()]
        optimizer = SGD(weights, self.lr, self.sgd_momentum, self.weight_decay)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        seen: dict[str, Tensor] = {}

        def losses_of(rows: Tensor) -> dict[str, Tensor]:
            seen["rows"], seen["v"] = rows, self._features(rows, noise)
            return self._parts(**seen)

        def remember() -> None:
            rows, v = seen["rows"], seen["v"].detach()
            self._memory[rows] = losses.remembered(self._memory[rows], v, self.memory_momentum)

        for epoch, log in self._epochs("instances", self.epochs, optimizer=optimizer, order=order, noise=noise):
            optimizer.lr = self.lr * step_factor(self.schedule, epoch, self.epochs, DROPS)
            found = self._pass(losses_of, self._batches(order), optimizer, remember)
            self._find_clusters(restarts=1)
            log(**found)

    def _complete(self) -> None:
        if self._has_clusters:
            self._find_clusters(RESTARTS)
        super()._complete()

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        return self._parts(rows, self._features(rows, noise))

    def _features(self, rows: Tensor, noise: torch.Generator) -> Tensor:
        """v (B, d) of a view of each image."""
        return self.head_.features(self.autoencoder_.encoder(self.view(self._samples(rows), noise)))

    def _parts(self, rows: Tensor, v: Tensor) -> dict[str, Tensor]:
        parts = {}
        if self.instance:
            discrimination = losses.instance_discrimination(v, self._memory, rows, self.temperature)
            parts["instance"] = self.instance * discrimination
        if self.decorrelation:
            decorrelation = losses.decorrelation(v, self.decorrelation_temperature)
            parts["decorrelation"] = self.decorrelation * decorrelation
        return parts

    def _find_clusters(self, restarts: int) -> None:
        """k-means on the memory."""
        settings = {"random_state": stream(self.seed_, "k-means"), "device": self._memory.device}
        self.head_.centers.copy_(kmeans(self._memory, self.n_clusters, n_init=restarts, **settings).centers)

    def _training_labels(self) -> Tensor:
        return self.head_.nearest(self._memory) if self._has_clusters else super()._training_labels()

    def _initialize(self, recipe, start) -> None:
        d = self.embedding_dim
        uniform = torch.rand(len(self._x), d, generator=stream(self.seed_, "memory"))
        self._memory = ((2 * uniform - 1) * (3 / d) ** 0.5).to(self._device)
        super()._initialize(recipe, start)

    def _fresh_head(self, d: int) -> nn.Module:
        return UnitMap(d, self.n_clusters, self.embedding_dim)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        check_schedule(self.schedule)
        if self.embedding_dim < 2 or min(self.temperature, self.decorrelation_temperature) <= 0:
            raise ValueError(
                f"embedding_dim must be at least 2 and both temperatures above 0, not {self.embedding_dim}, "
                f"{self.temperature}, {self.decorrelation_temperature}"
            )
        if not 0 <= self.memory_momentum < 1 or not 0 <= self.sgd_momentum < 1 or self.weight_decay < 0:
            raise ValueError(
                f"memory_momentum and sgd_momentum must lie in [0, 1) and weight_decay be at least 0, not "
                f"{self.memory_momentum}, {self.sgd_momentum}, {self.weight_decay}"
            )
        if min(self.instance, self.decorrelation) < 0 or not (self.instance or self.decorrelation):
            raise ValueError(
                f"the weights instance and decorrelation must be at least 0 and one of them above 0, not "
                f"{self.instance}, {self.decorrelation}"
            )
