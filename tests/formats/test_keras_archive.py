"""What a .keras archive may do to its reader: each case is refused with the file named."""

import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from everystep.errors import FormatError
from everystep.formats.keras_archive import (
    LARGEST_TEXT,
    KerasArchive,
    read_archive,
    write_archive,
)

CONTENTS = KerasArchive(b'{"class_name": "Sequential"}', b'{"keras_version": "3.15.0"}', b"\x89HDF")
MEMBERS = {
    "config.json": CONTENTS.config,
    "metadata.json": CONTENTS.metadata,
    "model.weights.h5": CONTENTS.weights,
}
FIRST_TWO, LAST_TWO = list(MEMBERS.items())[:2], list(MEMBERS.items())[1:]
DEFLATED = zipfile.ZIP_DEFLATED


def packed(members: Any, **options: Any) -> bytes:
    """A zip archive of (name or ZipInfo, contents)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return buffer.getvalue()


def put(tmp_path: Path, contents: bytes) -> Path:
    path = tmp_path / "m.keras"
    path.write_bytes(contents)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_archive(tmp_path / "m.keras", CONTENTS)
    assert read_archive(tmp_path / "m.keras") == CONTENTS


def test_an_archive_that_somebody_packed_again_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, packed(MEMBERS, compression=DEFLATED))
    assert read_archive(path) == CONTENTS


def test_an_archive_of_more_than_4_gib_ends_otherwise(tmp_path: Path) -> None:
    """The longer end of the archive, as large ones have it, put on a small one."""
    whole = packed(MEMBERS)
    end = whole[-22:]
    count, size, offset = struct.unpack("<HII", end[10:20])
    place = len(whole) - 22
    large = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1)
    assert read_archive(put(tmp_path, whole[:-22] + large + locator + end)) == CONTENTS
    many = large[:32] + struct.pack("<Q", 2**40) + large[40:]
    with pytest.raises(FormatError, match="members"):
        read_archive(put(tmp_path, whole[:-22] + many + locator + end))
    wide = large[:40] + struct.pack("<Q", 2**40) + large[48:]
    with pytest.raises(FormatError, match="list of members"):
        read_archive(put(tmp_path, whole[:-22] + wide + locator + end))


def test_cut_off_at_every_byte(tmp_path: Path) -> None:
    whole = packed(MEMBERS)
    for length in range(len(whole)):
        with pytest.raises(FormatError, match=r"m\.keras"):
            read_archive(put(tmp_path, whole[:length]))


def test_one_flipped_bit_is_never_taken_for_the_truth(tmp_path: Path) -> None:
    whole = packed(MEMBERS)
    for place in range(len(whole)):
        flipped = whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        try:
            found = read_archive(put(tmp_path, flipped))
        except FormatError:
            continue
        assert found == CONTENTS


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("config.json")
    info.external_attr = 0o120777 << 16
    return info


def folder() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("config.json")
    info.external_attr = 0o040755 << 16
    return info


def with_member(name: str) -> bytes:
    return packed({"config.json": b"{}", "metadata.json": b"{}", name: b"..."})


def many(count: int) -> bytes:
    return packed({f"assets/{number}": b"" for number in range(count)})


def encrypted() -> bytes:
    whole = bytearray(packed(MEMBERS))
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


def overlapping() -> bytes:
    """All members of the directory point at the first one."""
    whole = bytearray(
        packed({"config.json": b"a", "metadata.json": b"b", "model.weights.h5": b"c"})
    )
    place = len(whole)
    while (place := whole.rfind(b"PK\x01\x02", 0, place)) > 0:
        whole[place + 42 : place + 46] = b"\0\0\0\0"
    return bytes(whole)


ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a zip"),
    "an empty archive": (lambda: packed({}), "not a zip"),
    "pickle": (lambda: b"\x80\x04\x95\x0b\x00\x00\x00\x8c\x02os\x94.", "pickle"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "an array of NumPy": (lambda: b"\x93NUMPY" + bytes(100), "NumPy"),
    "bytes before the archive": (lambda: b"#!/bin/sh\n" + packed(MEMBERS), "not a zip"),
    "bytes after the archive": (lambda: packed(MEMBERS) + b"more", "follow its end"),
    "a member outside": (lambda: with_member("../model.weights.h5"), "'../model.weights.h5'"),
    "an absolute member": (lambda: with_member("/etc/passwd"), "'/etc/passwd'"),
    "a member on a drive": (lambda: with_member("C:\\model.weights.h5"), "'C:"),
    "a name with NUL": (lambda: with_member("model.weights.h5?x").replace(b"?", b"\0"), "x00x"),
    "a member of another kind": (lambda: with_member("model.weights.npz"), "npz"),
    "a member twice": (lambda: packed([*FIRST_TWO, ("config.json", b"{}")]), "twice"),
    "a link": (lambda: packed([(link(), b"/etc/passwd"), *LAST_TWO]), "link"),
    "a folder": (lambda: packed([(folder(), b""), *LAST_TWO]), "no file"),
    "encrypted": (encrypted, "encrypted"),
    "another way of packing": (lambda: packed(MEMBERS, compression=zipfile.ZIP_LZMA), "packed"),
    "overlapping members": (overlapping, "overlaps"),
    "assets": (lambda: packed(MEMBERS | {"assets/vocabulary.txt": b"a"}), "4 members"),
    "members without number": (lambda: many(2000), "members"),
    "a bomb": (
        lambda: packed(MEMBERS | {"model.weights.h5": bytes(2**24)}, compression=DEFLATED),
        "times as many",
    ),
    "a long text": (
        lambda: packed(MEMBERS | {"config.json": b" " * (LARGEST_TEXT + 1)}),
        "too many",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", ATTACKS)
def test_hostile_archives_are_refused(tmp_path: Path, case: str) -> None:
    make, word = ATTACKS[case]
    path = put(tmp_path, make())
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    assert "m.keras" in str(caught.value)
    assert word in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="regular file"):
        read_archive(tmp_path)


def test_a_declared_size_is_not_believed(tmp_path: Path) -> None:
    """The list says that a member is small; what it unpacks to is cut off and its sum is wrong."""
    members = MEMBERS | {"model.weights.h5": bytes(2**20)}
    whole = bytearray(packed(members, compression=DEFLATED))
    place = whole.rfind(b"PK\x01\x02")
    whole[place + 24 : place + 28] = struct.pack("<I", 100)
    with pytest.raises(FormatError, match="damaged"):
        read_archive(put(tmp_path, bytes(whole)))


LIMITED = """
import resource, sys
from everystep.errors import FormatError
from everystep.formats.keras_archive import read_archive
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
for path in sys.argv[1:]:
    try:
        read_archive(path)
    except FormatError as error:
        print(error)
"""


def test_bombs_fill_no_memory(tmp_path: Path) -> None:
    """A process with 64 MiB to spend meets 256 MiB of zeros, told of truly and untruly."""
    true = packed(MEMBERS | {"model.weights.h5": bytes(2**28)}, compression=DEFLATED)
    untrue = bytearray(true)
    place = untrue.rfind(b"PK\x01\x02")
    untrue[place + 24 : place + 28] = struct.pack("<I", 100)
    paths = [tmp_path / "true.keras", tmp_path / "untrue.keras"]
    for path, contents in zip(paths, (true, bytes(untrue)), strict=True):
        path.write_bytes(contents)
    command = [sys.executable, "-c", LIMITED, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert "times as many" in first
    assert "damaged" in second
