"""A long training on disk, epoch by epoch, so that it goes on where it was stopped."""

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from dcbook.files import write_whole


class Checkpoint:
    """The state of one fit in one file, written whole or not at all.

    `identity` says which fit it is (parameters, seed, data): `load` raises ValueError if the file holds another's.
    """

    def __init__(self, path: str | Path, identity: dict):
        self.path = Path(path)
        self.identity = json.loads(json.dumps(identity))

    def save(self, tensors: dict[str, Tensor], history: list[dict]) -> None:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        write_whole(self.path, save(tensors, {"fit": json.dumps({"identity": self.identity, "history": history})}))

    def load(self) -> tuple[dict[str, Tensor], list[dict]] | None:
        """The tensors and the history that `save` wrote last; None if there is no file yet."""
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                fit = json.loads(file.metadata()["fit"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ValueError(f"{self.path} is no complete checkpoint ({error}); delete it to begin anew") from error
        theirs = fit["identity"]
        others = [name for name, value in self.identity.items() if theirs.get(name) != value]
        if others:
            named = "; ".join(f"{name} was {theirs.get(name)!r}, is {self.identity[name]!r}" for name in others)
            raise ValueError(f"{self.path} is the checkpoint of another fit ({named}); take another file")
        return tensors, fit["history"]
