"""Safetensors files that hold tensors, JSON about them, and a digest, by which damaged files are detected."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load, save
from torch import Tensor

from dcbook.files import write_whole


def write_tensors(path: str | Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors by name, and JSON data `about` them (see `as_json`), atomically to one file.

    Raises FileExistsError if the file exists and was not written by `write_tensors`.
    """
    if Path(path).exists() and not _is_ours(Path(path)):
        raise FileExistsError(f"{path} is damaged or not a file of dcbook and is not overwritten; give another folder")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = as_json(about)
    write_whole(path, save(tensors, {"about": told, "digest": _digest(tensors, told)}))


def read_tensors(path: str | Path, what: str, remedy: str) -> tuple[dict[str, Tensor], dict]:
    """The tensors and the data about them that `write_tensors` wrote.

    `what` is the kind of content expected, such as "checkpoint", and `remedy` the advice for a damaged file, both for
    messages. Raises ValueError, naming the path, for a file that is missing, damaged or of another kind.
    """
    if not Path(path).exists():
        raise ValueError(f"{path}: there is no such file; it should hold a {what}")
    try:
        content = Path(path).read_bytes()  # read once, because the file may be replaced meanwhile
        tensors, header = load(content), _header(content)
        told, stated = header["about"], header["digest"]
    except Exception as error:
        raise ValueError(f"{path} is not a complete {what} ({type(error).__name__}: {error}); {remedy}") from error
    if _digest(tensors, told) != stated:
        raise ValueError(f"{path} is damaged: this is not the {what} that was saved (its digest differs); {remedy}")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path} is damaged: {name} holds numbers that are not finite; {remedy}")
    return tensors, json.loads(told)


def as_json(about: dict) -> str:
    """Data of JSON types and numbers of NumPy as JSON; TypeError for any other type."""
    return json.dumps(about, default=np.generic.item)


def _header(content: bytes) -> dict[str, str]:
    """The metadata of a safetensors file; its first eight bytes are the length of the JSON header."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])["__metadata__"]


def _is_ours(path: Path) -> bool:
    """Whether a file has the header of `write_tensors`."""
    try:
        with safe_open(path, "pt") as file:
            return {"about", "digest"} <= (file.metadata() or {}).keys()
    except Exception:
        return False


def _digest(tensors: dict[str, Tensor], told: str) -> str:
    """SHA-256 of names, types, shapes and values of the tensors, and of the JSON about them."""
    sha = hashlib.sha256(told.encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return sha.hexdigest()
