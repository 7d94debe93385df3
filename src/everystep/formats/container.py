"""Named arrays and text in one file: safetensors, with a version and a checksum in its metadata."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from os import PathLike
from typing import Any

import numpy as np

from everystep.errors import FormatError
from everystep.formats.atomic import write_atomically
from everystep.formats.header import (
    LONGEST_HEADER,
    Entry,
    layout,
    parse_header,
    write_header,
)
from everystep.formats.opening import open_regular, what_begins_with
from everystep.formats.plain_json import write_json

Array = np.ndarray[Any, Any]

FORMAT_VERSION = 1
"""The version of the format that is written, and the newest one that is read."""

_VERSION, _CHECKSUM = "everystep_format", "sha256"


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Args:
        tensors: the arrays by name.
        metadata: the texts by name.
    """

    tensors: dict[str, Array]
    metadata: dict[str, str]


def write_tensors(
    path: str | PathLike[str], tensors: Mapping[str, Any], metadata: Mapping[str, str]
) -> None:
    """Write arrays and texts into one file, in one move.

    Args:
        path: where to write; a file that is there is replaced, or kept where anything fails.
        tensors: the arrays by name.
        metadata: the texts by name.

    Raises:
        FormatError: a name or a dtype cannot be written.
        OSError: the disk is full, read-only or broken.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_tensors(f"{folder}/a.safetensors", {"a": np.arange(3)}, {"note": "counted"})
        ...     read_tensors(f"{folder}/a.safetensors")
        Contents(tensors={'a': array([0, 1, 2])}, metadata={'note': 'counted'})
    """
    where = os.fspath(path)
    arrays = {name: _little_endian(np.asarray(value)) for name, value in tensors.items()}
    entries = layout(arrays, where)
    texts = {**metadata, _VERSION: str(FORMAT_VERSION)}
    checksum = _fingerprint(entries, texts)
    pieces = [np.ascontiguousarray(arrays[entry.name]).reshape(-1) for entry in entries]
    for piece in pieces:
        checksum.update(piece.view(np.uint8))
    header = write_header(entries, texts | {_CHECKSUM: checksum.hexdigest()})
    if len(header) > LONGEST_HEADER:
        raise FormatError(f"{where}: the header would take {len(header)} bytes, too many to read")

    def write(file: BufferedIOBase) -> None:
        file.write(header)
        for piece in pieces:
            file.write(piece.view(np.uint8).data)

    write_atomically(path, write)


def _little_endian(array: Array) -> Array:
    swapped = array.dtype.newbyteorder("<")
    return array if array.dtype == swapped else array.astype(swapped)


def read_tensors(path: str | PathLike[str]) -> Contents:
    """Read a file that `write_tensors` wrote.

    Nothing is allocated that is larger than the file, and only after its header has been found to
    account for every byte.

    Args:
        path: the file.

    Returns:
        The arrays and texts.

    Raises:
        FormatError: the file is damaged, hostile, of another format, or from a newer version.
        OSError: the file does not exist or cannot be read.
    """
    where = os.fspath(path)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        header = _read_header(file, size, where)
        entries, metadata = parse_header(header, size - 8 - len(header), where)
        _check_version(metadata, where)
        given = metadata.pop(_CHECKSUM, None)
        checksum = _fingerprint(entries, metadata)
        tensors = {}
        for entry in entries:
            raw = np.empty(entry.end - entry.begin, np.uint8)
            if file.readinto(raw.data) != raw.size:
                raise FormatError(f"{where}: the file was cut off while it was read")
            checksum.update(raw)
            tensors[entry.name] = _array(raw, entry, where)
    if checksum.hexdigest() != given:
        raise FormatError(
            f"{where}: {_CHECKSUM} is not that of the contents: the file was damaged or changed"
        )
    del metadata[_VERSION]
    return Contents(tensors, metadata)


def _read_header(file: BufferedIOBase, size: int, where: str) -> bytes:
    first = file.read(8)
    length = int.from_bytes(first, "little")
    if len(first) < 8 or length > size - 8:
        raise FormatError(
            f"{where}: the header does not fit into the file of {size} bytes"
            f"{what_begins_with(first)}"
        )
    if length > LONGEST_HEADER:
        raise FormatError(f"{where}: a header of {length} bytes is longer than {LONGEST_HEADER}")
    return file.read(length)


def _check_version(metadata: dict[str, str], where: str) -> None:
    version = metadata.get(_VERSION)
    if version is None:
        raise FormatError(f"{where}: no {_VERSION} in its metadata: everystep did not write it")
    if not (version.isascii() and version.isdigit() and len(version) < 10) or int(version) < 1:
        raise FormatError(f"{where}: {_VERSION} is {version[:40]!r}, not a version")
    if int(version) > FORMAT_VERSION:
        raise FormatError(
            f"{where}: the file has version {version} of the format, but this everystep reads up "
            f"to {FORMAT_VERSION}: install a newer everystep"
        )


def _fingerprint(entries: list[Entry], metadata: Mapping[str, str]) -> Any:
    """Return the checksum of all but the bytes of the arrays, ready to take those in."""
    described = [[entry.name, str(entry.dtype), list(entry.shape)] for entry in entries]
    return hashlib.sha256(write_json([described, sorted(metadata.items())]).encode())


def _array(raw: Array, entry: Entry, where: str) -> Array:
    if entry.dtype == np.bool_ and raw.size and raw.max() > 1:
        raise FormatError(f"{where}: array '{entry.name}' of truth values holds other numbers")
    return raw.view(entry.dtype).reshape(entry.shape)
