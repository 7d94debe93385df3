"""The .keras archive: a zip of configuration, metadata and weights, read with suspicion.

Python's own reader of zip files does the reading, but only after the end of the archive has said
how many members there are, and each member has been found to be one of the three that Keras
writes, of a size in proportion to the bytes that it takes.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from os import PathLike
from typing import NoReturn

from everystep.errors import FormatError
from everystep.formats.atomic import write_atomically
from everystep.formats.opening import open_regular, what_begins_with

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"

LARGEST_TEXT = 16 * 2**20
"""In bytes; what configuration and metadata may take, each."""

LARGEST_RATIO = 100
"""How many times its packed size a member may have. Keras packs nothing."""

LARGEST_DIRECTORY = 2**16
"""In bytes; what the list of members may take."""

_MEMBERS = (CONFIG, METADATA, WEIGHTS)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_KIND_OF_FILE, _REGULAR = 0o170000, (0, 0o100000)


@dataclass(frozen=True)
class KerasArchive:
    """What a .keras file holds.

    Args:
        config: the model's configuration as JSON.
        metadata: who wrote the file, as JSON.
        weights: an HDF5 file.
    """

    config: bytes
    metadata: bytes
    weights: bytes


def write_archive(path: str | PathLike[str], archive: KerasArchive) -> None:
    """Write a .keras file, in one move.

    Args:
        path: where to write; a file that is there is replaced, or kept where anything fails.
        archive: the contents.

    Raises:
        OSError: the disk is full, read-only or broken.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_archive(f"{folder}/m.keras", KerasArchive(b"{}", b"{}", b"..."))
        ...     read_archive(f"{folder}/m.keras")
        KerasArchive(config=b'{}', metadata=b'{}', weights=b'...')
    """

    def write(file: BufferedIOBase) -> None:
        contents = (archive.config, archive.metadata, archive.weights)
        with zipfile.ZipFile(file, "w") as packed:
            for name, content in zip(_MEMBERS, contents, strict=True):
                packed.writestr(zipfile.ZipInfo(name), content)

    write_atomically(path, write)


def read_archive(path: str | PathLike[str]) -> KerasArchive:
    """Read a .keras file.

    Args:
        path: the file.

    Returns:
        Its three members, each found to have the checksum that the archive gives.

    Raises:
        FormatError: the file is damaged or hostile, or is no .keras file.
        OSError: the file does not exist or cannot be read.
    """
    where = os.fspath(path)
    with open_regular(path) as file:
        _check_end(file, where)
        try:
            with zipfile.ZipFile(file) as packed:
                infos = _checked(packed.infolist(), where)
                return KerasArchive(*(packed.read(infos[name]) for name in _MEMBERS))
        except FormatError:
            raise
        # What zipfile and zlib raise for damaged bytes is not one kind of error.
        except Exception as error:
            raise FormatError(f"{where}: the archive is damaged: {error}") from error


def _check_end(file: BufferedReader, where: str) -> None:
    """Refuse an archive whose end is not where it must be, or lists other than three members."""
    first = file.read(16)
    if not first.startswith(b"PK\x03\x04"):
        raise FormatError(f"{where}: not a zip archive, as .keras is{what_begins_with(first)}")
    # Before the end of 22 bytes stand 20 and 56 more where the archive has more than 4 GiB.
    file.seek(max(0, file.seek(0, io.SEEK_END) - 98))
    last = file.read()
    large, locator, end = last[:-42], last[-42:-22], last[-22:]
    if not end.startswith(b"PK\x05\x06") or len(end) < 22:
        raise FormatError(f"{where}: the archive is cut off, or bytes follow its end")
    members, directory = struct.unpack("<HI", end[10:16])
    if locator.startswith(b"PK\x06\x07"):
        if not large.startswith(b"PK\x06\x06") or len(large) < 56:
            raise FormatError(f"{where}: the end of the archive is damaged")
        members, directory = struct.unpack("<QQ", large[32:48])
    if members != len(_MEMBERS):
        _refuse_members(f"{members} members", where)
    if directory > LARGEST_DIRECTORY:
        raise FormatError(f"{where}: the list of members takes {directory} bytes, too many")


def _checked(infos: list[zipfile.ZipInfo], where: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, all of them what Keras writes."""
    for info in infos:
        name = info.orig_filename
        if name not in _MEMBERS:
            _refuse_members(f"a member {name[:80]!r}", where)
        if info.flag_bits & _ENCRYPTED:
            raise FormatError(f"{where}: member {name} is encrypted")
        if (info.external_attr >> 16) & _KIND_OF_FILE not in _REGULAR or info.is_dir():
            raise FormatError(f"{where}: member {name} is a link, or no file")
        if info.compress_type not in _PACKINGS:
            raise FormatError(f"{where}: member {name} is packed in a way that Keras does not use")
        if info.file_size > LARGEST_RATIO * info.compress_size:
            raise FormatError(
                f"{where}: member {name} would unpack {info.compress_size} bytes to "
                f"{info.file_size}, more than {LARGEST_RATIO} times as many"
            )
        if name != WEIGHTS and info.file_size > LARGEST_TEXT:
            raise FormatError(f"{where}: member {name} has {info.file_size} bytes, too many")
    found = {info.orig_filename: info for info in infos}
    if len(found) < len(infos):
        _refuse_members("one of them twice", where)
    _refuse_overlaps(infos, where)
    return found


def _refuse_overlaps(infos: list[zipfile.ZipInfo], where: str) -> None:
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise FormatError(f"{where}: member {info.filename} overlaps the one before it")
        end = info.header_offset + info.compress_size


def _refuse_members(what: str, where: str) -> NoReturn:
    raise FormatError(
        f"{where}: a .keras file has exactly the members {', '.join(_MEMBERS)}, but this one has "
        f"{what}"
    )
