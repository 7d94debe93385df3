"""What a built layer accepts: rank and sizes, checked before its arithmetic runs."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from everystep.core.dtypes import ARRAY_DTYPE
from everystep.errors import SettingError, ShapeError
from everystep.kinds import BOOLEAN, SHAPE, TEXT, WHOLE, checked, optional, shown

if TYPE_CHECKING:
    from everystep.layers.layer import Layer

_RANK = optional(WHOLE)
_FIELDS = {
    "dtype": optional(ARRAY_DTYPE),
    "ndim": _RANK,
    "max_ndim": _RANK,
    "min_ndim": _RANK,
    "allow_last_axis_squeeze": BOOLEAN,
    "name": optional(TEXT),
    "optional": BOOLEAN,
    "axis_names": TEXT,
}


@dataclass(frozen=True)
class InputSpec:
    """The rank, sizes and dtype that a layer takes; None for what may be anything.

    Args:
        dtype: the dtype.
        shape: the shape, None where a size may be anything.
        ndim: the exact rank.
        max_ndim: the largest rank.
        min_ndim: the smallest rank.
        axes: the size that an axis must have, by axis.
        allow_last_axis_squeeze: whether a last axis of size 1 may lack, or be there as well.
        name: what the input is called.
        optional: whether the input may be None.
        axis_names: what the axes are called in error messages.

    Raises:
        SettingError: an axis is no integer.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 10}).axes
        {-1: 10}
    """

    dtype: Any = None
    shape: Any = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Mapping[int, int | None] | None = None
    allow_last_axis_squeeze: bool = False
    name: str | None = None
    optional: bool = False
    axis_names: str = ""

    def __post_init__(self) -> None:
        try:
            given = {} if self.axes is None else self.axes
            axes = {operator.index(axis): size for axis, size in given.items()}
        except (TypeError, AttributeError):
            raise SettingError(
                "Argument `axes` must be a dict with integer keys, such as {-1: 10}, not "
                f"{shown(self.axes)}"
            ) from None
        for name, kind in _FIELDS.items():
            kind.taken(f"InputSpec: {name}", getattr(self, name))
        # The class is frozen, so that nobody changes what layers share.
        object.__setattr__(self, "axes", axes)
        if self.shape is not None:
            object.__setattr__(self, "shape", SHAPE.taken("InputSpec: shape", self.shape))
            object.__setattr__(self, "ndim", len(self.shape))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments by name."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    @checked
    def from_config(cls, config: Mapping[str, Any]) -> InputSpec:
        """Return a new one with the arguments that `get_config` gave."""
        return cls(**config)

    def check(self, layer: Layer, shapes: Iterable[Any], first: int = 0) -> None:
        """Raise a ShapeError that names the layer, unless the shape of every array fits.

        Args:
            layer: the layer that is given the arrays.
            shapes: the shape of each array.
            first: the number of the first of them among the layer's inputs.
        """
        for number, shape in enumerate(shapes, first):
            self.check_one(layer, number, shape)

    def check_one(self, layer: Layer, number: int, shape: Any, dtype: Any = None) -> None:
        """Raise a ShapeError that names the layer and the input's number, unless it fits."""
        problem = self.problem(tuple(shape), dtype)
        if problem:
            known = tuple(size if isinstance(size, int) else None for size in shape)
            expects = f" It expects {self.axis_names}." if self.axis_names else ""
            raise ShapeError(
                f"Input {number} of layer '{layer.path}' ({type(layer).__name__}) is incompatible "
                f"with the layer: {problem}. Full shape received: {known}.{expects}"
            )

    def problem(self, shape: tuple[Any, ...], dtype: Any = None) -> str | None:
        """Return in words what does not fit, or None.

        Args:
            shape: an input's shape; what is no number fits any size.
            dtype: its dtype, if that is known.
        """
        rank = len(shape)
        squeezes = self.allow_last_axis_squeeze
        if self.ndim is not None and rank != self.ndim and not squeezes:
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if None not in (self.dtype, dtype) and jnp.dtype(self.dtype) != dtype:
            return f"expected dtype={self.dtype}, found dtype={dtype}"
        for axis, size in (self.axes or {}).items():
            if _differ(size, shape[axis]):
                return f"expected axis {axis} of input shape to have value {size}, " + (
                    f"found {shape[axis]}"
                )
        wanted, given = (_squeezed(each) if squeezes else each for each in (self.shape, shape))
        pairs = zip(wanted or (), given, strict=False)
        if any(_differ(size, got) for size, got in pairs):
            return f"expected shape={self.shape}, found shape={shape}"
        return None


def _differ(wanted: Any, got: Any) -> bool:
    return wanted is not None and isinstance(got, int) and got != wanted


def _squeezed(shape: Any) -> Any:
    return shape[:-1] if shape and shape[-1] == 1 else shape


def check_arrays(layer: Layer, arrays: Sequence[Any]) -> None:
    """Raise a ShapeError that names the layer, unless every array fits the layer's `input_spec`."""
    _check(layer, [(array.shape, array.dtype) for array in arrays])


def check_shapes(layer: Layer, shapes: Sequence[Any]) -> None:
    """Raise a ShapeError that names the layer, unless every shape fits the layer's `input_spec`."""
    _check(layer, [(shape, None) for shape in shapes])


def _check(layer: Layer, given: list[tuple[Any, Any]]) -> None:
    specs = jax.tree.leaves(layer.input_spec, is_leaf=lambda leaf: leaf is None)
    if isinstance(layer.input_spec, InputSpec):
        specs = specs * len(given)
    if len(specs) != len(given):
        raise ShapeError(
            f"Layer '{layer.path}' ({type(layer).__name__}) expects {len(specs)} input(s), but it "
            f"received {len(given)}, of shapes {[tuple(shape) for shape, _ in given]}"
        )
    for number, (spec, (shape, dtype)) in enumerate(zip(specs, given, strict=True)):
        if spec is not None:
            spec.check_one(layer, number, shape, dtype)
