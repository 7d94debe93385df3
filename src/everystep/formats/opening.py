"""Opening a file to read: a regular one, and not one of another format."""

from __future__ import annotations

import os
import re
import stat
from io import BufferedReader
from os import PathLike

from everystep.errors import FormatError

_BEGINNINGS = {
    "a zip archive, as .keras is": b"PK\x03\x04",
    "HDF5, as .weights.h5 is": b"\x89HDF\r\n\x1a\n",
    "pickle": b"\x80",
    "an array of NumPy": b"\x93NUMPY",
}

_NO_TEXT = re.compile(rb"[^\t\r\n -~]")


def open_regular(path: str | PathLike[str]) -> BufferedReader:
    """Open a file for reading, if it is a regular one.

    Raises:
        FormatError: it is a folder, a pipe or a device.
        OSError: the file does not exist or cannot be read.
    """
    # A pipe or a device is refused before it is opened, which could wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FormatError(f"{os.fspath(path)}: this is not a regular file")
    return open(path, "rb")


def what_begins_with(first: bytes) -> str:
    r"""Return the format that a file is of by its first bytes, in words; nothing if unknown.

    >>> what_begins_with(b"PK\x03\x04...")
    ': this is a zip archive, as .keras is'
    >>> what_begins_with(b"epochs = 3"), what_begins_with(b"\x50\x00\x00\x00\x00\x00\x00\x00")
    (': this is text', '')
    """
    found = [words for words, magic in _BEGINNINGS.items() if first.startswith(magic)]
    if first.isascii() and first.decode("ascii").split() and not _NO_TEXT.search(first):
        found.append("text")
    return f": this is {found[0]}" if found else ""
