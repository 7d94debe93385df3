"""What layers of several inputs share: a list of them, and segments made one for their output."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from everystep.errors import DataError, SegmentsError
from everystep.layers import symbolic
from everystep.layers.layer import Layer


def named(layer: Layer) -> str:
    """Return how error messages name a layer."""
    return f"layer '{layer.path}' ({type(layer).__name__})"


def listed(layer: Layer, inputs: Any, count: int | None) -> list[Any]:
    """Return a layer's inputs as a list.

    Raises:
        DataError: they are no list, or not so many.
    """
    if not isinstance(inputs, list | tuple) or len(inputs) != (count or len(inputs)):
        raise DataError(
            "A merge layer should be called on a list of inputs: "
            f"{named(layer)} takes {count or 'some'} arrays in a list, not what has shape "
            f"{symbolic.written(symbolic.shape_of(inputs))}"
        )
    return list(inputs)


def united(who: str, segments: Sequence[Any], packed: bool) -> Any:
    """Return the segments by which a step is real where any of these says so, or None.

    None stands for an input without a mask, which says nothing about padding.

    Args:
        who: what combines the inputs, for the error message.
        segments: those of each input, int32 (batch, steps), or None.
        packed: whether rows may hold several sequences: then all must name the same ones.

    Raises:
        SegmentsError: two of them name different sequences at one step. Where they are not known
            before the program runs, that cannot be seen.

    Example:
        >>> united("layer 'add'", [jnp.array([[1, 1, 0]]), None, jnp.array([[1, 0, 0]])], False)
        Array([[1, 1, 0]], dtype=int32)
    """
    found = list({id(ids): ids for ids in segments if ids is not None}.values())
    if len(found) < 2:
        return found[0] if found else None
    if not packed:
        return functools.reduce(jnp.logical_or, [ids != 0 for ids in found]).astype("int32")
    _refuse_conflicts(who, found)
    return functools.reduce(jnp.maximum, found)


def _refuse_conflicts(who: str, segments: list[Any]) -> None:
    if symbolic.is_traced(segments):
        return
    every = np.broadcast_arrays(*map(np.asarray, segments))
    highest = np.maximum.reduce(every)
    for ids in every:
        wrong = np.argwhere((ids != 0) & (ids != highest))
        if wrong.size:
            row, step = (int(place) for place in wrong[0])
            raise SegmentsError(
                f"{who} was given packed rows that do not hold the same sequences: at step {step} "
                f"of row {row} one input has sequence {ids[row, step]} and another "
                f"{highest[row, step]}. Pack lists of equal lengths, so that they share a layout"
            )
