"""Counting what JAX compiles."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

_COMPILED = "/jax/core/compile/backend_compile_duration"
_names: list[str] = []


def _note(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == _COMPILED:
        _names.append(str(kwargs.get("fun_name")))


jax.monitoring.register_event_duration_secs_listener(_note)


@contextmanager
def compiled() -> Iterator[list[str]]:
    """Collect the names of the programs that are compiled inside."""
    before, names = len(_names), list[str]()
    yield names
    names += _names[before:]
