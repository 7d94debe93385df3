"""Maps of small functions: which output steps read which input steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from everystep.explanation.reading import Facts, Reading, reads_of


def abstract(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of which only shape and dtype are known."""
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]


def reading_of(
    function: Callable[..., Any],
    *shapes: tuple[int, ...],
    dtype: Any = np.float32,
    weights: int = 0,
) -> Reading:
    """Read a function whose first arguments are weights and whose last has steps on axis 1."""
    kinds = [abstract(shape, np.float32) for shape in shapes]
    kinds[-1] = abstract(shapes[-1], dtype)
    program = jax.make_jaxpr(function)(*kinds)
    facts = [Facts.unread(kind.shape, kind.dtype) for kind in kinds[:-1]]
    return reads_of(program, [*facts, Facts.with_bits(shapes[-1], np.dtype(dtype), 1, 0)])


def rows(reading: Reading, steps: int, axis: int | None = 1, output: int = 0) -> list[str]:
    """Return one output's map as text: a row for each of its steps, x where it reads a step."""
    flags = reading.outputs[output].reads_along(axis, steps)
    return ["".join("x" if flag else "." for flag in row) for row in flags]


def map_of(function: Callable[..., Any], *shapes: tuple[int, ...], **options: Any) -> list[str]:
    """Return the map of the first output from the last argument."""
    return rows(reading_of(function, *shapes, **options), shapes[-1][1])
