"""The way of a layer's input and output: arrays out of `Steps`, and back into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.dtypes import is_float
from everystep.core.variables import Variable
from everystep.errors import DataError, PackedRowsError, SegmentsError, ShapeError
from everystep.sequences import Steps, from_mask

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


@dataclass(frozen=True)
class Opened:
    """A layer's input as plain arrays, the steps whose segments it carried, and both together."""

    values: Any
    steps: Steps | None
    given: Any

    @property
    def segments(self) -> Any:
        """The segments, int32 (batch, steps), or None."""
        return None if self.steps is None else self.steps.segments

    @property
    def packed(self) -> bool:
        """Whether a row may hold several sequences."""
        return self.steps is not None and self.steps.packed

    @property
    def mask(self) -> Any:
        """True at real steps, or None where all are."""
        return None if self.steps is None else self.steps.segments != 0


def is_steps(value: Any) -> bool:
    """Whether a value is `Steps`, which JAX would otherwise take apart."""
    return isinstance(value, Steps)


def open_inputs(layer: Layer, inputs: Any, mask: Any) -> Opened:
    """Take segments off the inputs, make arrays of the right precision, and check who may pass.

    Raises:
        DataError: the input is not made of numbers.
        SegmentsError: the layer would lose or misuse the segments.
    """
    leaves, tree = jax.tree.flatten(inputs, is_leaf=is_steps)
    if not leaves:
        raise DataError(f"layer '{layer.path}' was given no array at all: {inputs!r}")
    carriers = [leaf for leaf in leaves if isinstance(leaf, Steps)]
    arrays = [
        as_array(layer, leaf.values if isinstance(leaf, Steps) else leaf, layer.compute_dtype)
        for leaf in leaves
    ]
    steps = _agreed(layer, carriers) if mask is None else _masked(layer, arrays[0], mask)
    if steps is not None:
        _refuse_segments(layer, steps)
    if mask is None:
        given = [
            leaf.replace(values=array) if isinstance(leaf, Steps) else array
            for leaf, array in zip(leaves, arrays, strict=True)
        ]
    else:
        given = [steps, *arrays[1:]]
    return Opened(jax.tree.unflatten(tree, arrays), steps, jax.tree.unflatten(tree, given))


def _agreed(layer: Layer, carriers: list[Steps]) -> Steps | None:
    if any(other.segments is not carriers[0].segments for other in carriers[1:]):
        raise SegmentsError(
            f"layer '{layer.path}' ({type(layer).__name__}) was given inputs with different "
            "segments and cannot tell which to keep: give it inputs that come from one sequence"
        )
    return carriers[0] if carriers else None


def _masked(layer: Layer, values: Any, mask: Any) -> Steps:
    mask = jnp.asarray(mask)
    if mask.ndim != 2 or tuple(mask.shape) != tuple(values.shape[:2]):
        raise ShapeError(
            f"layer '{layer.path}': the mask must have shape (batch, steps) = "
            f"{tuple(values.shape[:2])} like its input of shape {tuple(values.shape)}, not "
            f"{tuple(mask.shape)}"
        )
    return from_mask(values, mask)


def _refuse_segments(layer: Layer, steps: Steps) -> None:
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    if layer.masking == "refused":
        raise SegmentsError(
            f"{who} mixes steps and would lose the mask that its input carries. Put it where "
            "there is no mask, take the mask off with `steps.values` (or mask_zero=False in the "
            "Embedding), or, in a layer of your own, take `mask` in call or set supports_masking"
        )
    if steps.packed and layer.masking == "rows":
        raise PackedRowsError(
            f"{who} takes one sequence a row, but was given packed rows, which hold several: "
            "unpack them and pad each sequence into a row of its own"
        )


def as_array(layer: Layer, value: Any, dtype: str) -> Any:
    """Return an array of the layer's precision; refuse what is not made of numbers."""
    if isinstance(value, Variable):
        value = value.value
    if not isinstance(value, jax.Array | np.ndarray | np.generic | int | float | bool):
        raise DataError(
            f"layer '{layer.path}' ({type(layer).__name__}) takes arrays, not "
            f"{type(value).__name__}: {value!r}"
        )
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "biufV":
        raise DataError(
            f"layer '{layer.path}' ({type(layer).__name__}) takes numbers, not an array of dtype "
            f"{value.dtype}: turn words into ids with a vocabulary, and objects into numbers"
        )
    return cast(narrowed(layer, value), dtype)


def narrowed(layer: Layer, value: Any) -> Any:
    """Return a JAX array; integers that do not fit into JAX's 32 bits are an error, not cut off."""
    wide = isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.dtype.itemsize == 8
    if wide and value.size and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        limits = np.iinfo(np.int32 if value.dtype.kind == "i" else np.uint32)
        if value.min() < limits.min or value.max() > limits.max:
            raise DataError(
                f"layer '{layer.path}': the input holds an integer of more than 32 bits, from "
                f"{value.min()} to {value.max()}"
            )
    return jnp.asarray(value)


def cast(array: Any, dtype: str) -> Any:
    """Return a floating-point array in `dtype`, any other array as it is."""
    return array.astype(dtype) if is_float(array) and array.dtype != dtype else array


def cast_tree(tree: Any, dtype: str) -> Any:
    """Cast the floating-point arrays of a tree, such as initial states."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, jax.Array | np.ndarray):
            return cast(jnp.asarray(leaf), dtype)
        return leaf

    return jax.tree.map(convert, tree)


def close_outputs(outputs: Any, segments: Any, incoming: Steps | None) -> Any:
    """Put segments on the outputs: one for a single output, or a list with one or None for each."""
    if isinstance(segments, list | tuple):
        closed = [
            close_outputs(output, own, incoming)
            for output, own in zip(outputs, segments, strict=True)
        ]
        return type(outputs)(closed)
    if segments is None or isinstance(outputs, Steps):
        return outputs
    if incoming is not None and segments is incoming.segments:
        return jax.tree.map(lambda output: incoming.replace(values=output), outputs)
    packed = incoming is not None and incoming.packed
    return jax.tree.map(lambda output: Steps(output, segments, packed=packed), outputs)
