"""What a built layer accepts: rank and sizes, checked before its arithmetic runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from everystep.errors import ShapeError

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


@dataclass(frozen=True)
class InputSpec:
    """The rank and sizes that a layer takes.

    Args:
        ndim: the exact rank, or None.
        min_ndim: the smallest rank, or None.
        max_ndim: the largest rank, or None.
        axes: the size that an axis must have, by axis.
        axis_names: what the axes are called in error messages.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 10}).axes
        {-1: 10}
    """

    ndim: int | None = None
    min_ndim: int | None = None
    max_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict)
    axis_names: str = ""

    def check(self, layer: Layer, shapes: Iterable[Any], first: int = 0) -> None:
        """Raise a ShapeError that names the layer, unless the shape of every array fits.

        Args:
            layer: the layer that is given the arrays.
            shapes: the shape of each array.
            first: the number of the first of them among the layer's inputs.
        """
        for number, given in enumerate(shapes, first):
            problem = self._problem(tuple(given))
            if problem:
                shape = tuple(size if isinstance(size, int) else None for size in given)
                expects = f" It expects {self.axis_names}." if self.axis_names else ""
                raise ShapeError(
                    f"Input {number} of layer '{layer.path}' ({type(layer).__name__}) is "
                    f"incompatible with the layer: {problem}. Full shape received: {shape}."
                    f"{expects}"
                )

    def _problem(self, shape: tuple[Any, ...]) -> str | None:
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        for axis, size in self.axes.items():
            got = shape[axis]
            if size is not None and isinstance(got, int) and got != size:
                return f"expected axis {axis} of input shape to have value {size}, found {got}"
        return None
