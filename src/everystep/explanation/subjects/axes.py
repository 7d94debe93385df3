"""Which axis of an array is time, where the caller says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from everystep.errors import DataError, ShapeError
from everystep.kinds import shown

if TYPE_CHECKING:
    from everystep.explanation.subjects.subject import Subject


def chosen_axes(
    subject: Subject, axis: Any, names: Sequence[str], arrays: Sequence[Any], setting: str
) -> list[int | None]:
    """Return which axis of each array is time, counted from the front; None where none is.

    Args:
        subject: what the arrays are of.
        axis: an axis for all of them, or a list with one for each.
        names: what they are called.
        arrays: what has their shapes.
        setting: the argument that says so.

    Raises:
        DataError: there is not one for each, or one is neither an integer nor None.
        ShapeError: an array has no such axis.
    """
    axes = list(axis) if isinstance(axis, list | tuple) else [axis] * len(arrays)
    if len(axes) != len(arrays) or not all(one is None or isinstance(one, int) for one in axes):
        raise DataError(
            f"{setting} must be an integer, None, or a list with one of these for each of "
            f"{len(arrays)} arrays, not {shown(axis)}"
        )
    for name, array, one in zip(names, arrays, axes, strict=True):
        rank = len(array.shape)
        if one is not None and not -rank <= one < rank:
            raise ShapeError(
                f"{name} of {subject.kind} '{subject.name}' has shape {tuple(array.shape)}, so it "
                f"has no time on axis {one}: say which axis is time with {setting}=, or "
                f"{setting}=None where the whole array counts as one step"
            )
    return [
        None if one is None else one % len(array.shape)
        for one, array in zip(axes, arrays, strict=True)
    ]
