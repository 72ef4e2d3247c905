"""Where a deep method begins: a trained autoencoder and, if known, cluster centers in its latent space, and codes."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass, fields
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
OF_CODES = tuple(field.name for field in fields(Codes) if field.name != "samples")


@dataclass(frozen=True, eq=False)
class Start:
    """A trained autoencoder and cluster centers in its latent space, to start other methods from.

    Parameters
    ----------
    autoencoder : has `encoder`, (B, *input_shape) → (B, d), and `decoder`, (B, d) → (B, …); methods work on a copy.
        Those that don't reconstruct (DEC, AE+k-means, DCSS without phase 1) take one without a decoder.
    centers : tensor or array (K, d), kept as a float32 tensor, or None: then a method finds its own by k-means.
    codes : what a pretext left behind of its training samples; None: methods that want such codes make their own.

    `load` raises ValueError naming the file if it is missing, holds no complete start, or an altered one.
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
        """Write `folder`/start.safetensors, whole or not at all; other files there stay as they are.

        Raises FileExistsError where `folder` is a file.
        """
        described = describe_module(self.autoencoder) | ({"codes": self.codes.samples} if self.codes else {})
        write_tensors(folder_to_write(folder) / FILE, self._tensors(), described)

    @classmethod
    def load(cls, folder: str | Path) -> "Start":
        """The start that `save` wrote."""
        path = Path(folder) / FILE
        tensors, described = read_tensors(path, "start", "delete it to train it anew")
        try:
            centers = tensors.pop("centers", None)
            codes = None
            if "codes" in described:
                codes = Codes(described["codes"], **{name: tensors.pop(f"codes.{name}") for name in OF_CODES})
            return cls(restore_module(described, tensors, "autoencoder."), centers, codes)
        except Exception as error:
            raise ValueError(f"{path} holds no start that this version knows: {error}; train it anew") from error

    def _tensors(self) -> dict[str, Tensor]:
        tensors = module_tensors(self.autoencoder, "autoencoder.")
        others = {} if self.centers is None else {"centers": self.centers}
        if self.codes is not None:
            others |= {f"codes.{name}": getattr(self.codes, name) for name in OF_CODES}
        return tensors | {name: tensor.detach().cpu().contiguous() for name, tensor in others.items()}


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
    start = deepcopy(start) if start is given or start.autoencoder is given else start
    if start.centers is not None:
        _check_centers(start, input_shape, n_clusters)
    return None, start


@torch.no_grad()
def _check_centers(start: Start, input_shape: tuple[int, ...], n_clusters: int) -> None:
    """Raise ValueError unless there are `n_clusters` finite centers of as many dimensions as the codes of a sample."""
    centers = start.centers
    if centers.ndim != 2 or not centers.isfinite().all():
        what = "NaN or infinity" if centers.ndim == 2 else f"shape {tuple(centers.shape)}"
        raise ValueError(f"the start's centers must be a matrix (K, d) of finite numbers, but have {what}")
    if len(centers) != n_clusters:
        raise ValueError(f"the start has {len(centers)} centers but n_clusters is {n_clusters}; give one without")
    network, training = start.autoencoder, start.autoencoder.training
    code = network.eval().encoder(torch.zeros(1, *input_shape, device=next(network.parameters(), centers).device))
    network.train(training)
    if code.shape[1:] != centers.shape[1:]:
        raise ValueError(
            f"the start's centers have {centers.shape[1]} dimensions but its encoder's codes have shape "
            f"{tuple(code.shape[1:])}; give centers in the latent space"
        )
