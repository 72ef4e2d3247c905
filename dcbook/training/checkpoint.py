"""A long training on disk, epoch by epoch, so that it goes on where it was stopped."""

import json
import time
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dcbook.data.digest import content_digest
from dcbook.data.stored import StoredImages
from dcbook.files import write_whole
from dcbook.training.optimizers import SGD

Part = nn.Module | SGD | torch.Generator | Tensor


class Checkpoint:
    """The state of one fit in one file, written whole or not at all.

    `identity` says which fit it is (method, parameters, seed, data): `load` raises ValueError if the file holds
    another's. The state has named parts: of a network its weights and statistics, of SGD its velocities, of a random
    stream where it stands, and tensors. `seconds_before`: what the training has taken up to the file that was loaded.
    """

    def __init__(self, path: str | Path, identity: dict):
        self.path = Path(path)
        self.identity = json.loads(json.dumps(identity))
        self.seconds_before, self._began = 0.0, time.perf_counter()

    def save(self, parts: dict[str, Part], history: list[dict]) -> None:
        tensors = {name: t for part in parts for name, t in _tensors(part, parts[part]).items()}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        seconds = self.seconds_before + time.perf_counter() - self._began
        fit = {"identity": self.identity, "history": history, "seconds": seconds}
        write_whole(self.path, save(tensors, {"fit": json.dumps(fit)}))

    def load(self) -> tuple[dict[str, Tensor], list[dict]] | None:
        """The tensors and the history that `save` wrote last; None if there is no file yet."""
        if not self.path.exists():
            return None
        tensors, fit = _read(self.path)
        theirs = fit["identity"]
        others = [name for name, value in self.identity.items() if theirs.get(name) != value]
        if others:
            named = "; ".join(f"{name} was {theirs.get(name)!r}, is {self.identity[name]!r}" for name in others)
            raise ValueError(f"{self.path} is the checkpoint of another fit ({named}); take another file")
        self.seconds_before = fit["seconds"]
        return tensors, fit["history"]


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors of a checkpoint, and what is told of its fit; ValueError that names a file that is damaged."""
    try:
        with safe_open(path, "pt") as file:
            fit = json.loads(file.metadata()["fit"])
            return {name: file.get_tensor(name) for name in file.keys()}, fit  # noqa: SIM118
    except Exception as error:
        raise ValueError(f"{path} is no complete checkpoint ({error}); delete it to begin anew") from error


@torch.no_grad()
def restore(parts: dict[str, Part], tensors: dict[str, Tensor]) -> None:
    """Bring `parts` to the state that `Checkpoint.load` found; each keeps its shape and its device."""
    for name, part in parts.items():
        if isinstance(part, nn.Module):
            part.load_state_dict({key: tensors[f"{name}.{key}"] for key in part.state_dict()})
        elif isinstance(part, SGD):
            found = [tensors.get(f"{name}.{i}") for i in range(len(part.weights))]
            pairs = zip(found, part.weights, strict=True)
            part.buffers = [None if t is None else torch.empty_like(w).copy_(t) for t, w in pairs]
        elif isinstance(part, torch.Generator):
            part.set_state(tensors[name])
        else:
            part.copy_(tensors[name])


def _tensors(name: str, part: Part) -> dict[str, Tensor]:
    if isinstance(part, nn.Module):
        return {f"{name}.{key}": tensor for key, tensor in part.state_dict().items()}
    if isinstance(part, SGD):
        return {f"{name}.{i}": buffer for i, buffer in enumerate(part.buffers) if buffer is not None}
    return {name: part.get_state() if isinstance(part, torch.Generator) else part}


class Resumable:
    """Mixed into a `DeepClusterer` whose training can go on: gives its `fit` the argument `checkpoint`.

    `seconds_before_`, after `fit`, are those that the training had taken where it went on; 0 if it began anew.
    """

    _may_change = ("random_state", "device", "progress")  # parameters that leave what is trained as it is

    def fit(self, x, y=None, monitor=None, checkpoint: str | Path | None = None):
        """As `DeepClusterer.fit`; `checkpoint` is a file that keeps the training after each epoch, or None.

        If there is that file, the training goes on from it and ends as one that was never stopped; with its seed, where
        `random_state` is None. Raises ValueError if it is damaged or of another fit, by method, parameters, seed or
        images.
        """
        self._path, self._file = checkpoint, None
        try:
            super().fit(x, y, monitor)
            self.seconds_before_ = self._file.seconds_before if self._file else 0.0
            return self
        finally:
            del self._path, self._file

    def _first_seed(self) -> int:
        if self.random_state is None and self._path is not None and Path(self._path).exists():
            return _read(Path(self._path))[1]["identity"]["seed"]
        return super()._first_seed()

    def _checkpoint(self) -> Checkpoint | None:
        """The checkpoint of this fit, if one is wanted."""
        if self._path is None:
            return None
        parameters = {name: value for name, value in self.get_params().items() if name not in self._may_change}
        digest = self._x.digest if isinstance(self._x, StoredImages) else content_digest(self._x.cpu().numpy())
        identity = {"method": type(self).__name__, **parameters, "seed": self.seed_, "images": digest}
        self._file = Checkpoint(self._path, identity)
        return self._file
