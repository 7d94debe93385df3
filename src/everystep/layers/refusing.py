"""What a layer says of an input that its arithmetic cannot take, where nothing foresaw it.

JAX and NumPy then raise errors of their own, which know neither the layer nor its input. Where no
code but ours and theirs has run, the input is the reason, and the error says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from everystep.errors import DataError, ShapeError
from everystep.kinds import came_of_arguments
from everystep.layers import symbolic

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


def refusal(layer: Layer, error: Exception, given: Any) -> DataError | ShapeError | None:
    """Return what an error says of a layer's input; None where it may say something else.

    Args:
        layer: the layer whose arithmetic raised it.
        error: what was raised.
        given: the arrays, or the shapes, that the layer was given.
    """
    if not came_of_arguments(error):
        return None
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    reason, container = str(error).strip().split("\n")[0], type(given).__name__
    if reason.startswith(f"'{container}' object has no attribute"):
        return ShapeError(
            f"{who} takes one array, but was given a {container} of {len(given)}, "
            f"{_described(given)}"
        )
    expects = getattr(layer.input_spec, "axis_names", "")
    return DataError(
        f"{who} cannot compute with an input of "
        f"{_described(given)}: {reason}." + (f" It expects {expects}." if expects else "")
    )


def _described(given: Any) -> str:
    leaves = jax.tree.leaves(given, is_leaf=symbolic.is_shape)
    shapes = [getattr(leaf, "shape", leaf) for leaf in leaves]
    dtypes = sorted({str(leaf.dtype) for leaf in leaves if hasattr(leaf, "dtype")})
    text = f"shape {', '.join(symbolic.written(shape) for shape in shapes)}"
    return text + (f" and dtype {', '.join(dtypes)}" if dtypes else "")
