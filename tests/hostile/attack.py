"""What an attack is, and how files are taken apart and put together again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from everystep.formats import Contents, read_tensors, write_tensors

REFUSED, READ, WARNED = "refused", "read", "warned"
"""How reading may end: in an error, in silence, or in a warning that names file and field."""


@dataclass(frozen=True)
class Attack:
    """One file that was made to do harm.

    Args:
        case: which of `CASES`.
        format: the format whose reader reads it.
        name: what is wrong with it.
        make: makes it of a good file.
        says: words of the message, besides the name of the file.
        ends: how reading ends.
    """

    case: int
    format: str
    name: str
    make: Callable[[bytes], bytes]
    says: str = ""
    ends: str = REFUSED

    @property
    def id(self) -> str:
        return f"{self.case}, {self.format}: {self.name}"


CASES = {
    0: "what is never written, with a right checksum",
    1: "cut off",
    2: "one bit flipped in the weights",
    3: "a header length beyond the file or over a cap",
    4: "overlap, hole or trailing bytes",
    5: "a shape that overflows, is negative, or is not the model's",
    6: "a key twice",
    7: "an unknown or object dtype",
    8: "deep nesting or a huge integer",
    9: "invalid UTF-8",
    10: "a name to climb by",
    11: "a link in an archive",
    12: "a bomb",
    13: "a link to another file inside HDF5",
    14: "pickle or an array of objects",
    15: "a class or function that is not registered, or code",
    16: "a path or an address",
    17: "a newer version",
    18: "missing or extra weights",
    19: "NaN or infinite numbers",
}


def always(content: bytes) -> Callable[[bytes], bytes]:
    """Return an attack that needs no good file."""
    return lambda good: content


def made_by(make: Callable[..., bytes], *arguments: Any) -> Callable[[bytes], bytes]:
    """Return an attack that needs no good file, and that is made when it is wanted."""
    return lambda good: make(*arguments)


def cut(part: float) -> Callable[[bytes], bytes]:
    """Leave so many bytes, or such a part of them."""
    return lambda good: good[: int(part * len(good)) if 0 < part < 1 else int(part)]


def flipped(place: int) -> Callable[[bytes], bytes]:
    def make(good: bytes) -> bytes:
        changed = bytearray(good)
        changed[place] ^= 1
        return bytes(changed)

    return make


def with_header(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """Change the header of a file of ours and leave checksum and bytes as they are."""

    def make(good: bytes) -> bytes:
        length = int.from_bytes(good[:8], "little")
        header = change(json.loads(good[8 : 8 + length]))
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + good[8 + length :]

    return make


def resealed(change: Callable[[Contents], object]) -> Callable[[bytes], bytes]:
    """Change what a file of ours holds, and give it the checksum of that."""

    def make(good: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "file")
            path.write_bytes(good)
            contents = read_tensors(path)
            change(contents)
            write_tensors(path, contents.tensors, contents.metadata)
            return path.read_bytes()

    return make


def with_text(key: str, change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Change a text of JSON in the metadata of a file of ours, and give it its checksum."""

    def edit(contents: Contents) -> None:
        value = change(json.loads(contents.metadata[key]))
        contents.metadata[key] = value if isinstance(value, str) else json.dumps(value)

    return resealed(edit)


def set_at(*keys: Any, value: Any) -> Callable[[Any], Any]:
    """Put a value into nested plain data."""

    def change(data: Any) -> Any:
        inner = data
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        return data

    return change
