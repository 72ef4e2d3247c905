"""The base class of all deep methods: reading data, the start, and the bookkeeping of a fit.

A method is a dataclass whose fields are its hyperparameters, with an `_optimize` that reads like the paper's algorithm.
Labels are never used in training: `y` is ignored, and a `monitor` does not change the model.
"""

import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin
from torch import Tensor, nn

from dcbook.training.assignments import Assignments
from dcbook.training.checkpoint import Checkpoint, check_checkpoint, identity
from dcbook.training.divergence import runaway
from dcbook.training.epochs import Epochs
from dcbook.training.inputs import (
    as_samples,
    batches,
    check_n_clusters,
    check_numbers,
    check_settings_of_torch,
    new_fit,
    resolve_device,
    resolve_seed,
    resolve_sizes,
    warn_of_dead_clusters,
)
from dcbook.training.monitors import check_monitor
from dcbook.training.pretraining import Pretraining, Recipe
from dcbook.training.saving import save
from dcbook.training.start import Start, resolve_start


@dataclass(kw_only=True, repr=False, eq=False)
class DeepClusterer(Epochs, Assignments, ClusterMixin, BaseEstimator):
    """Base of the methods that start from an autoencoder.

    Parameters
    ----------
    All methods have:

    n_clusters : K.
    start : starting point of the training: a recipe such as `Pretraining()` (the default, None), a trained autoencoder
        (module with `encoder` and, for methods that reconstruct, `decoder`), a `Start` (autoencoder and centers) or the
        folder of a saved one. A given network is copied, never changed.
    batch_size : number of samples in an update, at most N. None is the method's default, `SIZES["batch_size"]`, or all
        samples if there are fewer.
    random_state : None, int or numpy RandomState; the same int gives the same model on the same machine.
    device : "auto" (GPU if there is one), "cpu", "cuda", …
    progress : whether to show a progress bar: True, False or "auto" (on a terminal and in interactive Jupyter).

    Attributes
    ----------
    After `fit`:

    labels_ : (N,) int64 clusters of the training samples.
    cluster_centers_ : (K, d) float32 centers in the latent space.
    history_ : list of dicts, one per epoch: phase, epoch, losses, and what the monitor returned.
    autoencoder_ : the trained network. start_ : autoencoder and centers, as the start of another method.
    batch_size_ : the number of samples in an update that was used.
    interrupted_ : True if Ctrl-C ended `fit` early; the model is usable in its state at that time.
    seconds_before_ : training time, in seconds, before the checkpoint from which `fit` continued; 0 without one.
    core_seconds_ : CPU seconds of training, including those before the checkpoint; the monitor and the writing of
        checkpoints are not counted.
    """

    n_clusters: int = field(default=10, kw_only=False)
    random_state: Any = None
    device: str | torch.device = "auto"
    progress: bool | str = "auto"

    SIZES: ClassVar[dict[str, int]] = {}  # defaults of numbers of samples given as None

    def fit(
        self,
        x,
        y=None,
        monitor: Callable[["DeepClusterer"], dict[str, float] | None] | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
    ):
        """Cluster x (N, d), (N, C, H, W) or (N, C, D, H, W); uint8 is scaled to [0, 1], floats are taken as they are.

        `y` is ignored. `monitor(self)` is called after every epoch; it can read current `labels_`, and the numbers that
        it returns are added to `history_`. A name that the epoch's entry has already is a TypeError, raised at the end
        of that epoch. `checkpoint` is a file to which the state is written after each epoch. If
        the file exists, training continues from it, with its seed if `random_state` is None, to the same result as
        without interruption. Raises ValueError, before training starts, for bad data or hyperparameters and for a
        checkpoint that is damaged or of another fit (method, parameters, seed or samples), and TypeError for objects of
        another kind; a model that was fitted before then stays as it was. Raises FloatingPointError if a loss, a weight
        or a center is not finite at the end of an epoch. Warns (scikit-learn's ConvergenceWarning) if clusters are
        empty at the end.
        """
        with new_fit(self):
            check_monitor(monitor)
            check_checkpoint(checkpoint)
            x = self._read(x)
            check_n_clusters(self.n_clusters, len(x))
            check_numbers(self)
            check_settings_of_torch()
            self._check_hyperparameters()
            self._check_samples(x)
            recipe, start = self._resolve_start(x.shape[1:])
            for name, size in resolve_sizes(self, len(x)).items():
                setattr(self, f"{name}_", size)
            if recipe:
                recipe.sizes(len(x))
            self.input_shape_ = x.shape[1:]
            self._x, self._monitor = self._placed(x), monitor
            self._checkpoint = Checkpoint(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
            self.seed_ = self._seed()
            self.history_ = self._checkpoint.begin(identity(self, start)) if self._checkpoint else []
            self.seconds_before_ = self._checkpoint.seconds_before if self._checkpoint else 0.0
            self._labels = self._centers = None
            self.core_seconds_, self._since = 0.0, time.process_time()
            self._now, self.interrupted_ = "at its start", False
            self._begin(recipe, start)
            try:
                self._initialize(recipe, start)
                self._optimize()
            except ValueError as error:
                raise runaway(self) or error from None
            except KeyboardInterrupt:
                if not hasattr(self, "autoencoder_"):
                    raise
                self.interrupted_ = True
                message = f"fit was interrupted after {len(self.history_)} epochs; the model is usable as it is now"
                warnings.warn(message, stacklevel=2)
            self._complete()
        if self._k_is_asked_for:
            warn_of_dead_clusters(self.labels_, self.n_clusters, x)
        return self

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The parts of the loss that `fit` minimizes, for the training samples `rows` (B,) int64 and the current model.

        "self" is the self-supervised part (such as the reconstruction) and "pseudo" the part that depends on clusters.
        Both are scalars with a gradient, weighted as in training, so that their sum is the loss of an update on these
        rows as one batch. A part that the method does not train is left out; {} means that the method does not provide
        its losses. A monitor may call it after any epoch except those of pretraining; modes of networks do not change.
        """
        return {}

    def set_params(self, **params):
        """As in scikit-learn; names such as `start__epochs=50` replace the recipe `start` by a changed copy.

        Raises ValueError for an unknown parameter, or if `start` is not a recipe.
        """
        if not hasattr(self, "start"):
            return super().set_params(**params)
        of_recipe = {
            name.removeprefix("start__"): value for name, value in params.items() if name.startswith("start__")
        }
        others = {name: value for name, value in params.items() if not name.startswith("start__")}
        if of_recipe:
            given = others.get("start", self.start)
            recipe = self._default_recipe() if given is None else given
            if not isinstance(recipe, Recipe):
                given = type(recipe).__name__
                raise ValueError(
                    f"start__{next(iter(of_recipe))} changes a recipe, but start is a {given}; give a recipe"
                )
            others["start"] = recipe.changed(**of_recipe)
        return super().set_params(**others)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """As in scikit-learn, except that a network given as `start` is abbreviated to its name."""
        shown = self.get_params(deep=False)
        if isinstance(shown.get("start"), nn.Module):
            shown["start"] = Start(shown["start"])
        printed = type(type(self).__name__, (type(self),), {"__repr__": BaseEstimator.__repr__})
        return BaseEstimator.__repr__(printed(**shown), N_CHAR_MAX)

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to `folder`/model.safetensors; `dcbook.methods.load_model` reads it."""
        save(self, folder)

    @abstractmethod
    def _optimize(self) -> None:
        """The method's algorithm: train `autoencoder_` and `_centers` on `_x`, with one call of `log` per epoch."""

    _during_fit: ClassVar[tuple[str, ...]] = ("_x", "_monitor", "_checkpoint", "_now", "_since")  # deleted after `fit`
    _may_change: ClassVar[tuple[str, ...]] = ("random_state", "device", "progress")  # not part of a fit's identity
    _default_recipe: ClassVar[type[Recipe]] = Pretraining  # the recipe that start None means

    @property
    def _k_is_asked_for(self) -> bool:
        """Whether the number of clusters is `n_clusters`, rather than determined by the method."""
        return True

    @property
    def _decoder_for(self) -> str | None:
        """The purpose for which the method needs a decoder, for messages; None if it needs none."""
        return f"the reconstruction error in {type(self).__name__}"

    def _check_hyperparameters(self) -> None:
        """Raise ValueError if a hyperparameter of the method is out of range."""

    def _check_samples(self, x: np.ndarray) -> None:
        """Raise ValueError if the (finite) samples do not meet further requirements of the method."""

    def _check_network(self) -> None:
        """Raise an error if `autoencoder_`, which a recipe has not trained yet, does not suit the method."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    # --- the course of a fit ---------------------------------------------------------------------------------------

    def _read(self, x) -> np.ndarray:
        """The samples of a fit, (N, …)."""
        return as_samples(self, x, fitting=True)

    def _seed(self) -> int:
        """The seed of a fit; the checkpoint's seed if `random_state` is None."""
        kept = self._checkpoint.seed if self._checkpoint and self.random_state is None else None
        return resolve_seed(self.random_state) if kept is None else kept

    def _placed(self, x: np.ndarray) -> Tensor:
        """The samples as a tensor on the training device."""
        return torch.as_tensor(x, device=self._device)

    def _resolve_start(self, input_shape: tuple[int, ...]) -> tuple[Recipe | None, Start | None]:
        start = self._default_recipe() if self.start is None else self.start
        return resolve_start(start, input_shape, self.n_clusters, self._decoder_for)

    def _begin(self, recipe, start) -> None:
        """Set the autoencoder, not yet trained by the recipe, or given, and check it."""
        if recipe:
            self.autoencoder_ = recipe.build(self.input_shape_, self.seed_).to(self._device)
        elif start:
            self.autoencoder_ = start.autoencoder.to(self._device)
        self._check_network()

    def _initialize(self, recipe, start) -> None:
        """Train the autoencoder by the recipe, and set centers, given or by k-means on the latent codes."""
        if recipe:
            recipe.train(self.autoencoder_, self._x, self.seed_, self._epochs)
        elif start.centers is not None:
            self._centers = start.centers.to(self._device)
        if self._centers is None:
            self._centers = self._first_centers(recipe.restarts if recipe else 20)

    def _first_centers(self, restarts: int) -> Tensor:
        """Initial centers (K, d) if the start has none."""
        return self._kmeans(restarts)

    def _samples(self, rows: Tensor) -> Tensor:
        """Training samples with indices `rows`, during `fit`; RuntimeError otherwise."""
        if not hasattr(self, "_x"):
            raise RuntimeError(f"{type(self).__name__} has training samples only during fit; ask for them in a monitor")
        return self._x.index_select(0, rows)

    def _batches(self, generator: torch.Generator, size: int | None = None) -> Iterator[Tensor]:
        return batches(len(self._x), size or self.batch_size_, generator, self._x.device)

    def _complete(self) -> None:
        if self._centers is None:
            self._centers = self._found_centers()
        self._count_time()
        self.autoencoder_.eval()
        self._labels = None  # a monitor may have computed them with earlier centers
        _ = self.labels_
        for name in self._during_fit:
            vars(self).pop(name, None)

    def _reconstructed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (B, d) and reconstructions of x (B, …); `forward` of a user's network may return something else."""
        u = self.autoencoder_.encoder(x)
        return u, self.autoencoder_.decoder(u)

    @property
    def _device(self) -> torch.device:
        return resolve_device(self.device)
