"""Names and paths: what a layer is called, and where in a model it stands."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_given: Counter[str] = Counter()
_path: ContextVar[str] = ContextVar("path", default="")

_WORD_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])")


def snake_case(class_name: str) -> str:
    """Return a class name in snake case, as Keras writes it.

    >>> snake_case("TimeDistributed"), snake_case("LSTM"), snake_case("Conv1D")
    ('time_distributed', 'lstm', 'conv1d')
    """
    return _WORD_BOUNDARY.sub("_", class_name).lower()


def auto_name(class_name: str) -> str:
    """Return the next free name for an object of a class: `dense`, then `dense_1`, and so on."""
    stem = snake_case(class_name)
    number = _given[stem]
    _given[stem] += 1
    return f"{stem}_{number}" if number else stem


def reset_names() -> None:
    """Start all automatic names from the beginning again."""
    _given.clear()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let what is named inside change none of the names that come after it."""
    before = _given.copy()
    try:
        yield
    finally:
        _given.clear()
        _given.update(before)


def path_of(name: str) -> str:
    """Return the path that a layer or weight of this name has where we stand now."""
    inside = _path.get()
    return f"{inside}/{name}" if inside else name


@contextmanager
def within(path: str) -> Iterator[None]:
    """Make `path` the place where new layers and weights stand."""
    token = _path.set(path)
    try:
        yield
    finally:
        _path.reset(token)
