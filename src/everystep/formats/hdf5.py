"""HDF5 files of arrays in groups, the way Keras writes weights: read with suspicion, written plain.

HDF5 can do far more than hold arrays: name other files as links, as storage or as sources of an
array, unpack, refer, repeat. Of all that nothing is taken: an array is a block of numbers that the
file itself holds, once, and groups are a tree. All of it is checked before any array is made, and
no attribute of the file is read.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from everystep.errors import FormatError
from everystep.formats.header import DTYPES, check_name

Array = np.ndarray[Any, Any]

MOST_OBJECTS = 2**17
"""How many arrays and groups a file may have."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# HDF5 has no word for bfloat16: it is kept as two bytes of no meaning.
_STORED: dict[np.dtype[Any], np.dtype[Any]] = {dtype: dtype for dtype in DTYPES.values()} | {
    _BFLOAT16: np.dtype("V2")
}


def write_hdf5(arrays: Mapping[str, Array]) -> bytes:
    """Return an HDF5 file that holds the arrays.

    Args:
        arrays: the arrays by name; the parts of a name between slashes are groups.

    Raises:
        FormatError: a name or a dtype cannot be written.

    Example:
        >>> contents = write_hdf5({"layers/dense/vars/0": np.arange(3)})
        >>> read_hdf5(io.BytesIO(contents), "a.weights.h5")
        {'layers/dense/vars/0': array([0, 1, 2])}
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            check_name(name, "HDF5")
            if array.dtype not in _STORED:
                raise FormatError(f"array '{name}' has dtype {array.dtype}, not a number's")
            written = file.create_dataset(name, data=array.view(_STORED[array.dtype]))
            if array.dtype == _BFLOAT16:
                written.attrs["dtype"] = "bfloat16"  # So Keras knows it.
    return buffer.getvalue()


def read_hdf5(file: BufferedIOBase, where: str) -> dict[str, Array]:
    """Read the arrays of an HDF5 file.

    Nothing is allocated that is larger than the file, and nothing but the file is read.

    Args:
        file: the file, open for reading.
        where: its name, for error messages.

    Returns:
        The arrays by name.

    Raises:
        FormatError: the file is damaged or hostile, or holds something else than arrays of numbers.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        raise FormatError(f"{where}: this is not HDF5")
    file.seek(0)
    try:
        with h5py.File(file, "r") as opened:
            survey = _Survey(where, size)
            survey.group(opened.id, "")
            survey.refuse_overlaps()
            return {place: _read(found, place) for place, found in survey.arrays.items()}
    except FormatError:
        raise
    # The library raises any error at all where a file is damaged, and wraps none of them.
    except Exception as error:
        raise FormatError(f"{where}: the file is damaged: {error}") from error


@dataclass
class _Survey:
    """What a file holds, looked at without reading any of it.

    Args:
        where: the file, for error messages.
        size: how many bytes the file has.
        arrays: the arrays found, and the dtype of each.
    """

    where: str
    size: int
    arrays: dict[str, tuple[Any, np.dtype[Any]]] = field(default_factory=dict)
    _blocks: list[tuple[int, int, str]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _bytes: int = 0

    def group(self, group: Any, place: str) -> None:
        """Look at everything in a group."""
        self._once(group, place)
        for raw in self._links(group):
            name = raw.decode("utf-8")
            inside = f"{place}{name}"
            check_name(inside, self.where)  # Which also bounds how deep groups stand in groups.
            kind = group.links.get_info(raw).type
            if "/" in name or kind != h5py.h5l.TYPE_HARD:
                raise FormatError(f"{self.where}: '{inside}' is a link to another place")
            found = h5py.h5o.open(group, raw)
            if isinstance(found, h5py.h5g.GroupID):
                self.group(found, f"{inside}/")
            elif isinstance(found, h5py.h5d.DatasetID):
                self._array(found, inside)
            else:
                raise FormatError(f"{self.where}: '{inside}' is neither an array nor a group")

    def _links(self, group: Any) -> list[bytes]:
        names: list[bytes] = []

        def take(name: bytes) -> bool | None:
            names.append(name)
            # A damaged group can go on for ever; a value ends the walk.
            return True if len(names) + len(self._seen) > MOST_OBJECTS else None

        group.links.iterate(take)
        if len(names) + len(self._seen) > MOST_OBJECTS:
            raise FormatError(f"{self.where}: it holds more than {MOST_OBJECTS} arrays and groups")
        return names

    def _once(self, found: Any, place: str) -> None:
        address = h5py.h5o.get_info(found).addr
        if address in self._seen:
            raise FormatError(f"{self.where}: '{place}' stands in the file under another name too")
        self._seen.add(address)

    def _array(self, found: Any, place: str) -> None:
        """Look at an array, its layout first: the shape of a virtual one opens other files."""
        where = f"{self.where}: array '{place}'"
        self._once(found, place)
        plan = found.get_create_plist()
        if plan.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
            raise FormatError(f"{where} is not one block: it is virtual, or in chunks")
        if plan.get_external_count() or plan.get_nfilters():
            raise FormatError(f"{where} is kept in another file, or must be unpacked")
        dtype = _dtype_of(found, where)
        if found.get_space().get_simple_extent_type() == h5py.h5s.NULL:
            raise FormatError(f"{where} has no shape")
        needed, given = math.prod(found.shape) * dtype.itemsize, found.get_storage_size()
        if needed != given:
            raise FormatError(
                f"{where} of shape {found.shape} takes {needed} bytes, but the file has {given}"
            )
        self._bytes += needed
        if self._bytes > self.size:
            raise FormatError(f"{where} makes the arrays larger than the file of {self.size} bytes")
        begin = found.get_offset()
        if begin is not None:
            self._blocks.append((begin, begin + needed, place))
        self.arrays[place] = (found, dtype)

    def refuse_overlaps(self) -> None:
        """Refuse arrays that share bytes, or reach beyond the end of the file."""
        end = 0
        for begin, behind, place in sorted(self._blocks):
            if begin < end or behind > self.size:
                raise FormatError(
                    f"{self.where}: array '{place}' overlaps another one, or the end of the file"
                )
            end = behind


def _dtype_of(found: Any, where: str) -> np.dtype[Any]:
    kind = found.get_type()
    for dtype, stored in _STORED.items():
        same = h5py.h5t.py_create(stored, logical=True).equal(kind)
        if same or (dtype == _BFLOAT16 and _is_two_bytes(kind)):
            return dtype
    raise FormatError(f"{where} does not hold numbers of one of the types {', '.join(DTYPES)}")


def _is_two_bytes(kind: Any) -> bool:
    return bool(kind.get_class() == h5py.h5t.OPAQUE and kind.get_size() == 2)


def _read(found: tuple[Any, np.dtype[Any]], place: str) -> Array:
    source, dtype = found
    array = np.empty(source.shape, _STORED[dtype])
    if array.size:
        source.read(h5py.h5s.ALL, h5py.h5s.ALL, array)
    return array.view(dtype)
