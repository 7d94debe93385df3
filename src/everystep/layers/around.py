"""The steps around a layer that runs inside of each: folded into its batch, and put back on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from everystep.core.scope import Scope, current_scope
from everystep.errors import ShapeError, StateError
from everystep.layers.arguments import agreed, is_steps
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


def running_scope() -> Scope:
    """Return the scope of the run that we are in.

    Raises:
        StateError: there is no run.
    """
    scope = current_scope()
    if scope is None:
        raise StateError("the steps of a layer can be folded inside its call only")
    return scope


def inside(leaf: Any) -> Any:
    """Return what the layer inside gets of an input: the mask only where it goes on in steps."""
    if not isinstance(leaf, Steps):
        return leaf
    return leaf.replace(packed=False) if leaf.segments.ndim > 2 else leaf.values


@dataclass(frozen=True)
class Around:
    """The batch and steps that all inputs of a layer share, and their segments.

    Args:
        batch: the number of rows.
        steps: the number of steps in a row.
        segments: the segments of the steps, (batch, steps), or None.
        carrier: the input that has them.
    """

    batch: Any
    steps: Any
    segments: Any
    carrier: Steps | None

    @classmethod
    def of(cls, layer: Layer, tree: Any) -> Around:
        """Return what is around the arrays of a tree.

        Raises:
            ShapeError: they differ in the batch or the steps.
            SegmentsError: they differ in their segments.
        """
        leaves = [leaf for leaf in jax.tree.leaves(tree, is_leaf=is_steps) if _is_array(leaf)]
        shapes = {tuple(leaf.shape[:2]) for leaf in leaves}
        if len(shapes) > 1 or len(min(shapes)) < 2:
            raise ShapeError(
                f"layer '{layer.path}' ({type(layer).__name__}): all inputs must have the same "
                f"batch size and number of steps, not {sorted(shapes)}"
            )
        carriers = [leaf for leaf in leaves if isinstance(leaf, Steps)]
        segments = agreed(layer, [leaf.segments for leaf in carriers])
        if segments is not None and segments.ndim > 2:
            # A step is real that holds anything real.
            segments = jnp.max(segments, tuple(range(2, segments.ndim)), initial=0)
        batch, steps = shapes.pop()
        return cls(batch, steps, segments, carriers[0] if carriers else None)

    def real_steps(self) -> Any:
        """Return which steps are real ones of real rows, (batch, steps), or None where all are."""
        real = None if self.segments is None else self.segments != 0
        rows = running_scope().real_rows
        if rows is None:
            return real
        rows = jnp.broadcast_to(jnp.asarray(rows)[:, None], (self.batch, self.steps))
        return rows if real is None else rows & real

    def real_rows(self) -> Any:
        """Return which rows of the folded batch are real, or None where all are."""
        real = self.real_steps()
        return None if real is None else real.reshape(self.batch * self.steps)

    def fold(self, leaf: Any) -> Any:
        """Return an input with its steps in the batch; what is no array stays."""
        if not _is_array(leaf):
            return leaf
        return jax.tree.map(
            lambda array: array.reshape(self.batch * self.steps, *array.shape[2:]), inside(leaf)
        )

    def unfold(self, array: Any) -> Any:
        """Return an array with its batch taken apart into rows and steps."""
        return array.reshape(self.batch, self.steps, *array.shape[1:])

    def put_on(self, output: Any) -> Any:
        """Put the segments on an output; one that has a mask inside of steps keeps both."""
        ids = self.segments
        values = output
        if isinstance(output, Steps):
            values, real = output.values, output.segments != 0
            ids = 1 if ids is None else jnp.expand_dims(ids, tuple(range(2, real.ndim)))
            ids = jnp.where(real, ids, 0).astype("int32")
        if ids is None:
            return output
        if self.carrier is None:
            return Steps(values, ids, packed=False)
        return self.carrier.replace(values=values, segments=ids)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, Steps) or getattr(leaf, "ndim", 0) > 0
