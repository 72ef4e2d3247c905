"""What SimCLR, MoCo, SwAV and DeepCluster-v2 share: a network trained on two views of each image, then k-means.

| symbol   | name in code      | shape      | meaning                                                    |
|----------|-------------------|------------|------------------------------------------------------------|
| x_i, x_j | two of `view(x)`  | (B, C, H, W) | two views of each image, see `dcbook.training.augment`   |
| h_i      | h, `transform`    | (B, 8 width) | output of the encoder f after average pooling, "H space" |
| z_i      | z, `project`      | (B, projection_dim) | output of the head g, "Z space"                   |
| mu_k     | self._centers     | (K, 8 width) | centers from k-means on H space, after training          |
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from dcbook.models import ProjectedConvNet, ResNet
from dcbook.models.convnet import PLANS
from dcbook.training.augment import Augmentation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import check_images, derived_seed, seeded, stream, updates_in
from dcbook.training.optimizers import SGD

RESTARTS = 20


@dataclass(kw_only=True, repr=False, eq=False)
class ContrastiveLearner(DeepClusterer):
    """Base of the methods that learn features from pairs of views, without an autoencoder; their clusters come last.

    Parameters
    ----------
    All have, beside n_clusters, batch_size, random_state, device and progress of `DeepClusterer`:

    architecture, width, projection_dim : of the `dcbook.models.ResNet`: "resnet-18" or "resnet-34" with 3×3 stem, the
        channels of its first stage (H space has 8 times as many dimensions), and the dimension of Z space. Or one of
        the `dcbook.models.ConvNet`, such as "alexnet-small", with `width` as the factor on its channels: then H space
        is fc7 before its ReLU, the network is a `ProjectedConvNet`, and it starts from DeepCluster's weights.
    epochs, lr, sgd_momentum, weight_decay : of SGD; the step falls from `lr` to 0 along half a cosine, an update at a
        time, without the warm-up and the LARS optimizer that SimCLR takes for batches of thousands.
    temperature : tau in the loss, above 0.
    crop, flip, jitter, grayscale : strengths of the views, see `Augmentation`.

    Samples are images (N, C, H, W) in [0, 1]; a ValueError refuses vectors, volumes and other ranges.

    Attributes
    ----------
    After `fit`, beside those of `DeepClusterer`:

    autoencoder_ : the network, with `encoder` and `head` and no decoder. As `start_` it is for methods that need none:
        `DCSS(K, start=simclr.start_, phase1_epochs=0)` puts MNet on top and trains the encoder along (DCSS Table 5).
    history_ : one entry an epoch with the mean loss.
    """

    architecture: str = "resnet-18"
    width: float = 64
    projection_dim: int = 128
    epochs: int = 500
    lr: float = 0.4
    sgd_momentum: float = 0.9
    weight_decay: float = 1e-4
    temperature: float = 0.1
    crop: float = 0.2
    flip: bool = True
    jitter: float = 0.5
    grayscale: float = 0.2
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 512}
    _decoder_for = None
    _phase = "contrastive"
    _head_batch_norm = False

    def project(self, x) -> np.ndarray:
        """Z features of x, shape (N, projection_dim) float32, as the head gives them (not normalized)."""
        h = self._embed(self._prepare(x))
        training = self.autoencoder_.training
        self.autoencoder_.eval()  # a look changes no statistics
        with torch.no_grad():
            z = self.autoencoder_.head(h).cpu().numpy()
        self.autoencoder_.train(training)
        return z

    def _train(
        self,
        loss: Callable[[Tensor, Tensor, Tensor], Tensor],
        *,
        before_epoch: Callable[[], dict[str, float]] = dict,
        after_update: Callable[[int, float], None] = lambda updates, step: None,
        kept: dict[str, Any] | None = None,
    ) -> None:
        """Minimize `loss(view, other view, rows)` over the weights of the network, for batches of rows of `_x`.

        before_epoch : returns what the history is to say of the epoch beside its loss.
        after_update : gets the number of updates so far, this one not counted, and its step.
        kept : what else changes on the way, always in place, and belongs into a checkpoint.
        """
        optimizer = SGD(self.autoencoder_.parameters(), self.lr, self.sgd_momentum, self.weight_decay)
        view = Augmentation(self.crop, self.flip, self.jitter, self.grayscale)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        loop = {"optimizer": optimizer, "order": order, "noise": noise, **(kept or {})}
        each = updates_in(len(self._x), self.batch_size_)
        planned, updates = self.epochs * each, len(self.history_) * each
        for _, log in self._epochs(self._phase, self.epochs, **loop):
            noted = before_epoch()
            self.autoencoder_.train()
            total = torch.zeros((), device=self._x.device)
            for batch in self._batches(order):
                x = self._x.index_select(0, batch)
                value = loss(view(x, noise), view(x, noise), batch)
                value.backward()
                optimizer.lr = self.lr * (1 + math.cos(math.pi * updates / planned)) / 2
                optimizer.step()
                after_update(updates, optimizer.lr)
                updates += 1
                total += len(batch) * value.detach()
            log(loss=total.item() / len(self._x), **noted)
        self._centers = self._kmeans(RESTARTS)

    def _resolve_start(self, input_shape: tuple[int, ...]) -> tuple[None, None]:
        return None, None

    def _initialize(self, recipe, start) -> None:
        """A fresh network; leaves torch's global stream alone."""
        with seeded(derived_seed(self.seed_, "network")):
            shape = (self.architecture, self.width, self.projection_dim, self._head_batch_norm)
            network = (ProjectedConvNet if self.architecture in PLANS else ResNet)(self.input_shape_, *shape)
        self.autoencoder_ = network.to(self._device)

    def _check_hyperparameters(self) -> None:
        Augmentation(self.crop, self.flip, self.jitter, self.grayscale)
        width = 1 if self.architecture in PLANS else self.width  # a factor is checked by its network
        if min(width, self.projection_dim) < 1 or self.epochs < 0 or min(self.lr, self.temperature) <= 0:
            raise ValueError(
                f"width and projection_dim must be at least 1, epochs at least 0, lr and temperature above 0, not "
                f"{self.width}, {self.projection_dim}, {self.epochs}, {self.lr}, {self.temperature}"
            )
        if self.batch_size == 1:
            raise ValueError("batch_size must be at least 2: an image alone has no negatives")
        if not 0 <= self.sgd_momentum < 1 or self.weight_decay < 0:
            raise ValueError(
                f"sgd_momentum must lie in [0, 1) and weight_decay be at least 0, not {self.sgd_momentum}, "
                f"{self.weight_decay}"
            )

    def _check_samples(self, x: np.ndarray | Tensor) -> None:
        check_images(type(self).__name__, x)

    def _prepare(self, x) -> Tensor:
        x = super()._prepare(x)
        check_images(type(self).__name__, x)
        return x

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags
