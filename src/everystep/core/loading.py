"""Weights of a model that is rebuilt from a file: zeros, and no more of them than the file holds.

The sizes in a file's configuration may be hostile, so they are held against the number of values
that the file has before anything of that size comes into being. No random numbers are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from everystep.errors import FormatError

SPARE = 2**16
"""Elements that are always allowed, for small weights that a layer makes on its way."""

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def placeholders(elements: int) -> Iterator[None]:
    """Give new weights zeros while the `with` block lasts, for values that are set afterwards.

    Args:
        elements: how many values the file holds. Twice as many may be made, because a layer whose
            weights are stacked step by step makes each of them twice.
    """
    token = _left.set([2 * elements + SPARE])
    try:
        yield
    finally:
        _left.reset(token)


def placeholder(path: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any] | None:
    """Return zeros for the weight at `path`, or None where no model is being rebuilt.

    Raises:
        FormatError: the weights are more than the file has values for.
    """
    left = _left.get()
    if left is None:
        return None
    left[0] -= math.prod(shape)
    if left[0] < 0:
        raise FormatError(
            f"weight '{path}' of shape {shape} makes the weights more than the file has values for"
        )
    return np.zeros(shape, dtype)
