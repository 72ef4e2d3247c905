"""The start of a deep method: a trained autoencoder and, if known, cluster centers in its latent space, and codes."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dcbook.files import folder_to_write
from dcbook.training.network_files import describe_module, module_tensors, restore_module
from dcbook.training.pretext import Codes
from dcbook.training.pretraining import Pretraining, Recipe
from dcbook.training.tensor_files import read_tensors, write_tensors

FILE = "start.safetensors"
OF_CODES = tuple(field.name for field in fields(Codes) if field.name not in ("samples", "made_by"))


@dataclass(frozen=True, eq=False)
class Start:
    """A trained autoencoder and cluster centers in its latent space, from which methods start.

    Parameters
    ----------
    autoencoder : module with `encoder`, (B, *input_shape) → (B, d), and `decoder`, (B, d) → (B, …); methods train a
        copy. Methods without reconstruction (DEC, AE+k-means, DCSS without phase 1) do not need the decoder. Dropout in
        it draws from torch's global generator, which `random_state` does not seed: call `torch.manual_seed` before.
    centers : tensor or array (K, d), stored as a float32 tensor, or None, in which case methods use k-means.
    codes : codes of the training samples, computed by a pretext; None: methods that need codes compute their own.

    `load` raises ValueError, naming the file, if it is missing, incomplete or altered.
    """

    autoencoder: nn.Module
    centers: Tensor | None = None
    codes: Codes | None = None

    def __post_init__(self):
        if self.centers is not None:
            given = self.centers if isinstance(self.centers, Tensor) else torch.tensor(np.asarray(self.centers))
            object.__setattr__(self, "centers", given.detach().to(torch.float32))

    def __repr__(self) -> str:
        centers = "" if self.centers is None else f", {len(self.centers)} centers"
        return f"Start({type(self.autoencoder).__name__}{centers})"

    @property
    def digest(self) -> str:
        """SHA-256 over weights, buffers, centers and codes."""
        sha = hashlib.sha256()
        for name, tensor in sorted(self._tensors().items()):
            sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            sha.update(tensor.numpy().tobytes())
        return sha.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write `folder`/start.safetensors atomically; other files in the folder are not changed.

        Raises FileExistsError if `folder` is a file.
        """
        of_codes = {"codes": self.codes.samples, "views_made_by": self.codes.made_by} if self.codes else {}
        described = describe_module(self.autoencoder) | of_codes
        write_tensors(folder_to_write(folder) / FILE, self._tensors(), described)

    @classmethod
    def load(cls, folder: str | Path) -> "Start":
        """The start that `save` wrote."""
        path = Path(folder) / FILE
        tensors, described = read_tensors(path, "start", "delete it to train it again")
        try:
            centers = tensors.pop("centers", None)
            codes = None
            if "codes" in described:
                held = {name: tensors.pop(f"codes.{name}") for name in OF_CODES}
                codes = Codes(described["codes"], **held, made_by=described.get("views_made_by"))
            return cls(restore_module(described, tensors, "autoencoder."), centers, codes)
        except Exception as error:
            raise ValueError(f"{path} holds no start that this version can read: {error}; train it again") from error

    def _tensors(self) -> dict[str, Tensor]:
        tensors = module_tensors(self.autoencoder, "autoencoder.")
        others = {} if self.centers is None else {"centers": self.centers}
        if self.codes is not None:
            others |= {f"codes.{name}": getattr(self.codes, name) for name in OF_CODES}
        return tensors | {name: tensor.detach().cpu().contiguous() for name, tensor in others.items()}


def resolve_start(
    start, input_shape: tuple[int, ...], n_clusters: int | None, decoder_for: str | None = None
) -> tuple[Recipe | None, Start | None]:
    """Interpret the parameter `start` of a method: return a recipe of pretraining, or a copy of a given start.

    `decoder_for` is the purpose of the decoder, for messages; with None the start may lack a decoder. `n_clusters` None
    accepts any centers, for a method that does not use them. Raises TypeError for any other kind of object, and
    ValueError if its shapes do not agree with the data or K.
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
        instead = ": give its start_, after fit" if hasattr(type(start), "start_") else ""
        raise TypeError(
            f"start must be None, a recipe such as Pretraining(), a trained autoencoder (a module with encoder and "
            f"decoder), a Start or the folder of a saved one, not {type(start).__name__}{instead}"
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
    start = deepcopy(start) if start is given or start.autoencoder is given else start
    d = _dimension(start.autoencoder, input_shape)
    if decoder_for:
        _check_decoder(start.autoencoder, d, input_shape)
    if start.centers is not None and n_clusters is not None:
        _check_centers(start.centers, n_clusters, d)
    return None, start


def _dimension(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """The dimension d of the codes; ValueError unless the encoder maps a sample to a finite code (1, d) float32."""
    code = _output(network, "encoder", f"a sample of shape {input_shape}", input_shape)
    if not isinstance(code, Tensor) or code.ndim != 2 or len(code) != 1 or code.dtype != torch.float32:
        what = f"shape {tuple(code.shape)}, {code.dtype}" if isinstance(code, Tensor) else type(code).__name__
        raise ValueError(
            f"the encoder given as start must map one sample to a code of shape (1, d), float32, not {what}"
        )
    if not code.isfinite().all():
        raise ValueError("the encoder given as start maps a sample of zeros to numbers that are not finite")
    return code.shape[1]


def _check_decoder(network: nn.Module, d: int, input_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the decoder maps a code (1, d) to one sample, of its shape or flat."""
    x_hat = _output(network, "decoder", f"a code of dimension {d}", (d,))
    if not isinstance(x_hat, Tensor) or x_hat.shape[:1] != (1,) or x_hat.numel() != prod(input_shape):
        what = f"shape {tuple(x_hat.shape)}" if isinstance(x_hat, Tensor) else type(x_hat).__name__
        raise ValueError(
            f"the decoder given as start must map one code to a sample of shape (1, {prod(input_shape)}), or as the "
            f"encoder takes it, not {what}"
        )


@torch.no_grad()
def _output(network: nn.Module, part: str, what: str, shape: tuple[int, ...]) -> object:
    """What the encoder or decoder makes of zeros (1, *shape) in evaluation mode; ValueError if it fails on them."""
    weight, training = next(network.parameters(), torch.zeros(())), network.training
    try:
        return getattr(network.eval(), part)(torch.zeros(1, *shape, device=weight.device))
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"the {part} given as start fails on {what}: {error}") from error
    finally:
        network.train(training)


def _check_centers(centers: Tensor, n_clusters: int, d: int) -> None:
    """Raise ValueError unless there are `n_clusters` finite centers with the dimension of the latent codes."""
    if centers.ndim != 2 or not centers.isfinite().all():
        what = "NaN or infinity" if centers.ndim == 2 else f"shape {tuple(centers.shape)}"
        raise ValueError(f"the start's centers must be a matrix (K, d) of finite numbers, but have {what}")
    if len(centers) != n_clusters:
        raise ValueError(f"the start has {len(centers)} centers but n_clusters is {n_clusters}; set centers to None")
    if centers.shape[1] != d:
        raise ValueError(
            f"the start's centers have {centers.shape[1]} dimensions but its encoder's codes have {d}; give centers in "
            f"the latent space"
        )
