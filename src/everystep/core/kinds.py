"""The kinds of settings that several families share: what each takes, declared once."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from everystep.core.dtypes import DTypePolicy
from everystep.core.settings import Kind


def _reject(value: Any) -> Any:
    raise ValueError(value)


def _integer(lowest: int, value: Any) -> int:
    if isinstance(value, bool):
        return int(_reject(value))
    number = operator.index(value)
    return number if number >= lowest else int(_reject(value))


def _number(value: Any) -> float:
    if isinstance(value, bool | str):
        return float(_reject(value))
    number = float(value)
    return number if number == number else float(_reject(value))


def _between(low: float, high: float, open_end: bool, value: Any) -> float:
    number = _number(value)
    inside = low <= number < high if open_end else low <= number <= high
    return number if inside else float(_reject(value))


def _fits_a_path(name: str) -> bool:
    return name != "" and not any(part in name for part in ("/", "..", "\0"))


def optional(kind: Kind) -> Kind:
    """Return the kind that takes None as well."""
    return Kind(
        f"{kind.wanted}, or None",
        lambda value: None if value is None else kind.parse(value),
        lambda value: None if value is None else kind.to_config(value),
        tuple(value for value in kind.refused if value is not None),
    )


def one_of(*values: Any) -> Kind:
    """Return the kind that takes exactly these values."""
    words = ", ".join(repr(value) for value in values)
    return Kind(
        f"one of {words}",
        lambda value: value if value in values else _reject(value),
        refused=("no such value", -12345),
    )


def only(value: Any) -> Kind:
    """Return the kind that takes one value: Keras has more choices there, everystep has not."""
    return Kind(
        f"{value!r}, because everystep has nothing else there",
        lambda given: value if given is value else _reject(given),
        refused=(4, "no such value"),
    )


def _integers(value: Any) -> tuple[int, ...]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    return tuple(operator.index(item) for item in items)


def _numbers(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        _reject(value)
    return tuple(item if isinstance(item, int) else _number(item) for item in value)


def _optional_integers(value: Any) -> tuple[int | None, ...]:
    if isinstance(value, str):
        _reject(value)
    return tuple(None if item is None else operator.index(item) for item in value)


POSITIVE = Kind("a positive integer", lambda v: _integer(1, v), refused=(0, -1, 2.5, "3", True))
SEVERAL = Kind("an integer of 2 or more", lambda v: _integer(2, v), refused=(1, 2.5, "3", True))
WHOLE = Kind("an integer of 0 or more", lambda v: _integer(0, v), refused=(-1, 2.5, "3"))
SEED = optional(WHOLE)
INTEGER = Kind(
    "an integer",
    lambda value: _reject(value) if isinstance(value, bool) else operator.index(value),
    refused=(2.5, "3", None),
)
BOOLEAN = Kind(
    "True or False",
    lambda value: value if isinstance(value, bool) else _reject(value),
    refused=("yes", 1, None),
)
NUMBER = Kind("a number", _number, refused=("1", True, float("nan")))
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
    lambda value: value if isinstance(value, str) else _reject(value),
    refused=(3, 1.5),
)
NAME = Kind(
    "a string that is neither empty nor holds '/', '..' or NUL, as paths are made of names",
    lambda value: value if isinstance(value, str) and _fits_a_path(value) else _reject(value),
    refused=(3, "", "a/b", "..", "a\0"),
)
NUMBERS = Kind("a list of numbers", _numbers, list, refused=("3", 2.5, ("a",)))
INTEGERS = Kind("an integer or a tuple of integers", _integers, list, refused=("3", 2.5))
SHAPE = Kind(
    "a tuple of sizes, None where unknown", _optional_integers, list, refused=("3", 2.5, ("a",))
)
DTYPE = Kind(
    "a dtype or a dtype policy",
    DTypePolicy.parse,
    lambda policy: policy.to_config(),
    refused=("float7", 3.5),
)
ARRAY_DTYPE = Kind(
    "the dtype of an array",
    lambda value: jnp.dtype(value).name,
    refused=("float7", 3.5),
)
ANYTHING = Kind("anything", lambda value: value)
