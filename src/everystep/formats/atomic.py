"""Writing a file in one move: whoever looks sees the old file or the new one, never a part."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from os import PathLike
from pathlib import Path

_PART = ".part"


def write_atomically(path: str | PathLike[str], write: Callable[[BufferedIOBase], object]) -> None:
    """Write a file beside its place, make sure that it is on the disk, and move it there.

    Args:
        path: where the file goes; a link is followed, and what it points to is replaced. A pipe or
            a device cannot be replaced and is written to as it is.
        write: writes the contents into the open file that it is given.

    Raises:
        OSError: the disk is full, read-only or broken, or the folder does not exist. It names
            `path`, where the old file is whole; or the new one, if all that could not be made sure
            of is that its name is on the disk.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(f"{folder}/note", lambda file: file.write(b"hello"))
        ...     [path.name for path in Path(folder).iterdir()], Path(folder, "note").read_bytes()
        (['note'], b'hello')
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_PART}")
    with _naming(path, beside, target.parent):
        if _is_special(target):
            with open(target, "wb") as file:
                write(file)
            return
        try:
            with open(beside, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        _sync_folder(target.parent)


def write_text_atomically(path: str | PathLike[str], text: str) -> None:
    """Write text as UTF-8 in one move; see `write_atomically`. What has no bytes becomes `?`."""
    write_atomically(path, lambda file: file.write(text.encode("utf-8", errors="replace")))


def append(path: str | PathLike[str], contents: bytes) -> None:
    r"""Write behind what a file holds: all of it, or none.

    Raises:
        OSError: the disk is full or read-only; it names `path`, and the file is as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     append(f"{folder}/log", b"one line\n")
        ...     append(f"{folder}/log", b"another\n")
        ...     Path(folder, "log").read_bytes()
        b'one line\nanother\n'
    """
    # Without a buffer, which would try once more to write what did not go in.
    with _naming(path), open(path, "ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            left = memoryview(contents)
            while left:
                left = left[file.write(left) :]
        except BaseException:
            file.truncate(size)
            raise


def make_folder(folder: str | PathLike[str]) -> None:
    """Make a folder, and those that it is in, and make sure that their names are on the disk.

    Raises:
        OSError: it cannot be made, or is a file.
    """
    folder = Path(folder)
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        with _naming(folder, each.parent):
            _sync_folder(each.parent)


def remove_parts(folder: str | PathLike[str], suffix: str) -> None:
    """Remove what writers left that were killed; nobody may be writing such files there.

    Args:
        folder: where they wrote.
        suffix: what the names of the files end with that were to be written.
    """
    for part in Path(folder).glob(f".*{glob.escape(suffix)}.*{_PART}"):
        part.unlink(missing_ok=True)


def _is_special(path: str | PathLike[str]) -> bool:
    """Whether there is something at a path that is no file that could be replaced."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _naming(path: str | PathLike[str], *others: Path) -> Iterator[None]:
    """Let errors of the disk name a path: a full disk names none, or they name one of others."""
    try:
        yield
    except OSError as error:
        # What is written may come from a file that cannot be read, which has its name.
        if error.errno is None or error.filename not in (None, *map(str, others)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _sync_folder(folder: Path) -> None:
    """Make sure that the new name is on the disk as well."""
    if os.name == "nt":  # Folders cannot be opened there.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
