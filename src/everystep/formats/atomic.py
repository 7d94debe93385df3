"""Writing a file in one move: whoever looks sees the old file or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from io import BufferedIOBase
from os import PathLike
from pathlib import Path


def write_atomically(path: str | PathLike[str], write: Callable[[BufferedIOBase], object]) -> None:
    """Write a file beside its place, make sure that it is on the disk, and move it there.

    Args:
        path: where the file goes; a link is followed, and what it points to is replaced.
        write: writes the contents into the open file that it is given.

    Raises:
        OSError: the disk is full or read-only, or the folder does not exist; what was at `path`
            is still there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(f"{folder}/note", lambda file: file.write(b"hello"))
        ...     [path.name for path in Path(folder).iterdir()], Path(folder, "note").read_bytes()
        (['note'], b'hello')
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with open(beside, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            # A full disk names no file, and other faults name the one beside.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make sure that the new name is on the disk as well."""
    if os.name == "nt":  # Folders cannot be opened there.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
