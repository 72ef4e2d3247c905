"""What the methods share whose network says the clusters itself: a trunk, a cluster head, views, one kind of loop.

| symbol | name in code                         | shape        | meaning                                           |
|--------|--------------------------------------|--------------|---------------------------------------------------|
| x      | _samples(rows)                       | (B, C, H, W) | images; view(x, noise) is a view of each          |
| h      | autoencoder_.encoder(x), `transform` | (B, d)       | codes of the trunk f                              |
| z      | autoencoder_.head(h)                 | (B, p)       | Z space of an instance head, where there is one   |
| p      | head_(h), `predict_proba`            | (B, K)       | assignments, a softmax; their argmax is the label |

How to add a method of this kind. Its file holds a dataclass that inherits from `HeadClusterer`, with

1. fields: its hyperparameters, and `view`, `epochs` and `lr` with the paper's defaults. A method that trains from
   scratch has `architecture` and `width` (and `projection_dim`, if it has an instance head) and begins with a fresh
   `ResNet`; with a `start` it begins from that trunk, a warm start. A method without `architecture` needs a start;
2. `_losses(rows, noise)`: the parts of the loss on a batch by name, weighted, so that their sum is what an update
   minimizes. Equations are functions in `dcbook.losses`. `OF_SAMPLES` names the parts that need no clusters, which
   `objectives` tells apart from the others; `NOTED` names what only the history gets, such as a share of pairs;
3. only where they differ: `_fresh_head(d)`, `_optimizer(weights)`, and `_optimize` for another loop than "so many
   epochs of batches", which is `for _, log in self._epochs(phase, n, **what changes): log(**self._pass(...))`.

Resuming, seeds, saving, the monitor, read-out and the parts of the loss for the diagnostics then come from here.
What starts from a pretext asks `_pretext_codes` for codes, neighbors and codes of fixed views: those that
`SimCLRPretext` left in the start, or its own. Ask before the first `_epochs`: later the trunk may have changed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dcbook.data.digest import content_digest
from dcbook.models import Classifier, PlainConvNet, ProjectedConvNet, ResNet, plain
from dcbook.models.convnet import PLANS
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import check_images, derived_seed, in_batches, seeded, stream
from dcbook.training.optimizers import Adam, Optimizer
from dcbook.training.pretext import Codes, codes_of
from dcbook.training.start import OF_CODES
from dcbook.training.views import Strong


@dataclass(kw_only=True, repr=False, eq=False)
class HeadClusterer(DeepClusterer):
    """Base of the methods whose cluster head on top of a trunk gives the labels.

    Parameters
    ----------
    All have, beside n_clusters, random_state, device and progress of `DeepClusterer`:

    start : None, for methods that train from scratch: a fresh network. Otherwise as in `DeepClusterer`, of which the
        encoder is taken: SimCLR's `start_`, a recipe such as `ContrastivePretraining()`, …; centers play no part.
    view : random view of images, see `dcbook.training.views`: a dataclass from there, or any function of images and a
        generator.
    epochs, lr : passes over the data and step of the optimizer.
    batch_size : samples in an update, at least 2; None is the method's own number or all samples.

    Samples are images (N, C, H, W) in [0, 1] unless the method says otherwise; a ValueError refuses others.

    Attributes
    ----------
    After `fit`, beside those of `DeepClusterer`:

    autoencoder_ : the network with `encoder`, and `head` where the method has an instance head; no decoder.
    head_ : the cluster head, codes (B, d) → assignments (B, K).
    cluster_centers_ : (K, d) means of the clusters' codes, for pictures: labels do not come from them.
    history_ : one entry an epoch with the loss and its parts, means over the samples.
    """

    start: Any = None
    view: Any = None
    epochs: int = 100
    lr: float = 1e-3
    batch_size: int | None = None

    OF_SAMPLES: ClassVar[tuple[str, ...]] = ()  # parts of the loss that know no clusters
    NOTED: ClassVar[tuple[str, ...]] = ()  # what `_losses` tells the history and is no part of the loss
    IMAGES: ClassVar[bool] = True  # whether it takes nothing else
    SIZES: ClassVar = {"batch_size": 256}
    _decoder_for = None
    _state = ("autoencoder_", "head_", "_centers")
    _during_fit = (*DeepClusterer._during_fit, "_codes", "_before")

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        """The parts of the loss on the training samples `rows` (B,), as they enter the sum. {}: no update."""
        raise NotImplementedError

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """As in `DeepClusterer`; views are drawn from a stream of their own, and no running statistics change."""
        self._samples(rows[:0])  # which refuses where there are none any more
        with statistics_kept(self.autoencoder_, self.head_):
            parts = self._losses(rows, stream(self.seed_, "objectives"))
        found: dict[str, Tensor] = {}
        for name, value in self._summed(parts).items():
            kind = "self" if name in self.OF_SAMPLES else "pseudo"
            found[kind] = found.get(kind, 0.0) + value
        return found

    # --- the loop --------------------------------------------------------------------------------------------------

    def _optimize(self) -> None:
        optimizer = self._optimizer([*self.autoencoder_.parameters(), *self.head_.parameters()])
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order, noise=noise):
            log(**self._pass(lambda rows: self._losses(rows, noise), self._batches(order), optimizer))

    def _optimizer(self, weights: Iterable[nn.Parameter]) -> Optimizer:
        return Adam(weights, self.lr)

    def _pass(
        self,
        losses: Callable[[Tensor], dict[str, Tensor]],
        batches: Iterable[Tensor],
        optimizer: Optimizer,
        after_update: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        """One update on the sum of `losses(rows)` for each batch of rows; the means over samples of sum and parts.

        A batch for which there are no losses makes no update; with no update at all, the loss is 0. `after_update` is
        for what follows the weights or remembers the batch, such as a teacher or a queue.
        """
        self.autoencoder_.train()
        self.head_.train()
        totals: dict[str, Tensor] = {"loss": torch.zeros((), device=self._x.device)}
        seen = 0
        for rows in batches:
            if not (parts := losses(rows)):
                continue
            loss = sum(self._summed(parts).values())
            loss.backward()
            optimizer.step()
            after_update()
            seen += len(rows)
            for name, value in {"loss": loss, **(parts if len(parts) > 1 else {})}.items():
                totals[name] = totals.get(name, 0.0) + len(rows) * value.detach()
        return {name: total.item() / max(seen, 1) for name, total in totals.items()}

    def _summed(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: part for name, part in parts.items() if name not in self.NOTED}

    def _train_in_blocks(self, *networks: nn.Module) -> None:
        """The loop of DAC and DCCM, whose epochs go through blocks of `block_` samples, each `passes` times."""
        optimizer = self._optimizer([weight for network in networks for weight in network.parameters()])
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order, noise=noise):
            batches = self._in_blocks(order, self.block_, self.passes)
            log(**self._pass(lambda rows: self._losses(rows, noise), batches, optimizer))

    def _in_blocks(self, order: torch.Generator, size: int, passes: int) -> Iterator[Tensor]:
        """An epoch in blocks: batches of rows, each block `passes` times in a row, as DAC and DCCM do.

        Before the first batch of a block, `_before` (N, K) gets the assignments of its samples, see `_look`.
        """
        for block in self._batches(order, size):
            self._look(block)
            for _ in range(passes):
                shuffled = block[torch.randperm(len(block), generator=order).to(block.device)]
                yield from in_batches(shuffled, self.batch_size_)

    @torch.no_grad()
    def _look(self, rows: Tensor) -> None:
        """Keep the assignments of samples as they are in `_before`, by statistics of these samples in training."""
        with statistics_kept(self.autoencoder_, self.head_):
            self._before[rows] = self.head_(self.autoencoder_.encoder(self._samples(rows)))

    # --- networks --------------------------------------------------------------------------------------------------

    def _initialize(self, recipe, start) -> None:
        """The trunk, fresh, trained by the recipe or as given, and a fresh cluster head."""
        if recipe or start:
            super()._initialize(recipe, start)
        else:
            with seeded(derived_seed(self.seed_, "network")):
                self.autoencoder_ = self._fresh_network().to(self._device)
        self._centers, self._codes = None, start.codes if start else None
        self._before = self._x.new_zeros(len(self._x), self.n_clusters)
        with seeded(derived_seed(self.seed_, "cluster head")):
            self.head_ = self._fresh_head(self._embed(self._x[:1]).shape[1]).to(self._device)

    def _fresh_network(self) -> nn.Module:
        if self.architecture in plain.PLANS:
            return PlainConvNet(self.input_shape_, self.architecture, self.width, self.n_clusters)
        options = {"projection_dim": getattr(self, "projection_dim", None)}
        network = ProjectedConvNet if self.architecture in PLANS else ResNet
        return network(self.input_shape_, self.architecture, self.width, **options)

    def _fresh_head(self, d: int) -> nn.Module:
        """The cluster head on codes of dimension d; here linear with a softmax."""
        return Classifier(d, self.n_clusters, ())

    def _pretext_codes(self, n_neighbors: int = 1, n_views: int = 0, view: Any = None) -> Codes:
        """Codes of the training samples by the trunk as it is: the start's, where it has them, or made now.

        They have at least so many neighbors (but for N - 1) and views; `view` is the view of new ones.
        """
        samples = content_digest(self._x.cpu().numpy())
        if not (self._codes and self._codes.suits(samples, n_neighbors, n_views)):
            how = {"n_neighbors": n_neighbors, "n_views": n_views, "view": view or Strong(), "seed": self.seed_}
            self._codes = codes_of(self.autoencoder_, self._x, samples, **how)
        return Codes(samples, *(getattr(self._codes, name).to(self._device) for name in OF_CODES))

    def _resolve_start(self, input_shape: tuple[int, ...]):
        if self.start is not None:
            return super()._resolve_start(input_shape)
        if hasattr(self, "architecture"):
            return None, None
        name = type(self).__name__
        raise ValueError(
            f"{name} starts from a pretext: give it one, such as "
            f"{name}({self.n_clusters}, start=SimCLR(...).fit(x).start_)"
        )

    def _first_centers(self, restarts: int) -> None:
        return None

    # --- read-out --------------------------------------------------------------------------------------------------

    @property
    def _has_clusters(self) -> bool:
        return hasattr(self, "head_")

    def _found_centers(self) -> Tensor:
        return self._cluster_means() if self._has_clusters else super()._found_centers()

    def _soft_assignments(self, u: Tensor) -> Tensor:
        training = self.head_.training
        p = self.head_.eval()(u)
        self.head_.train(training)
        return p

    @property
    def _latent_centers(self) -> Tensor:
        return self._found_centers().detach() if self._centers is None else self._centers.detach()

    def _complete(self) -> None:
        super()._complete()
        if self._has_clusters:
            self.head_.eval()

    # --- checks ----------------------------------------------------------------------------------------------------

    def _check_hyperparameters(self) -> None:
        if self.epochs < 0 or self.lr <= 0:
            raise ValueError(f"epochs must be at least 0 and lr above 0, not {self.epochs}, {self.lr}")
        if self.batch_size == 1:
            raise ValueError("batch_size must be at least 2: clusters are compared within a batch")
        if self.IMAGES and not callable(self.view):
            raise ValueError(f"view must be a view from dcbook.training.views or a function, not {self.view!r}")

    def _check_samples(self, x: np.ndarray) -> None:
        if self.IMAGES:
            check_images(type(self).__name__, x)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = not self.IMAGES
        return tags


@contextmanager
def statistics_kept(*networks: nn.Module) -> Iterator[None]:
    """Batch normalization in training mode uses the statistics of the batch, and remembers nothing of it."""
    found = {m for network in networks for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    followed = [m for m in found if m.track_running_stats]
    for m in followed:
        m.track_running_stats = False
    try:
        yield
    finally:
        for m in followed:
            m.track_running_stats = True
