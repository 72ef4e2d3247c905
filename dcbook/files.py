"""Files that are there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write a file by renaming a finished one into place; parent folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(half, 0o644)
        os.replace(half, path)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


@contextmanager
def written_folder(path: str | Path, own: Iterable[str]) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `path` when the block ends without an error.

    `own`: the names that are written there. An earlier folder is replaced if it holds these or nothing; anything else
    in it, or a file or a link in its place, is left alone by a FileExistsError.
    """
    path = Path(path)
    if path.is_symlink() or path.exists():
        if path.is_symlink() or not path.is_dir():
            raise FileExistsError(f"{path} is a link or a file; give a folder that is new or empty")
        if foreign := sorted({each.name for each in path.iterdir()} - set(own)):
            few = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
            raise FileExistsError(f"{path} holds {few}, which would be lost; give a folder that is new or empty")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    half.chmod(0o755)
    try:
        yield half
        if path.exists():
            old = half.with_name(half.name + ".old")
            path.rename(old)
            half.rename(path)
            shutil.rmtree(old)
        else:
            half.rename(path)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
