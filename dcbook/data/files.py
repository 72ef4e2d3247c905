"""Where data files lie, and the checks that they pass before anything is made of them."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from dcbook.data.cache import cached
from dcbook.data.digest import content_digest

# Content digests of files that were compared with the published ones, by path below the root.
KNOWN: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("digests.json").read_text("utf-8"))
PACKED = ".gz"
MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EIO)  # a full disk, …: errors that tell nothing of a file

Arrays = tuple[np.ndarray, ...]


class DataError(OSError):
    """A data set's file is cut off, altered, or can't be had."""


class MissingDataError(DataError, FileNotFoundError):
    """A data set's file isn't where it's expected."""


def data_root(root: str | os.PathLike | None = None) -> Path:
    """The data folder: `root`, else the environment's ``DCBOOK_DATA``, else one in the user's cache."""
    if root is None:
        root = os.environ.get("DCBOOK_DATA") or platformdirs.user_cache_path("dcbook") / "data"
    if not isinstance(root, str | os.PathLike):
        raise TypeError(f"root must be a path or None, not {root!r}")
    return Path(root).expanduser().absolute()


class Files:
    """The files of one data set below one root, and a record of how each one was checked.

    Parameters
    ----------
    name
        The data set's name, for messages.
    root
        The folder that `data_root` gives.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.root = name, root
        self.records: list[dict[str, Any]] = []
        self.notes: list[str] = []

    @property
    def original(self) -> bool:
        """True if every file read so far is the published one."""
        return all(record["original"] for record in self.records)

    def read(
        self,
        decode: Callable[[Path], Arrays],
        *files: tuple[str, str | None],
        library: str = "torchvision",
        keep: bool = False,
    ) -> Arrays:
        """Decode files that belong together, and check them.

        They pass if each one's md5 is the published one, or if what they decode to is in ``digests.json``.

        Parameters
        ----------
        decode
            From the path of the first file to arrays.
        files
            Pairs of a path below the root and the md5 that was published for it, or None.
        library
            Who published the md5s.
        keep
            Keep the arrays beside the data, for a decoder that takes seconds.

        Returns
        -------
        tuple of ndarray

        Raises
        ------
        DataError
            Where they pass neither check; it names the file.
        """
        path = files[0][0]
        altered = [name for name, md5 in files if md5 is None or md5 != _md5(self.root / name)]
        try:
            arrays = cached(decode, self.root, path) if keep else decode(self.root / path)
        except (MemoryError, PermissionError, ImportError):
            raise
        except Exception as error:  # whatever a decoder makes of damaged bytes
            if getattr(error, "errno", None) in MACHINE:
                raise
            path = next(iter(altered), path)
            cause = f"it can't be read ({type(error).__name__}: {str(error)[:200]}), so it is cut off or altered"
            raise self.damaged(path, cause) from error
        if altered:
            known = {entry["content"]: entry for entry in KNOWN.get(path.removesuffix(PACKED), [])}
            entry = known.get(content_digest(*arrays))
            if entry is None:
                cause = "its content is neither the published one nor a known copy's, so it is cut off or altered"
                published = next((md5 for name, md5 in files if name == altered[0] and md5), None)
                expected = ([f"md5 {published}"] if published else []) + [f"content {c[:12]}…" for c in known]
                raise self.damaged(altered[0], f"{cause} (expected {' or '.join(expected)})")
            self.note(entry.get("note"))
            checked, original = "content digest", entry["original"]
        else:
            checked, original = f"md5 published by {library}", True
        self.records += [{"file": name, "checked": checked, "original": original} for name, _ in files]
        return arrays

    def note(self, text: str | None) -> None:
        """Remember a sentence for the provenance, once."""
        if text and text not in self.notes:
            self.notes.append(text)

    def damaged(self, path: str, cause: str) -> DataError:
        """The error for a file below the root that must not be used."""
        return DataError(
            f"{self.name}: {self.root / path}: {cause}. Put a good copy in its place, or fetch "
            f"the original over it with: make data NAME={self.name}"
        )

    def found(self, path: str) -> str:
        """The path below the root, or that of the packed file ``.gz`` if only this is there."""
        packed = path + PACKED
        return packed if (self.root / packed).exists() and not (self.root / path).exists() else path

    def require(self, paths: Sequence[str], size: str, how: str | None = None) -> None:
        """Raise a MissingDataError with the files that aren't there, their place, size and the command."""
        missing = [path for path in paths if not (self.root / self.found(path)).exists()]
        if missing:
            how = how or f"fetch it with: make data NAME={self.name} (or load({self.name!r}, download=True))"
            it = "it" if len(missing) == 1 else "them"
            raise MissingDataError(
                f"{self.name}: not found in {self.root}: {', '.join(missing)} (the set is about {size}). "
                f"Set DCBOOK_DATA (or root) to the folder that holds {it}, or {how}"
            )


def _md5(path: Path) -> str:
    with suppress(IsADirectoryError), path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return ""
