"""The kinds of plain values and arrays, for settings and arguments alike."""

from __future__ import annotations

import codecs
import functools
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from everystep.errors import DataError
from everystep.kinds.kind import Kind, one_of, optional, reject, unchanged


def _integer(lowest: int, value: Any) -> int:
    if isinstance(value, bool):
        reject(value)
    number = operator.index(value)
    return number if number >= lowest else reject(value)


def _is_truth(value: Any) -> bool:
    """Whether a value says yes or no, in Python, in NumPy, or as 1 or 0, as people write it."""
    return isinstance(value, bool | np.bool_ | int | np.integer) and value in (0, 1)


def _number(value: Any) -> float:
    if isinstance(value, bool | str):
        reject(value)
    number = float(value)
    return number if number == number else reject(value)


def _between(low: float, high: float, open_end: bool, value: Any) -> float:
    number = _number(value)
    inside = low <= number < high if open_end else low <= number <= high
    return number if inside else reject(value)


def _fits_a_path(name: str) -> bool:
    return name != "" and not any(part in name for part in ("/", "..", "\0"))


def _integers(value: Any) -> tuple[int, ...]:
    items = (
        value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else (value,)
    )
    return tuple(operator.index(item) for item in items)


def _numbers(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        reject(value)
    return tuple(item if isinstance(item, int) else _number(item) for item in value)


def _optional_integers(value: Any) -> tuple[int | None, ...]:
    if isinstance(value, str | bytes):
        reject(value)
    return tuple(None if item is None else operator.index(item) for item in value)


def _array_of(letters: str, value: Any) -> Any:
    """Return an array whose dtype is of these kinds, NumPy's or JAX's or nested lists, as it is."""
    if isinstance(value, list | tuple) and any(hasattr(item, "shape") for item in value):
        for item in value:
            _array_of(letters, item)
        return value
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        value = np.asarray(value) if isinstance(value, list | tuple) else value
        dtype = np.asarray(value).dtype
    # Symbols name their dtype; floats of less than 32 bits are no kind that NumPy knows.
    known = isinstance(dtype, str) or dtype.kind in letters
    return value if known or (dtype.kind == "V" and dtype.type is not np.void) else reject(value)


def _sizes(value: Any) -> tuple[int, ...]:
    sizes = _integers(value)
    return reject(value) if min(sizes, default=0) < 0 else sizes


def _real(value: Any) -> Any:
    """Return a number, which may be an array of rank 0 or unknown as yet, as it is."""
    if isinstance(value, bool | str) or value is None or np.ndim(value):
        reject(value)
    return value if hasattr(value, "dtype") else _number(value)


def _each(value: Any) -> Any:
    """Return what can be gone through, as it is; an iterator loses nothing by it."""
    return value if isinstance(value, Iterable) and not _whole(value) else reject(value)


def _words(value: Any) -> list[str]:
    words = reject(value) if _whole(value) else list(value)
    return words if all(isinstance(word, str) for word in words) else reject(value)


def _whole(value: Any) -> bool:
    """Whether something can be gone through, but is one thing to those who give it."""
    return isinstance(value, str | bytes | Mapping | type)


def _path(value: Any) -> Any:
    return value if isinstance(os.fspath(value), str) else reject(value)


POSITIVE = Kind("a positive integer", lambda v: _integer(1, v), refused=(0, -1, 2.5, "3", True))
SEVERAL = Kind("an integer of 2 or more", lambda v: _integer(2, v), refused=(1, 2.5, "3", True))
WHOLE = Kind("an integer of 0 or more", lambda v: _integer(0, v), refused=(-1, 2.5, "3"))
SEED = optional(WHOLE)
INTEGER = Kind(
    "an integer",
    lambda value: reject(value) if isinstance(value, bool) else operator.index(value),
    refused=(2.5, "3", None),
)
BOOLEAN = Kind(
    "True or False",
    lambda value: bool(value) if _is_truth(value) else reject(value),
    refused=("yes", 2, 0.5, None),
)
NUMBER = Kind("a number", _number, refused=("1", True, float("nan")))
REAL = Kind("a number", _real, refused=("1", True, None, float("nan"), [1.0]))
FRACTION = Kind(
    "a number from 0 to less than 1",
    lambda value: _between(0, 1, True, value),
    refused=(-0.1, 1.0, 2, "0.5"),
)
SHARE = Kind(
    "a number from 0 to 1",
    lambda value: _between(0, 1, False, value),
    refused=(-0.1, 1.1, 2, "0.5"),
)
NOT_NEGATIVE = Kind(
    "a number of 0 or more",
    lambda value: _between(0, float("inf"), False, value),
    refused=(-0.5, "1"),
)
TEXT = Kind(
    "a string",
    lambda value: value if isinstance(value, str) else reject(value),
    refused=(3, 1.5),
)
NAME = Kind(
    "a string that is neither empty nor holds '/', '..' or NUL, as paths are made of names",
    lambda value: value if isinstance(value, str) and _fits_a_path(value) else reject(value),
    refused=(3, "", "a/b", "..", "a\0"),
)
NUMBERS = Kind("a list of numbers", _numbers, list, refused=("3", 2.5, ("a",)))
INTEGERS = Kind("an integer or a tuple of integers", _integers, list, refused=("3", 2.5))
SHAPE = Kind(
    "a tuple of sizes, None where unknown", _optional_integers, list, refused=("3", 2.5, ("a",))
)
PATH = Kind("a path, as a string or pathlib.Path", _path, refused=(None, 3, b"file", ["file"]))
SIZES = Kind("a tuple of sizes of 0 or more", _sizes, list, refused=("3", 2.5, -1, None))
ARRAY = Kind(
    "an array of numbers",
    functools.partial(_array_of, "biufc"),
    refused=(None, "text", object(), {}, ["a"]),
    error=DataError,
)
FLOATING = Kind(
    "an array of floating-point numbers",
    functools.partial(_array_of, "fc"),
    refused=(None, "text", object(), {}, ["a"], 3),
    error=DataError,
)
SIGNED = Kind(
    "an array of numbers, not of truth values",
    functools.partial(_array_of, "iufc"),
    refused=(None, "text", object(), {}, ["a"], True),
    error=DataError,
)
LISTED = Kind(
    "a list",
    lambda value: reject(value) if _whole(value) else list(value),
    refused=(None, "text", 3, {}),
)
WORDS = Kind("a list of strings", _words, list, refused=(None, "text", 3, [3]))
MAPPING = Kind(
    "a mapping, such as a dict",
    lambda value: value if isinstance(value, Mapping) else reject(value),
    refused=(None, "text", 3, ["a"]),
)
EACH = Kind(
    "a list, or something else to go through",
    _each,
    refused=(None, "text", 3, {}),
)
VERBOSE = one_of("auto", 0, 1, 2)
ENCODING = Kind(
    "the name of an encoding, such as 'utf-8'",
    lambda value: codecs.lookup(value).name,
    refused=("no such encoding", 3, None),
)
FUNCTION = Kind(
    "a function",
    lambda value: value if callable(value) else reject(value),
    refused=(3, "name", None),
)
ANYTHING = Kind("anything", unchanged)
