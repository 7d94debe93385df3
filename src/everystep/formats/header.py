"""The header of a safetensors file: which arrays stand where, checked before any is read.

A safetensors file is 8 bytes with the length of the header, the header in JSON, and the bytes of
the arrays one after the other. The header maps each name to dtype, shape and place, and
`__metadata__` to a dict of strings.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from everystep.errors import FormatError
from everystep.formats.plain_json import parse_json, write_json

METADATA = "__metadata__"
LONGEST_HEADER = 8 * 2**20
"""In bytes; room for more than 50,000 arrays."""

LARGEST_SIZE = 2**48
"""The most elements along one axis, so that no product of a shape overflows."""

MOST_AXES = 32

LONGEST_NAME = 1024
"""In characters; what the name of an array may take, the layers around it included."""

MOST_PARTS = 64
"""How many layers around one another a name may tell of."""

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("float64"),
    "F32": np.dtype("float32"),
    "F16": np.dtype("float16"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("int64"),
    "I32": np.dtype("int32"),
    "I16": np.dtype("int16"),
    "I8": np.dtype("int8"),
    "U64": np.dtype("uint64"),
    "U32": np.dtype("uint32"),
    "U16": np.dtype("uint16"),
    "U8": np.dtype("uint8"),
    "BOOL": np.dtype("bool"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}

_ODD_NAME = re.compile(r"\\|^/|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")


@dataclass(frozen=True)
class Entry:
    """One array of a file: its name, dtype and shape, and where its bytes are."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def check_name(name: str, where: str) -> None:
    """Refuse a name that could be taken for a place outside, that cannot be printed, or has no end.

    Raises:
        FormatError: the name is empty, absolute, holds `..`, a backslash or a control character, or
            is longer than any model needs.
    """
    if len(name) > LONGEST_NAME or name.count("/") >= MOST_PARTS:
        raise FormatError(
            f"{where}: an array has the name {name[:80]!r} and so on, longer than {LONGEST_NAME} "
            f"characters or {MOST_PARTS} parts"
        )
    if not name.isprintable() or _ODD_NAME.search(name) or name == METADATA:
        raise FormatError(f"{where}: an array has the name {name[:80]!r}, which is not allowed")


def layout(arrays: dict[str, np.ndarray[Any, Any]], where: str) -> list[Entry]:
    """Return where each array goes, larger elements first, so that all of them are aligned.

    Raises:
        FormatError: a name or a dtype cannot be written.
    """
    entries, place = [], 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        check_name(name, where)
        if array.dtype not in CODES:
            raise FormatError(f"{where}: array '{name}' has dtype {array.dtype}, not a number's")
        entries.append(Entry(name, array.dtype, array.shape, place, place + array.nbytes))
        place += array.nbytes
    return entries


def write_header(entries: list[Entry], metadata: dict[str, str]) -> bytes:
    """Return the bytes before the arrays: the length of the header, and the header."""
    header: dict[str, Any] = {METADATA: metadata}
    for entry in entries:
        header[entry.name] = {
            "dtype": CODES[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": [entry.begin, entry.end],
        }
    text = write_json(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def parse_header(text: bytes, data_size: int, where: str) -> tuple[list[Entry], dict[str, str]]:
    """Return the arrays that a header lists, in the order of their bytes, and the metadata.

    Args:
        text: the header.
        data_size: how many bytes follow it.
        where: the file, for error messages.

    Raises:
        FormatError: the header is damaged, or does not account for every byte exactly once.
    """
    header = parse_json(text, f"{where}: header")
    if not isinstance(header, dict):
        raise FormatError(f"{where}: header is not a table of arrays")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FormatError(f"{where}: {METADATA} is not a table of texts")
    entries = [_entry(name, fields, where) for name, fields in header.items()]
    entries.sort(key=lambda entry: (entry.begin, entry.end))
    place = 0
    for entry in entries:
        if entry.begin != place:
            problem = "overlaps the array before" if entry.begin < place else "leaves a hole before"
            raise FormatError(f"{where}: data_offsets of array '{entry.name}': it {problem} it")
        place = entry.end
    if place != data_size:
        problem = "is cut off" if place > data_size else "has bytes that belong to no array"
        raise FormatError(
            f"{where}: the file {problem}: its arrays take {place} bytes, but there are {data_size}"
        )
    return entries, metadata


def _entry(name: str, fields: Any, where: str) -> Entry:
    check_name(name, where)
    where = f"{where}: array '{name}'"
    if not isinstance(fields, dict) or fields.keys() != {"dtype", "shape", "data_offsets"}:
        raise FormatError(f"{where} must have exactly dtype, shape and data_offsets")
    code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise FormatError(f"{where}: dtype {str(code)[:40]!r} is not one of {', '.join(DTYPES)}")
    if not _whole(shape) or len(shape) > MOST_AXES:
        raise FormatError(f"{where}: shape {str(shape)[:80]} is not a list of sizes")
    # Zeros are left out of the product: NumPy refuses an empty array with other sizes too large.
    if math.prod(size for size in shape if size) >= LARGEST_SIZE:
        raise FormatError(f"{where}: shape {str(shape)[:80]} is too large")
    if not _whole(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise FormatError(
            f"{where}: data_offsets {str(offsets)[:80]} is not a beginning and an end"
        )
    dtype = DTYPES[code]
    needed, given = math.prod(shape) * dtype.itemsize, offsets[1] - offsets[0]
    if needed != given:
        raise FormatError(
            f"{where}: shape {shape} of {dtype} takes {needed} bytes, but data_offsets give {given}"
        )
    return Entry(name, dtype, tuple(shape), offsets[0], offsets[1])


def _whole(value: Any) -> bool:
    """Whether a value is a list of integers of 0 or more."""
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)
