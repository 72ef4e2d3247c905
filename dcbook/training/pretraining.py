"""Recipes of pretraining: how the autoencoder that a method starts from is trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from operator import index
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from dcbook import losses, models
from dcbook.training.inputs import batches, check_numbers, derived_seed, resolve_sizes, seeded, stream
from dcbook.training.optimizers import Adam

ARCHITECTURES = {
    "fully-connected": models.FullyConnectedAutoencoder,
    "convolutional": models.ConvolutionalAutoencoder,
}
Update = Callable[[Tensor], dict[str, Tensor]]


def plain_epochs(phase: str, epochs: int, **kept: Any) -> Iterator[tuple[int, Callable[..., None]]]:
    """`epochs` epochs without history, progress bar or checkpoint; see `DeepClusterer._epochs`."""
    return ((epoch, lambda **losses: None) for epoch in range(epochs))


@dataclass(frozen=True, repr=False)
class Recipe(ABC):
    """Base of all recipes of pretraining: a network, a schedule, and the k-means that finds centers afterwards.

    Parameters
    ----------
    architecture : "fully-connected" (d-500-500-2000-10 of DEC) or "convolutional" (as released with DCSS).
    widths : hidden widths of the fully connected encoder; the convolutional one has none.
    latent_dim : dimension of the latent space.
    epochs, batch_size, lr : schedule; 0 epochs keeps the random initialization. A batch_size of None is 256, or all
        samples if there are fewer.
    restarts : number of starts of the k-means that finds the initial centers (20 in DEC and IDEC).
    """

    architecture: str = "fully-connected"
    widths: tuple[int, ...] = (500, 500, 2000)
    latent_dim: int = 10
    epochs: int = 100
    batch_size: int | None = None
    lr: float = 1e-3
    restarts: int = 20

    SIZES: ClassVar[dict[str, int]] = {"batch_size": 256}  # as in the methods: defaults for None
    reconstructs: ClassVar[bool] = True  # whether the recipe also trains a decoder

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters by name, as in scikit-learn."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def changed(self, **parameters: Any) -> Self:
        """A copy with changed parameters; ValueError for an unknown name."""
        if odd := parameters.keys() - self.get_params():
            raise ValueError(
                f"{type(self).__name__} has no {', '.join(sorted(odd))}; it has {', '.join(self.get_params())}"
            )
        return replace(self, **parameters)

    def __sklearn_clone__(self) -> Self:
        return self  # it is immutable

    def __repr__(self) -> str:
        """The parameters that differ from their defaults, as scikit-learn prints estimators."""
        named = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if getattr(self, f.name) != f.default)
        return f"{type(self).__name__}({', '.join(named)})"

    def __post_init__(self):
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {sorted(ARCHITECTURES)}, not {self.architecture!r}")
        try:
            object.__setattr__(self, "widths", tuple(index(width) for width in self.widths))
        except TypeError:
            raise ValueError(f"widths must be whole numbers, such as (500, 500, 2000), not {self.widths!r}") from None
        check_numbers(self)
        given = 1 if self.batch_size is None else self.batch_size
        if min((self.latent_dim, given, self.restarts, *self.widths)) < 1 or self.epochs < 0 or self.lr <= 0:
            raise ValueError(f"sizes, restarts and step must be positive and epochs at least 0: {self}")

    def build(self, input_shape: tuple[int, ...], seed: int) -> nn.Module:
        """A newly initialized autoencoder for samples of `input_shape`; torch's global generator is not changed."""
        options = {"latent_dim": self.latent_dim}
        if self.architecture == "fully-connected":
            options["widths"] = self.widths
        with seeded(derived_seed(seed, "autoencoder")):
            return ARCHITECTURES[self.architecture](input_shape, **options)

    def sizes(self, n_samples: int) -> dict[str, int]:
        """The batch size for `n_samples` samples, as {"batch_size": …}; ValueError if it exceeds their number."""
        return resolve_sizes(self, n_samples, type(self).__name__)

    def train(self, autoencoder: nn.Module, x: Tensor, seed: int, epochs: Callable = plain_epochs) -> None:
        """Train `autoencoder` in place on x (N, *input_shape).

        `epochs("pretraining", n, **state that changes besides the network)` yields the number of each epoch and a
        function that takes its mean losses by name, as `DeepClusterer._epochs` does.
        """
        update, kept = self._updates(autoencoder, x, seed)
        order, size = stream(seed, "pretraining batches"), self.sizes(len(x))["batch_size"]
        for epoch, log in epochs("pretraining", self.epochs, order=order, **kept):
            autoencoder.train(self._in_training_mode(epoch))
            totals: dict[str, Tensor] = {}
            for batch in batches(len(x), size, order, x.device):
                for name, loss in update(x[batch]).items():
                    totals[name] = totals.get(name, 0) + loss.detach() * len(batch)
            log(**{name: total.item() / len(x) for name, total in totals.items()})

    @abstractmethod
    def _updates(self, autoencoder: nn.Module, x: Tensor, seed: int) -> tuple[Update, dict[str, Any]]:
        """A function that makes one update on a batch (B, *input_shape) and returns its losses, and its state."""

    def _in_training_mode(self, epoch: int) -> bool:
        return True


@dataclass(frozen=True, repr=False)
class Pretraining(Recipe):
    """A recipe: train an autoencoder on the reconstruction error alone, with Adam, then find centers by k-means.

    Parameters
    ----------
    In addition to those of `Recipe`:

    released : whether to freeze batch normalization after the first epoch, as DCSS's released code does by an oversight
        (DCSS.py:32,54-70); without batch normalization it has no effect.

    The defaults are DEC's network and 100 epochs in batches of 256, chosen for this package; they are the start of most
    methods. Released code trains the autoencoder otherwise: for 200 epochs in batches of 500 (DCSS, convolutional;
    IDECF), 50 epochs (DKM and its DCN), 250 (BRB), 300 on MNIST (IDEC) or 1,000 (N2D, whose default start has them).
    """

    released: bool = False

    def _updates(self, autoencoder, x, seed):
        optimizer = Adam(autoencoder.parameters(), self.lr)

        def update(x: Tensor) -> dict[str, Tensor]:
            _, x_hat = autoencoder(x)
            loss = losses.mean_squared_error(x, x_hat)
            loss.backward()
            optimizer.step()
            return {"reconstruction": loss}

        return update, {"optimizer": optimizer}

    def _in_training_mode(self, epoch):
        return not (self.released and epoch > 0)
