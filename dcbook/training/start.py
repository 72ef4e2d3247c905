"""Where a deep method begins: a trained autoencoder and, if known, cluster centers in its latent space."""

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dcbook.files import written_folder
from dcbook.training.network_files import describe_module, module_tensors, restore_module
from dcbook.training.pretraining import Pretraining, Recipe


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

    def __repr__(self) -> str:
        centers = "" if self.centers is None else f", {len(self.centers)} centers"
        return f"Start({type(self.autoencoder).__name__}{centers})"

    @property
    def digest(self) -> str:
        """SHA-256 over weights, buffers and centers."""
        sha = hashlib.sha256()
        for name, tensor in sorted(self._tensors().items()):
            sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            sha.update(tensor.numpy().tobytes())
        return sha.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write `folder` with start.safetensors and start.json, whole or not at all.

        Only a folder that is new, empty, or an earlier start is written to; FileExistsError for any other.
        """
        described = describe_module(self.autoencoder) | {"digest": self.digest}
        with written_folder(folder, ("start.safetensors", "start.json")) as new:
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
