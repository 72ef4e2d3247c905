"""Checkpoints: the state of a fit after every epoch, from which a stopped fit continues to the same result.

A fit is a sequence of phases: pretraining, phase 1, …. For the current phase a checkpoint holds everything that changes
in it. For each earlier phase it holds the final attributes of the method, so that computations between two phases, such
as the k-means that finds the initial centers, are repeated from them.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dcbook.data.digest import content_digest
from dcbook.training.optimizers import Optimizer
from dcbook.training.saving import plain
from dcbook.training.tensor_files import as_json, read_tensors, write_tensors

Parts = Mapping[str, Any]  # networks, optimizers, generators, tensors, plain values, or objects that contain them


class Checkpoint:
    """The state of one fit in one file, which is replaced atomically after every epoch.

    `seconds_before` is the training time, in seconds, recorded in the file that `begin` found; 0 if there was no file.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.identity: dict = {}
        self.seconds_before, self._began = 0.0, time.perf_counter()
        self._phases: dict[str, dict] = {}  # the last state of each phase that was read or written

    @property
    def seed(self) -> int | None:
        """The seed of the fit in the file; None if there is no file yet."""
        return self._read()[1]["identity"]["seed"] if self.path.exists() else None

    def begin(self, identity: dict) -> list[dict]:
        """Continue the fit in the file, or begin a new one; return its history so far.

        `identity` identifies the fit: method, parameters, seed, data. Raises ValueError if the file is damaged or holds
        another fit, or if the path is a folder.
        """
        self.identity = json.loads(as_json(identity))
        if self.path.is_dir():
            raise ValueError(f"{self.path} is a folder; give the path of a file for the checkpoint")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            return []
        tensors, about = self._read()
        theirs = about["identity"]
        if others := [name for name, value in self.identity.items() if theirs.get(name) != value]:
            named = "; ".join(f"{name} was {theirs.get(name)!r}, is {self.identity[name]!r}" for name in others)
            raise ValueError(f"{self.path} is the checkpoint of another fit ({named}); take another file")
        self.seconds_before, self._phases = about["seconds"], _joined(about["phases"], tensors)
        return about["history"]

    def state(self, phase: str) -> dict | None:
        """The last attributes of the method in a phase; None if the fit has not reached the phase."""
        return self._phases[phase]["attributes"] if phase in self._phases else None

    def has_left(self, phase: str) -> bool:
        """Whether the fit is in a later phase."""
        return phase in self._phases and phase != list(self._phases)[-1]

    def restore(self, phase: str, attributes: Parts, loop: Parts, device: torch.device) -> dict[str, Any]:
        """Restore the attributes at the end of a phase, or in the current phase also the state of its loop.

        Networks, parameters, optimizers, random generators and all parts of the loop change in place; the other
        attributes are returned, with tensors on `device`.
        """
        held, others = self._phases[phase], {}
        for name, tree in held["attributes"].items():
            part = attributes.get(name)
            if part is None or isinstance(part, _PLAIN) or type(part) is Tensor:
                others[name] = _placed(tree, device)
            else:
                _restore(part, tree, device)
        for name, tree in held.get("loop", {}).items():
            _restore(loop[name], tree, device)
        return others

    def save(self, phase: str, attributes: Parts, loop: Parts, history: list[dict]) -> None:
        """Record the state of the fit after an epoch of `phase`, and write it to the file."""
        ended = {name: {"attributes": held["attributes"]} for name, held in self._phases.items() if name != phase}
        self._phases = ended | {phase: {"attributes": _tree(attributes), "loop": _tree(loop)}}
        self.write(history)

    def write(self, history: list[dict]) -> None:
        """Write the last recorded state to the file."""
        tensors: dict[str, Tensor] = {}
        about = {
            "identity": self.identity,
            "history": history,
            "seconds": self.seconds_before + time.perf_counter() - self._began,
            "phases": _parted(self._phases, "", tensors),
        }
        write_tensors(self.path, tensors, about)

    def _read(self) -> tuple[dict[str, Tensor], dict]:
        tensors, about = read_tensors(self.path, "checkpoint", "give another file, or delete it to begin anew")
        if not isinstance(about, dict) or "identity" not in about:
            raise ValueError(f"{self.path} is not a checkpoint but another file of dcbook; give another path")
        return tensors, about


def check_checkpoint(checkpoint: Any) -> None:
    """Raise TypeError unless `checkpoint` is None, a path or a `Checkpoint`."""
    if not isinstance(checkpoint, str | Path | Checkpoint | None):
        raise TypeError(f"checkpoint must be the path of a file, or None, not {checkpoint!r}")


def identity(method: Any, start: Any | None) -> dict:
    """What identifies a fit: class and parameters of the method, digest of a given start, seed, and samples."""
    given = {name: value for name, value in method.get_params(deep=False).items() if name not in method._may_change}
    begins = {"start": start.digest} if start else {}
    x = method._x
    samples = content_digest(x.cpu().numpy()) if isinstance(x, Tensor) else x.digest
    fit = {"method": type(method).__name__, **given, **begins, "seed": method.seed_, "samples": samples}
    return {name: plain(value, foreign=_named) for name, value in fit.items()}


def _named(value: Any) -> str:
    """A name for an object that is not plain data, without its memory address."""
    return repr(value) if is_dataclass(value) else getattr(value, "__qualname__", type(value).__qualname__)


_PLAIN = bool | int | float | str | tuple


def _tree(part: Any) -> Any:
    """Copies of a part's tensors and plain values, as nested dicts."""
    if isinstance(part, Tensor):
        return part.detach().cpu().clone()
    if isinstance(part, torch.Generator):
        return part.get_state()
    if part is None or isinstance(part, _PLAIN):
        return part
    if isinstance(part, nn.Module):
        part = part.state_dict()
    elif isinstance(part, Optimizer):
        part = part.tensors
    return {name: _tree(inner) for name, inner in (part if isinstance(part, Mapping) else vars(part)).items()}


@torch.no_grad()
def _restore(part: Any, tree: Any, device: torch.device) -> None:
    """Restore a part in place from the result of `_tree`."""
    if isinstance(part, nn.Module):
        part.load_state_dict(tree)
    elif isinstance(part, Optimizer):
        part.load(tree)
    elif isinstance(part, torch.Generator):
        part.set_state(tree)
    elif isinstance(part, Tensor):
        part.copy_(tree)
    else:
        vars(part).update({name: _placed(inner, device) for name, inner in tree.items()})


def _placed(leaf: Any, device: torch.device) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.to(device)
    return tuple(leaf) if isinstance(leaf, list) else leaf


def _parted(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """A tree in a form that JSON can represent; its tensors are added to `tensors` under their paths."""
    if isinstance(tree, Tensor):
        tensors[path] = tree
        return {"tensor": path}
    if isinstance(tree, dict):
        return {name: _parted(inner, f"{path}/{name}", tensors) for name, inner in tree.items()}
    return tree


def _joined(told: Any, tensors: dict[str, Tensor]) -> Any:
    """The tree that `_parted` separated into JSON and tensors."""
    if not isinstance(told, dict):
        return told
    if list(told) == ["tensor"]:
        return tensors[told["tensor"]]
    return {name: _joined(inner, tensors) for name, inner in told.items()}
