"""Tensors, and JSON about them, in one safetensors file with a digest: whole, or refused by name."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load, save
from torch import Tensor

from dcbook.files import write_whole


def write_tensors(path: str | Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors by name, and what JSON can hold about them, to one file, whole or not at all.

    Raises FileExistsError for a file that `write_tensors` did not write.
    """
    if Path(path).exists() and not _is_ours(Path(path)):
        raise FileExistsError(f"{path} is damaged or was not written by dcbook, and would be lost; give another folder")
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
        content = Path(path).read_bytes()  # once: a writer may put another file in its place
        tensors, header = load(content), _header(content)
        told, stated = header["about"], header["digest"]
    except Exception as error:
        raise ValueError(f"{path} is no complete {what} ({type(error).__name__}: {error}); {remedy}") from error
    if _digest(tensors, told) != stated:
        raise ValueError(f"{path} is damaged: this {what} is not the one that was saved (its digest differs); {remedy}")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path} is damaged: {name} holds numbers that are not finite; {remedy}")
    return tensors, json.loads(told)


def _header(content: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: eight bytes say how long its JSON is."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])["__metadata__"]


def _is_ours(path: Path) -> bool:
    """Whether the header of a file is one of `write_tensors`."""
    try:
        with safe_open(path, "pt") as file:
            return {"about", "digest"} <= (file.metadata() or {}).keys()
    except Exception:
        return False


def _digest(tensors: dict[str, Tensor], told: str) -> str:
    """SHA-256 over names, types, shapes and values of the tensors, and what is told about them."""
    sha = hashlib.sha256(told.encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return sha.hexdigest()
