"""Objects that stand in several places of a configuration, so that one is not read as two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_KEY = "shared_object_id"


@dataclass
class _Shared:
    """What was written or read so far; objects are kept, so that no two have one `id`."""

    written: dict[int, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    read: dict[int, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


_active: ContextVar[_Shared | None] = ContextVar("shared", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Let what is written or read while the `with` block lasts know its shared objects."""
    token = _active.set(_Shared())
    try:
        yield
    finally:
        _active.reset(token)


def note_written(thing: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an object, with its number if it was written before."""
    shared = _active.get()
    if shared is not None:
        _, first = shared.written.setdefault(id(thing), (thing, data))
        if first is not data:
            if _KEY not in first:
                first[_KEY] = next(shared.numbers)
            data[_KEY] = first[_KEY]
    return data


def find_read(data: dict[str, Any]) -> Any:
    """Return the object that was read before under the number of this data, or None."""
    shared, number = _active.get(), data.get(_KEY)
    return shared.read.get(number) if shared is not None and isinstance(number, int) else None


def note_read(thing: Any, data: dict[str, Any]) -> Any:
    """Return the object that was read, and know it again by its number."""
    shared, number = _active.get(), data.get(_KEY)
    if shared is not None and isinstance(number, int):
        shared.read[number] = thing
    return thing
