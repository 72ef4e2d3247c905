"""Records: one small JSON file per finished run, the only source of tables and figures.

A record that is truncated, edited, of another schema or under the name of another run is refused, with a message that
names the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcbook.files import write_whole

SCHEMA = 1
PARTS = ("run", "scores", "history", "provenance")
OPTIONAL = ("portrait",)
KINDS = {"run": dict, "scores": dict, "history": list, "provenance": dict, "portrait": dict}
IDENTITY = {
    "method": str,
    "estimator": str,
    "params": dict,
    "dataset": str,
    "sampling": dict,
    "seed": int,
    "scale": str,
}


class RecordError(ValueError):
    """A record that cannot be trusted; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Record:
    """One finished run.

    Attributes
    ----------
    run : dict
        The run's identity: method, estimator, params, dataset, sampling, seed, scale, and the run that it starts from.
    scores : dict
        Final scores as fractions, finite floats.
    history : list of dict
        One dict per epoch, with floats to six significant digits; None replaces a number that was not finite.
    provenance : dict
        Commit, versions, device, threads, seconds, peak memory in MiB, data, start, time of finishing.
    portrait : dict
        What the run's watch recorded about the fitted model; empty for most runs.
    """

    run: dict
    scores: dict
    history: list
    provenance: dict
    portrait: dict = field(default_factory=dict)


def plain(value: Any) -> Any:
    """`value` in JSON's own types (NumPy scalars, tuples and dataclasses converted).

    Raises
    ------
    TypeError
        For a value that JSON cannot represent.
    """
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: plain(asdict(value) | left_open(value))}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a record can hold numbers, strings, lists and dicts, not a {type(value).__name__} ({value!r})")


def left_open(owner: Any) -> dict[str, int]:
    """The defaults in `SIZES` of those numbers of samples that are None in a method or a recipe."""
    return {name: size for name, size in getattr(owner, "SIZES", {}).items() if getattr(owner, name) is None}


def canonical(value: Any) -> bytes:
    """The canonical JSON text of a value, from which digests are computed."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def key(run: Mapping) -> str:
    """Digest of a run's identity: all entries of `run`, independent of the order of its parameters."""
    return digest(run)


def path_of(run: Mapping, folder: str | Path) -> Path:
    """Path of the record of `run`: ``<folder>/<dataset>/<method>-seed<k>-<8 hex of the key>.json``."""
    name = f"{run['method']}-seed{run['seed']}-{key(run)[:8]}.json"
    return Path(folder) / _safe(run["dataset"]) / _safe(name)


def write(record: Record, folder: str | Path) -> Path:
    """Write a record atomically and return its path.

    Raises
    ------
    ValueError
        If a score is not a finite number.
    """
    for name, score in record.scores.items():
        if not math.isfinite(score):
            raise ValueError(
                f"the score {name!r} of {describe(record.run)} is {score}; only finite scores can be recorded"
            )
    body = {
        "schema": SCHEMA,
        "run": plain(record.run),
        "scores": plain(record.scores),
        "history": [rounded(plain(row)) for row in record.history],
        "provenance": rounded(plain(record.provenance)),
        **({"portrait": rounded(plain(record.portrait))} if record.portrait else {}),
    }
    body["sha256"] = digest(body)
    path = path_of(record.run, folder)
    write_whole(path, _layout(body))
    return path


def read(path: str | Path) -> Record:
    """Read one record and check it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    RecordError
        If the file is truncated, edited, of another schema or not under its run's name.
    """
    path = Path(path)
    remedy = "restore it, or delete it to repeat the run"
    try:
        body = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: truncated or not JSON ({error}); {remedy}") from None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        found = body.get("schema") if isinstance(body, dict) else None
        raise RecordError(f"{path}: schema {found!r}, but this version reads schema {SCHEMA}; {remedy}")
    stated = body.pop("sha256", None)
    if set(body) - set(OPTIONAL) != {"schema", *PARTS} or stated != _digest_of(body):
        raise RecordError(f"{path}: edited after it was written (its digest does not match); {remedy}")
    record = Record(**{part: body[part] for part in (*PARTS, *OPTIONAL) if part in body})
    wrong = [part for part, kind in KINDS.items() if not isinstance(getattr(record, part), kind)]
    wrong += [f"run/{name}" for name, kind in IDENTITY.items() if not wrong and type(record.run.get(name)) is not kind]
    if wrong:
        raise RecordError(f"{path}: not a record of a run ({wrong[0]} is missing or has a wrong type); {remedy}")
    expected = path_of(record.run, path.parent.parent)
    if path.name != expected.name or path.parent.name != expected.parent.name:
        right = f"{expected.parent.name}/{expected.name}"
        raise RecordError(f"{path}: holds the run that belongs under {right}; rename it back, or delete it")
    return record


def read_all(folder: str | Path) -> list[Record]:
    """All records below `folder`, in the order of their paths; RecordError if one cannot be trusted."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: the folder of records does not exist")
    paths = (p for p in folder.glob("*/*.json") if not p.parent.name.startswith("."))
    return [read(path) for path in sorted(paths)]


def value_of(record: Record, setting: str) -> Any:
    """The value of a parameter of the method or an option of the sampling; None if the run has neither."""
    return record.run["params"].get(setting, record.run["sampling"].get(setting))


def describe(run: Mapping) -> str:
    """A short description of a run, for messages."""
    return f"{run['method']} on {place(run)}, seed {run['seed']}"


def place(run: Mapping) -> str:
    """The data of a run: its data set ("cifar10"), features ("cifar10-simclr-h") or vectors ("questions, svd-20")."""
    sampling = run.get("sampling", {})
    if vectors := sampling.get("vectors"):
        return f"{run['dataset']}, {vectors}"
    return Path(sampling["features"]).stem if sampling.get("features") else run["dataset"]


def workroom(folder: str | Path) -> Path:
    """A hidden folder for locks inside `folder`; git ignores it."""
    room = Path(folder) / ".work"
    if not (room / ".gitignore").exists():
        write_whole(room / ".gitignore", "*\n")
    return room


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _digest_of(body: dict) -> str | None:
    """The digest of a file's contents; None if these cannot be a record (infinity, extremely deep nesting)."""
    try:
        return digest(body)
    except (ValueError, RecursionError):
        return None


def _safe(name: str) -> str:
    return re.sub(r"[^\w.+=-]+", "_", str(name)).lstrip(".")


def rounded(value: Any) -> Any:
    """Round floats in nested dicts and lists to six significant digits; None replaces those that are not finite."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _layout(body: dict) -> str:
    """Readable JSON with small diffs in git: one line per entry, one per epoch of the history."""
    lines = []
    for name, value in body.items():
        if name == "history" and value:
            text = "[\n" + ",\n".join("  " + json.dumps(row, allow_nan=False) for row in value) + "\n ]"
        elif isinstance(value, dict):
            entries = (f"  {json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in value.items())
            text = "{\n" + ",\n".join(entries) + "\n }"
        else:
            text = json.dumps(value)
        lines.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
