"""Where a deep method begins: a trained autoencoder and, if known, cluster centers in its latent space."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dcbook import losses, models
from dcbook.files import written_folder
from dcbook.methods.inputs import batches, derived_seed, stream
from dcbook.methods.optimizers import Adam

ARCHITECTURES = {
    "fully-connected": models.FullyConnectedAutoencoder,
    "convolutional": models.ConvolutionalAutoencoder,
}


@dataclass(frozen=True)
class Recipe(ABC):
    """What every pretraining has: a network, a schedule, and the k-means that finds centers after it.

    Parameters
    ----------
    architecture : "fully-connected" (d-500-500-2000-10 of DEC) or "convolutional" (as released with DCSS).
    widths : hidden widths of the fully connected encoder; the convolutional one has none.
    latent_dim : dimension of the latent space.
    epochs, batch_size, lr : schedule; 0 epochs leaves the random initialisation.
    restarts : starts of the k-means that finds the first centers (20 in DEC and IDEC).
    """

    architecture: str = "fully-connected"
    widths: tuple[int, ...] = (500, 500, 2000)
    latent_dim: int = 10
    epochs: int = 100
    batch_size: int = 256
    lr: float = 1e-3
    restarts: int = 20

    reconstructs: ClassVar[bool] = True  # whether it trains a decoder too

    def __post_init__(self):
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {sorted(ARCHITECTURES)}, not {self.architecture!r}")
        object.__setattr__(self, "widths", tuple(self.widths))
        if min((self.latent_dim, self.batch_size, self.restarts, *self.widths)) < 1 or self.epochs < 0 or self.lr <= 0:
            raise ValueError(f"sizes, restarts and step must be positive and epochs at least 0: {self}")

    def build(self, input_shape: tuple[int, ...], seed: int) -> nn.Module:
        """A freshly initialised autoencoder for samples of `input_shape`; leaves torch's global stream alone."""
        options = {"latent_dim": self.latent_dim}
        if self.architecture == "fully-connected":
            options["widths"] = self.widths
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "autoencoder"))
            return ARCHITECTURES[self.architecture](input_shape, **options)

    def train(self, autoencoder: nn.Module, x: Tensor, seed: int, after_epoch: Callable = lambda **loss: None) -> None:
        """Train `autoencoder` in place on x (N, *input_shape); `after_epoch(**mean losses)` after every epoch."""
        update = self._updates(autoencoder, x, seed)
        order = stream(seed, "pretraining batches")
        for epoch in range(self.epochs):
            autoencoder.train(self._in_training_mode(epoch))
            totals: dict[str, Tensor] = {}
            for batch in batches(len(x), self.batch_size, order, x.device):
                for name, loss in update(x[batch]).items():
                    totals[name] = totals.get(name, 0) + loss.detach() * len(batch)
            after_epoch(**{name: total.item() / len(x) for name, total in totals.items()})

    @abstractmethod
    def _updates(self, autoencoder: nn.Module, x: Tensor, seed: int) -> Callable[[Tensor], dict[str, Tensor]]:
        """A function that makes one update on a batch (B, *input_shape) and returns its losses by name."""

    def _in_training_mode(self, epoch: int) -> bool:
        return True


@dataclass(frozen=True)
class Pretraining(Recipe):
    """A recipe: train an autoencoder on the reconstruction error alone, with Adam, then find centers by k-means.

    Parameters (beside those of `Recipe`)
    -------------------------------------
    released : freeze batch normalisation after the first epoch, as DCSS's released code does by an oversight
        (DCSS.py:32,54-70); without batch normalisation it changes nothing.
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

        return update

    def _in_training_mode(self, epoch):
        return not (self.released and epoch > 0)


@dataclass(frozen=True, eq=False)
class Start:
    """A trained autoencoder and cluster centers in its latent space, to start other methods from.

    Parameters
    ----------
    autoencoder : has `encoder`, (B, *input_shape) → (B, d), and `decoder`, (B, d) → (B, …); methods work on a copy.
        Those that don't reconstruct (DEC, AE+k-means, DCSS without phase 1) take one without a decoder.
    centers : tensor (K, d), or None: then a method finds its own by k-means.

    `load` raises ValueError naming the folder if it holds no complete start, or an altered one.
    """

    autoencoder: nn.Module
    centers: Tensor | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over weights, buffers and centers."""
        sha = hashlib.sha256()
        for name, tensor in sorted(self._tensors().items()):
            sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            sha.update(tensor.numpy().tobytes())
        return sha.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write `folder` with start.safetensors and start.json, whole or not at all."""
        described = describe_module(self.autoencoder) | {"digest": self.digest}
        with written_folder(folder) as new:
            save_file(self._tensors(), new / "start.safetensors")
            (new / "start.json").write_text(json.dumps(described, indent=1))

    @classmethod
    def load(cls, folder: str | Path) -> "Start":
        """The start that `save` wrote."""
        try:
            described = json.loads((Path(folder) / "start.json").read_text())
            tensors = load_file(Path(folder) / "start.safetensors")
            centers = tensors.pop("centers", None)
            start = cls(restore_module(described, tensors, "autoencoder."), centers)
        except Exception as error:
            raise ValueError(f"{folder} holds no complete start: {error}; delete it to train it anew") from error
        if start.digest != described["digest"]:
            raise ValueError(
                f"{folder} was altered: its digest is not the one it was saved with; delete it to train anew"
            )
        return start

    def _tensors(self) -> dict[str, Tensor]:
        tensors = module_tensors(self.autoencoder, "autoencoder.")
        return tensors if self.centers is None else tensors | {"centers": self.centers.detach().cpu().contiguous()}


def resolve_start(
    start, input_shape: tuple[int, ...], n_clusters: int, decoder_for: str | None = None
) -> tuple[Recipe | None, Start | None]:
    """Sort out the parameter `start` of a method: a recipe to carry out, or a start that is ready, its own to train.

    `decoder_for` says what a decoder is needed for; None: for nothing, so that the start may lack one.
    Raises TypeError for any other kind of object and ValueError where its shapes don't fit the data or K.
    """
    if start is None or isinstance(start, Recipe):
        recipe = start or Pretraining()
        if decoder_for and not recipe.reconstructs:
            raise ValueError(
                f"{type(recipe).__name__} trains no decoder, which is needed for {decoder_for}; give another recipe"
            )
        return recipe, None
    given = start
    if isinstance(start, str | Path):
        start = Start.load(start)
    if isinstance(start, nn.Module):
        start = Start(start)
    if not isinstance(start, Start):
        raise TypeError(
            f"start must be None, a recipe such as Pretraining(), a trained autoencoder (a module with encoder and "
            f"decoder), a Start or the folder of a saved one, not {type(start).__name__}"
        )
    if getattr(start.autoencoder, "encoder", None) is None:
        raise TypeError("the network given as start needs an attribute encoder, and decoder if it is an autoencoder")
    if decoder_for and getattr(start.autoencoder, "decoder", None) is None:
        raise ValueError(f"the start has no decoder, which is needed for {decoder_for}; give a trained autoencoder")
    trained_on = tuple(getattr(start.autoencoder, "config", {}).get("input_shape", input_shape))
    if trained_on != tuple(input_shape):
        raise ValueError(
            f"the autoencoder given as start takes samples of shape {trained_on}, not {tuple(input_shape)}"
        )
    if start.centers is not None and len(start.centers) != n_clusters:
        raise ValueError(f"the start has {len(start.centers)} centers but n_clusters is {n_clusters}; give one without")
    return None, deepcopy(start) if start is given or start.autoencoder is given else start


def module_tensors(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Weights and buffers on the CPU under `prefix` + their name."""
    return {prefix + name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def describe_module(module: nn.Module) -> dict:
    """Class and configuration, from which `restore_module` builds the network again; TypeError for foreign classes."""
    if getattr(models, type(module).__name__, None) is not type(module):
        raise TypeError(f"only networks of dcbook.models can be saved, not {type(module).__name__}; save it yourself")
    return {"class": type(module).__name__, "config": module.config}


def restore_module(described: dict, tensors: dict[str, Tensor], prefix: str) -> nn.Module:
    """The network that `describe_module` and `module_tensors` tell of."""
    if described["class"] not in models.__all__:
        raise ValueError(f"dcbook.models has no network {described['class']!r}")
    with torch.device("meta"):  # no random weights that would be overwritten at once
        module = getattr(models, described["class"])(**described["config"])
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    module.load_state_dict(weights, assign=True)
    return module.to(memory_format=torch.channels_last)  # as the networks are built; files hold plain arrays
