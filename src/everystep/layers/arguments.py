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
from everystep.kinds import shown
from everystep.layers import symbolic
from everystep.sequences import (
    Steps,
    check_finite,
    check_segments,
    from_mask,
    native,
    why_no_numbers,
)

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


@dataclass(frozen=True)
class Opened:
    """A layer's input as plain arrays, and the segments that it carried.

    Args:
        values: the arrays, in the tree in which they came.
        given: the same tree with `Steps` where an array has segments.
        carriers: the `Steps` in it.
        segments: the segments, int32 (batch, steps), or None; where the input is a tree of several
            arrays, a tree like it, with None where an array has none.
    """

    values: Any
    given: Any
    carriers: tuple[Steps, ...]
    segments: Any

    @property
    def packed(self) -> bool:
        """Whether a row may hold several sequences."""
        return any(steps.packed for steps in self.carriers)

    @property
    def mask(self) -> Any:
        """True at real steps, or None where all are; a tree where `segments` is one."""
        return mask_of(self.segments)


def is_steps(value: Any) -> bool:
    """Whether a value is `Steps`, which JAX would otherwise take apart."""
    return isinstance(value, Steps)


def mask_of(segments: Any) -> Any:
    """Return True at real steps, for each segments of a tree."""
    return jax.tree.map(lambda ids: ids != 0, segments)


def open_inputs(layer: Layer, inputs: Any, mask: Any) -> Opened:
    """Take segments off the inputs, make arrays of the right precision, and check who may pass.

    Raises:
        DataError: the input is not made of numbers.
        SegmentsError: the layer would lose or misuse the segments.
    """
    leaves, tree = jax.tree.flatten(inputs, is_leaf=is_steps)
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    if not leaves:
        raise DataError(f"{who} was given no array at all: {shown(inputs)}")
    if isinstance(inputs, list | tuple) and all(isinstance(leaf, int | float) for leaf in leaves):
        raise DataError(
            f"{who} takes arrays, not a {type(inputs).__name__} of numbers, which might as well be "
            "several inputs: make one array of it with np.asarray"
        )
    given = [_opened(layer, leaf) for leaf in leaves]
    if mask is not None:
        masks = _one_for_each(layer, mask, len(leaves))
        given = [_masked(layer, *pair) for pair in zip(given, masks, strict=True)]
    carriers = tuple(leaf for leaf in given if isinstance(leaf, Steps))
    for steps in carriers:
        _refuse_segments(layer, steps)
    if not layer.composite and len({steps.packed for steps in carriers}) > 1:
        raise PackedRowsError(
            f"layer '{layer.path}' ({type(layer).__name__}) was given packed rows, which hold "
            "several sequences, beside rows of one sequence: pack all of its inputs alike, or none"
        )
    values = [leaf.values if isinstance(leaf, Steps) else leaf for leaf in given]
    ids = [leaf.segments if isinstance(leaf, Steps) else None for leaf in given]
    return Opened(
        jax.tree.unflatten(tree, values),
        jax.tree.unflatten(tree, given),
        carriers,
        jax.tree.unflatten(tree, ids) if carriers else None,
    )


def open_further(layer: Layer, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take segments off the arguments besides the input, and give them to whom they are for.

    The segments of an argument `value` go to the parameters `value_mask`, `value_segments` and
    `value_packed` of the layer's `call`. A layer of layers gets the arguments as they are.

    Raises:
        SegmentsError: the layer would lose or misuse the segments.
    """
    if layer.composite:
        return arguments
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        carriers = [leaf for leaf in jax.tree.leaves(value, is_leaf=is_steps) if is_steps(leaf)]
        found[name] = value
        if carriers:
            found[name] = jax.tree.map(_values_of, value, is_leaf=is_steps)
            segments = jax.tree.map(_segments_of, value, is_leaf=is_steps)
            packed = any(steps.packed for steps in carriers)
            handed = {"mask": mask_of(segments), "segments": segments, "packed": packed}
            for what, own in handed.items():
                if f"{name}_{what}" in layer.call_signature.parameters:
                    found[f"{name}_{what}"] = arguments.get(f"{name}_{what}", own)
            _refuse_further(layer, name, found, packed)
    return found


def _values_of(leaf: Any) -> Any:
    return leaf.values if isinstance(leaf, Steps) else leaf


def _segments_of(leaf: Any) -> Any:
    return leaf.segments if isinstance(leaf, Steps) else None


def _refuse_further(layer: Layer, name: str, found: dict[str, Any], packed: bool) -> None:
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    if f"{name}_segments" in found:
        return
    if f"{name}_mask" not in found:
        raise SegmentsError(
            f"{who} would lose the mask that its argument '{name}' carries. Take it off with "
            f"`{name}.values`, or, in a layer of your own, take `{name}_mask` in call"
        )
    if packed:
        raise PackedRowsError(
            f"{who} takes one sequence a row in '{name}', but was given packed rows, which hold "
            "several: unpack them and pad each sequence into a row of its own"
        )


def _opened(layer: Layer, leaf: Any) -> Any:
    dtype = layer.compute_dtype if layer.autocast else None
    if isinstance(leaf, Steps):
        values = as_array(layer, leaf.values, dtype)
        return leaf.replace(values=values, segments=_checked_segments(layer, values, leaf))
    return as_array(layer, leaf, dtype)


def _checked_segments(layer: Layer, values: Any, steps: Steps) -> Any:
    """Return segments that name sequences properly, whoever put the `Steps` together.

    What a layer has made, or what is not known yet, has integers of the right shape, and that is
    all that is looked at.
    """
    who, ids = f"layer '{layer.path}' ({type(layer).__name__})", steps.segments
    dtype, shape = getattr(ids, "dtype", type(ids).__name__), tuple(getattr(ids, "shape", ()))
    differ = any(_differ(*sizes) for sizes in zip(shape, values.shape, strict=False))
    integers = not isinstance(dtype, str) and jnp.issubdtype(dtype, jnp.integer)
    if differ or not integers or not 2 <= len(shape) <= values.ndim:
        raise SegmentsError(
            f"{who} was given Steps whose segments are {dtype} of shape {symbolic.written(shape)}: "
            "they must be integers of shape (batch, steps) = "
            f"{symbolic.written(tuple(values.shape[:2]))}, as Steps.of and from_mask make them"
        )
    if not isinstance(ids, np.ndarray) or ids.ndim > 2:
        return ids
    try:
        check_segments(ids, packed=steps.packed)
    except DataError as error:
        raise SegmentsError(f"{who}: {error}") from None
    return native(ids)


def _differ(one: Any, other: Any) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one != other


def agreed(layer: Any, segments: Any) -> Any:
    """Return the one segments that all inputs share which carry any, or None.

    Raises:
        SegmentsError: two inputs carry different ones.
    """
    found = jax.tree.leaves(segments)
    if any(other is not found[0] for other in found[1:]):
        raise SegmentsError(
            f"layer '{layer.path}' ({type(layer).__name__}) was given inputs with different "
            "segments and cannot tell which to keep: give it inputs that come from one sequence"
        )
    return found[0] if found else None


def beside_features(layer: Layer, values: Any, segments: Any) -> Any:
    """Return the segments, for a layer that works over the last axis, which must not be the steps.

    Raises:
        SegmentsError: the steps are the last axis, so that the layer would mix them.
    """
    if segments is not None and values.ndim <= segments.ndim:
        raise SegmentsError(
            f"layer '{layer.path}' ({type(layer).__name__}) works over the last axis, but its "
            f"input of shape {symbolic.written(symbolic.shape_of(values))} has steps there and no "
            "features, so it would mix steps: give each step an axis of features, (batch, steps, "
            "1), or take the mask off with `steps.values`"
        )
    return segments


def _one_for_each(layer: Layer, mask: Any, count: int) -> list[Any]:
    """Return a mask, or None, for each of so many inputs; one mask alone is for all of them.

    Of a list, such as Keras's for attention, the last inputs may have none.
    """
    if not isinstance(mask, list | tuple | dict):
        return [mask] * count
    masks = jax.tree.leaves(mask, is_leaf=lambda leaf: leaf is None)
    if count > 1 and len(masks) < count and all(one is None or np.ndim(one) == 2 for one in masks):
        return [*masks, *[None] * (count - len(masks))]
    if count == 1 or len(masks) != count:
        return [mask] * count
    return masks


def _unmasked(layer: Layer, given: Any) -> Any:
    """Take off the mask that an input carries, because `mask=False` asks for that."""
    if isinstance(given, Steps) and given.packed:
        raise PackedRowsError(
            f"layer '{layer.path}' ({type(layer).__name__}) was asked to go without a mask, but "
            "was given packed rows, in which it says where sequences begin: unpack them and pad "
            "each sequence into a row of its own"
        )
    return _values_of(given)


def _masked(layer: Layer, given: Any, mask: Any) -> Any:
    if mask is None:
        return given
    if mask is False:
        return _unmasked(layer, given)
    mask, values = _read_mask(layer, mask), _values_of(given)
    if mask.ndim < 2 or tuple(mask.shape) != tuple(values.shape[: mask.ndim]):
        raise ShapeError(
            f"layer '{layer.path}': the mask must have shape (batch, steps) = "
            f"{tuple(values.shape[:2])} like its input of shape {tuple(values.shape)}, or go on "
            f"with the steps inside of steps, not {tuple(mask.shape)}"
        )
    if isinstance(given, Steps) and given.packed:
        inner = tuple(range(given.segments.ndim, mask.ndim))
        segments = jnp.where(mask, jnp.expand_dims(given.segments, inner), 0)
        return given.replace(segments=segments)
    return from_mask(values, mask)


def refuse_infinite(layer: Layer, opened: Opened) -> None:
    """Raise a DataError that says where the inputs hold NaN or infinite numbers, if they do."""
    leaves = jax.tree.leaves(opened.given, is_leaf=is_steps)
    for number, leaf in enumerate(leaves):
        which = f"input {number}" if len(leaves) > 1 else "the input"
        check_finite(leaf, f"layer '{layer.path}' ({type(layer).__name__}): {which}")


def _read_mask(layer: Layer, mask: Any) -> Any:
    """Return a mask of any numbers as an array that is not 0 at real steps."""
    try:
        array = mask if isinstance(mask, jax.Array) else np.asarray(mask)
    except ValueError as error:
        raise DataError(f"layer '{layer.path}': the mask is no array: {error}") from None
    if problem := why_no_numbers(array):
        raise DataError(f"layer '{layer.path}': the mask must say yes or no, not be {problem}")
    # Compared before JAX cuts off what it has no bits for.
    return array if isinstance(array, jax.Array) else jnp.asarray(array != 0)


def _refuse_segments(layer: Layer, steps: Steps) -> None:
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    if layer.masking == "refused":
        raise SegmentsError(
            f"{who} mixes steps and would lose the mask that its input carries. Put it where "
            "there is no mask, take the mask off with `steps.values` (or mask_zero=False in the "
            "Embedding), or, in a layer of your own, take `mask` in call or set supports_masking"
        )
    if steps.segments.ndim > 2 and layer.call_signature.named("segments") and not layer.stepwise:
        raise SegmentsError(
            f"{who} takes a mask of shape (batch, steps), but its input carries one that goes on "
            f"inside of steps, of shape {tuple(steps.segments.shape)}: put the layer into a "
            "TimeDistributed, or one that makes each step a vector before it"
        )
    if steps.packed and layer.masking == "rows":
        raise PackedRowsError(
            f"{who} takes one sequence a row, but was given packed rows, which hold several: "
            "unpack them and pad each sequence into a row of its own"
        )


def as_array(layer: Layer, value: Any, dtype: str | None) -> Any:
    """Return an array, floats of it in `dtype` if that is given; refuse what is not numbers."""
    if isinstance(value, Variable):
        value = value.value
    if not isinstance(value, jax.Array | np.ndarray | np.generic | int | float | bool):
        raise DataError(
            f"layer '{layer.path}' ({type(layer).__name__}) takes arrays, not "
            f"{type(value).__name__}: {shown(value)}. Make one of it with np.asarray"
        )
    if hasattr(value, "dtype") and (problem := why_no_numbers(value)):
        raise DataError(
            f"layer '{layer.path}' ({type(layer).__name__}) takes numbers, not an array {problem}"
        )
    array = narrowed(layer, value)
    return array if dtype is None else cast(array, dtype)


def narrowed(layer: Layer, value: Any) -> Any:
    """Return a JAX array; integers that do not fit into JAX's 32 bits are an error, not cut off."""
    if isinstance(value, jax.Array):
        return value
    value = native(np.asarray(value)) if hasattr(value, "dtype") else value
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
        if isinstance(leaf, np.ndarray):
            leaf = jnp.asarray(leaf)
        return cast(leaf, dtype) if isinstance(leaf, jax.Array) else leaf

    return jax.tree.map(convert, tree)


def close_outputs(outputs: Any, segments: Any, opened: Opened) -> Any:
    """Put segments on the outputs: one for a single output, or a tree with one or None for each."""
    if isinstance(segments, list | tuple):
        closed = [
            close_outputs(output, own, opened)
            for output, own in zip(outputs, segments, strict=True)
        ]
        return type(outputs)(closed)
    if isinstance(segments, dict):
        return {name: close_outputs(outputs[name], segments[name], opened) for name in outputs}
    if segments is None or isinstance(outputs, Steps):
        return outputs
    for steps in opened.carriers:
        if segments is steps.segments:
            return jax.tree.map(steps.with_values, outputs)
    return jax.tree.map(lambda output: Steps(output, segments, packed=opened.packed), outputs)
