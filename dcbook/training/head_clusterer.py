"""The base of methods whose network outputs the clusters: a trunk, a cluster head, views, and a training loop.

| symbol | name in code                         | shape        | meaning                                           |
|--------|--------------------------------------|--------------|---------------------------------------------------|
| x      | _samples(rows)                       | (B, C, H, W) | images; view(x, noise) is a view of each          |
| h      | autoencoder_.encoder(x), `transform` | (B, d)       | codes of the trunk f                              |
| z      | autoencoder_.head(h)                 | (B, p)       | output of the instance head, if there is one      |
| p      | head_(h), `predict_proba`            | (B, K)       | assignments, a softmax; their argmax is the label |

How to add a method of this kind: write a dataclass that inherits from `HeadClusterer`, with

1. fields: its hyperparameters, and `view`, `epochs` and `lr` with the paper's defaults. A method that trains from
   scratch has `architecture` and `width` (and `projection_dim`, if it has an instance head) and begins with a fresh
   `ResNet`; with a `start` it begins from that trunk, a warm start. A method without `architecture` needs a start;
2. `_losses(rows, noise)`: the parts of the loss on a batch by name, weighted, so that their sum is what an update
   minimizes. Equations are functions in `dcbook.losses`. `OF_SAMPLES` names the parts that use no clusters, which
   `objectives` separates from the others; `NOTED` names values for the history only, such as a share of pairs;
3. only if they differ: `_fresh_head(d)`, `_optimizer(weights)`, and `_optimize` for a loop other than epochs of
   batches, which is `for _, log in self._epochs(phase, n, **what changes): log(**self._pass(...))`.

The base class then provides resuming, seeds, saving, the monitor, predictions and the parts of the loss for
diagnostics. A method that starts from a pretext calls `_pretext_codes` for codes, neighbors and codes of fixed views:
those that `SimCLRPretext` stored in the start, or new ones. Call it before the first `_epochs`: later the trunk may
have changed.
"""

from abc import abstractmethod
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
from dcbook.training.pretext import Codes, codes_of, view_name
from dcbook.training.start import OF_CODES, resolve_start
from dcbook.training.views import Strong, check_view


@dataclass(kw_only=True, repr=False, eq=False)
class HeadClusterer(DeepClusterer):
    """Base class of methods with a cluster head, on top of a trunk, that gives the labels.

    Parameters
    ----------
    In addition to n_clusters, random_state, device and progress of `DeepClusterer`:

    start : None for a new network, in methods that train from scratch. Otherwise as in `DeepClusterer`: SimCLR's
        `start_`, a recipe such as `ContrastivePretraining()`, …; its encoder is used, its centers are not.
    view : random view of images, see `dcbook.training.views`: a dataclass from there, or any function of images and a
        generator.
    epochs, lr : passes over the data and step of the optimizer.
    batch_size : samples in an update, at least 2; None is the method's own number or all samples.

    Samples are images (N, C, H, W) in [0, 1] unless the method says otherwise; a ValueError refuses others.

    Attributes
    ----------
    After `fit`, in addition to those of `DeepClusterer`:

    autoencoder_ : the network with `encoder`, and `head` if the method has an instance head; no decoder.
    head_ : the cluster head, codes (B, d) → assignments (B, K).
    cluster_centers_ : (K, d) means of the clusters' codes, for pictures; they do not determine labels.
    history_ : one entry an epoch with the loss and its parts, means over the samples.
    """

    start: Any = None
    view: Any = None
    epochs: int = 100
    lr: float = 1e-3
    batch_size: int | None = None

    OF_SAMPLES: ClassVar[tuple[str, ...]] = ()  # parts of the loss that use no clusters
    NOTED: ClassVar[tuple[str, ...]] = ()  # values of `_losses` for the history only
    IMAGES: ClassVar[bool] = True  # whether samples must be images; others have no views
    VIEWS: ClassVar[tuple[str, ...]] = ("view",)  # parameters that are views
    SIZES: ClassVar = {"batch_size": 256}
    _decoder_for = None
    _state = (*DeepClusterer._state, "head_")
    _during_fit = (*DeepClusterer._during_fit, "_codes", "_before")

    @abstractmethod
    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        """The weighted parts of the loss on the training samples `rows` (B,); an empty dict means no update."""

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """As in `DeepClusterer`; views come from a separate random stream, and running statistics do not change."""
        self._samples(rows[:0])  # raises an error if there are no samples any more
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
        """One update on the sum of `losses(rows)` for each batch of rows. Returns means over samples of sum and parts.

        A batch without losses makes no update; without any update, the loss is 0. Losses are means over the samples of
        updates, `NOTED` values means over all, with 0 where there is no update. `after_update` is called after each
        update, for example to update a teacher or a queue.
        """
        self.autoencoder_.train()
        self.head_.train()
        totals: dict[str, Tensor] = {"loss": torch.zeros((), device=self._x.device)}
        seen = updated = 0
        for rows in batches:
            seen += len(rows)
            if not (parts := losses(rows)):
                continue
            loss = sum(self._summed(parts).values())
            loss.backward()
            optimizer.step()
            after_update()
            updated += len(rows)
            for name, value in {"loss": loss, **(parts if len(parts) > 1 else {})}.items():
                totals[name] = totals.get(name, 0.0) + len(rows) * value.detach()
        return {name: total.item() / max(seen if name in self.NOTED else updated, 1) for name, total in totals.items()}

    def _summed(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: part for name, part in parts.items() if name not in self.NOTED}

    def _train_in_blocks(self, *networks: nn.Module) -> None:
        """The loop of DAC and DCCM: an epoch consists of blocks of `block_` samples, each used `passes` times."""
        optimizer = self._optimizer([weight for network in networks for weight in network.parameters()])
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        for _, log in self._epochs("clustering", self.epochs, optimizer=optimizer, order=order, noise=noise):
            batches = self._in_blocks(order, self.block_, self.passes)
            log(**self._pass(lambda rows: self._losses(rows, noise), batches, optimizer))

    def _in_blocks(self, order: torch.Generator, size: int, passes: int) -> Iterator[Tensor]:
        """An epoch in blocks: batches of rows, with `passes` successive passes over each block, as in DAC and DCCM.

        Before the first batch of a block, its assignments are stored in `_before` (N, K), see `_look`.
        """
        for block in self._batches(order, size):
            self._look(block)
            for _ in range(passes):
                shuffled = block[torch.randperm(len(block), generator=order).to(block.device)]
                yield from in_batches(shuffled, self.batch_size_)

    @torch.no_grad()
    def _look(self, rows: Tensor) -> None:
        """Store the current assignments of samples in `_before`, with batch normalization by these samples."""
        with statistics_kept(self.autoencoder_, self.head_):
            self._before[rows] = self.head_(self.autoencoder_.encoder(self._samples(rows)))

    # --- networks --------------------------------------------------------------------------------------------------

    def _begin(self, recipe, start) -> None:
        """Set the trunk: new, of the recipe, or given."""
        for name in self.VIEWS if self.IMAGES else ():
            check_view(name, getattr(self, name), self._x[:2].clone())
        if not (recipe or start):
            with seeded(derived_seed(self.seed_, "network")):
                self.autoencoder_ = self._fresh_network().to(self._device)
        super()._begin(recipe, start)

    def _initialize(self, recipe, start) -> None:
        """Pretrain the trunk by the recipe, if there is one, and create a new cluster head."""
        if recipe or start:
            super()._initialize(recipe, start)
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
        """Codes of the training samples by the current trunk: those of the start, if it has them, or new ones.

        They have at least `n_neighbors` neighbors (at most N - 1) and `n_views` views; `view` is used for new views.
        Raises ValueError if views are needed and those of the start are known to come from another view.
        """
        samples = content_digest(self._x.cpu().numpy())
        if self._codes and self._codes.suits(samples, n_neighbors, n_views):
            made_by = self._codes.made_by
            if n_views and view is not None and made_by not in (None, view_name(view)):
                raise ValueError(
                    f"view is {view!r}, but the start holds codes of views by {made_by}: give that view, or "
                    f"Start(start.autoencoder), a start without codes, from which {type(self).__name__} makes its own"
                )
        else:
            how = {"n_neighbors": n_neighbors, "n_views": n_views, "view": view or Strong(), "seed": self.seed_}
            self._codes = codes_of(self.autoencoder_, self._x, samples, **how)
        return Codes(samples, *(getattr(self._codes, name).to(self._device) for name in OF_CODES))

    def _resolve_start(self, input_shape: tuple[int, ...]):
        if self.start is not None:
            return resolve_start(self.start, input_shape, None, self._decoder_for)
        if hasattr(self, "architecture"):
            return None, None
        name = type(self).__name__
        raise ValueError(
            f"{name} needs a pretext as its start, such as {name}({self.n_clusters}, start=SimCLR(...).fit(x).start_)"
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
        for name in self.VIEWS if self.IMAGES else ():
            if isinstance(view := getattr(self, name), type) or not callable(view):
                raise ValueError(
                    f"{name} must be a view, such as Strong() from dcbook.training.views, or a function, not {view!r}"
                )

    def _check_samples(self, x: np.ndarray | Tensor) -> None:
        if self.IMAGES:
            check_images(type(self).__name__, x)

    def _prepare(self, x) -> Tensor:
        x = super()._prepare(x)
        self._check_samples(x)
        return x

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = not self.IMAGES
        return tags


@contextmanager
def statistics_kept(*networks: nn.Module) -> Iterator[None]:
    """Within this context, batch normalization in training mode does not update its running statistics."""
    found = {m for network in networks for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    followed = [m for m in found if m.track_running_stats]
    for m in followed:
        m.track_running_stats = False
    try:
        yield
    finally:
        for m in followed:
            m.track_running_stats = True
