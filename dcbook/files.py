"""Atomic writing of files."""

import glob
import os
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

DAY = 24 * 3600


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write a file atomically, see `written_whole`."""
    with written_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_whole(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which gets its name `path` when the block ends, or is removed if the block raises.

    Parent folders are created, and links are followed. The new file has the permissions of the earlier one, or those
    of the umask. Incomplete files that killed writers left in the folder are removed.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path.parent.glob(f".{glob.escape(path.name)}.dcbook-*"))
    half = path.with_name(f".{path.name}.dcbook-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with open(half, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(half, path.stat().st_mode & 0o777)
        os.replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def remove_abandoned(folder: str | Path) -> None:
    """Remove incomplete files that killed writers left anywhere in a folder."""
    _remove(Path(folder).rglob(".*.dcbook-*"))


def folder_to_write(path: str | Path) -> Path:
    """The folder `path`, created if necessary; FileExistsError if `path` is a file."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file; give a folder")
    path.mkdir(parents=True, exist_ok=True)
    return path


def _machine() -> str:
    return socket.gethostname()


def _remove(halves: Iterable[Path]) -> None:
    for half in list(halves):
        if _abandoned(half):
            half.unlink(missing_ok=True)


def _abandoned(half: Path) -> bool:
    """Whether the writer of an incomplete file has ended: its process on this machine, or else at least a day ago."""
    writer = re.fullmatch(r".+\.dcbook-(.+)-(\d+)-\w+", half.name)
    try:
        if writer and writer[1] == _machine() and os.name == "posix":
            os.kill(int(writer[2]), 0)
            return False
        return writer is not None and time.time() - half.stat().st_mtime > DAY
    except ProcessLookupError:
        return True
    except OSError:
        return False
