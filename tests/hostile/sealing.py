"""Damaged files given right checksums, so that what stands behind a checksum is reached too."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable

from everystep.errors import FormatError
from everystep.formats.container import _CHECKSUM, _fingerprint
from everystep.formats.header import METADATA, parse_header
from everystep.formats.keras_archive import CONFIG, WEIGHTS
from everystep.formats.keras_archive import METADATA as KERAS_METADATA
from tests.hostile.formats import OWN

MEMBERS = (CONFIG, KERAS_METADATA, WEIGHTS)


def sealed(content: bytes) -> bytes:
    """Return a file of ours with the checksum of what it holds; as it is where it holds nothing."""
    length = int.from_bytes(content[:8], "little")
    text, data = content[8 : 8 + length], content[8 + length :]
    try:
        entries, metadata = parse_header(text, len(data), "")
        metadata.pop(_CHECKSUM, None)
        checksum = _fingerprint(entries, metadata)
    # JSON may hold half of a pair of surrogates, of which there is no checksum.
    except (FormatError, UnicodeEncodeError):
        return content
    checksum.update(data)
    header = json.loads(text)
    header[METADATA] = metadata | {_CHECKSUM: checksum.hexdigest()}
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data


def members_of(archive: bytes) -> list[bytes]:
    """Return the archive and each of its members, with a first byte that says which it is."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        inner = [bytes([number]) + packed.read(name) for number, name in enumerate(MEMBERS)]
    return [*inner, bytes([len(MEMBERS)]) + archive]


def archived_in(archive: bytes) -> Callable[[bytes], bytes]:
    """Return what puts a member back into an archive, by its first byte."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        good = {name: packed.read(name) for name in MEMBERS}

    def put(content: bytes) -> bytes:
        number = content[0] if content else len(MEMBERS)
        if number >= len(MEMBERS):
            return content[1:]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as packed:
            for name, member in (good | {MEMBERS[number]: content[1:]}).items():
                packed.writestr(name, member)
        return buffer.getvalue()

    return put


def seeds_and_sealing(format: str, good: bytes) -> tuple[Iterable[bytes], Callable[[bytes], bytes]]:
    """Return what to damage of a format, and what makes a file of that."""
    if format == "keras":
        return members_of(good), archived_in(good)
    return [good], sealed if format in OWN else bytes
