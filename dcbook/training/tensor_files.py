"""Tensors, and JSON about them, in one safetensors file with a digest: whole, or refused by name."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from dcbook.files import write_whole


def write_tensors(path: str | Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors by name, and what JSON can hold about them, to one file, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = json.dumps(about)
    write_whole(path, save(tensors, {"about": told, "digest": _digest(tensors, told)}))


def read_tensors(path: str | Path, what: str, remedy: str) -> tuple[dict[str, Tensor], dict]:
    """The tensors and what is told about them, as `write_tensors` wrote them.

    `what` names what the file should hold, as in "checkpoint", and `remedy` says what to do about a damaged one. Raises
    ValueError with the path for a file that is missing, damaged or of another kind.
    """
    if not Path(path).exists():
        raise ValueError(f"{path}: there is no such file, which should hold a {what}")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        told, stated = header["about"], header["digest"]
    except Exception as error:
        raise ValueError(f"{path} is no complete {what} ({type(error).__name__}: {error}); {remedy}") from error
    if _digest(tensors, told) != stated:
        raise ValueError(f"{path} is damaged: this {what} is not the one that was saved (its digest differs); {remedy}")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path} is damaged: {name} holds numbers that are not finite; {remedy}")
    return tensors, json.loads(told)


def _digest(tensors: dict[str, Tensor], told: str) -> str:
    """SHA-256 over names, types, shapes and values of the tensors, and what is told about them."""
    sha = hashlib.sha256(told.encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return sha.hexdigest()
