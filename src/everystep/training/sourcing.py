"""From what is handed to fit, evaluate or predict to the source that batches are taken from."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from everystep.errors import DataError, PackedRowsError
from everystep.layers import Layer, symbolic
from everystep.sequences import Ragged, Steps, check_aligned, check_finite, native, why_no_numbers
from everystep.training.feeding import ArraySource, MiniBatch, RaggedSource, Source
from everystep.training.parts import Parts, for_outputs, inputs_of, output_names, stacked
from everystep.training.shapes import Shapes
from everystep.training.weighting import class_weighted


def source_of(
    model: Layer,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    *,
    batch_size: int | None = 32,
    shapes: Shapes,
    max_shapes: int = 8,
) -> Source:
    """Return the source for what was handed to fit, evaluate or predict.

    Args:
        model: the model that will read it; it is built on the way, if it is new.
        x: an array, `Steps` or a list of arrays of different lengths; for several inputs a list,
            tuple or dict of these, see `everystep.training.parts`.
        y: targets in the same form, or None.
        sample_weight: a weight for each sample or each step, or None.
        class_weight: a weight for each class of the targets, or None.
        batch_size: the number of samples in a batch; None for all in one batch.
        shapes: what the rows of the model's batches have been like; gets to know these.
        max_shapes: how many lengths sequences are padded to at most, where rows cannot be packed.

    Raises:
        DataError: the inputs are of no such form, or targets or weights do not go with them.
    """
    parts = inputs_of(model, x, y)
    items = [_input(item, name) for item, name in zip(parts.items, parts.names, strict=True)]
    targets = weights = None
    if y is not None:
        several = isinstance(y, list | tuple | dict)
        specs = parts.joined([_spec(item) for item in items]) if several else None
        names = output_names(model, specs)
        targets = tuple(_aligned(each, "y") for each in for_outputs(y, names, "y", False))
        weights = _weights(targets, sample_weight, class_weight, names)
    ragged = [item for item in items if isinstance(item, Ragged)]
    if not ragged or _stackable(ragged):
        if ragged:
            targets, weights = (_stacked(ragged[0], group) for group in (targets, weights))
            items = [stacked(ragged[0], item) for item in items]
        data = MiniBatch(parts.joined(items), targets, weights)
        _refuse_different_lengths(data)
        size = batch_size or jax.tree.leaves(data.inputs)[0].shape[0]
        return ArraySource(data, size, as_list=bool(ragged))
    packed = _can_pack(model, parts, items, targets)
    if packed:
        shapes.row_length = max(shapes.row_length, int(ragged[0].lengths.max()))
    return RaggedSource(parts, items, targets, weights, batch_size, packed, shapes, max_shapes)


def _input(item: Any, name: str) -> Any:
    return Ragged.of(item, name) if isinstance(item, list | tuple) else _as_array(item, name)


def _spec(item: Any) -> Any:
    """Return the shape and dtype of an input, the number of samples and of steps unknown."""
    if isinstance(item, Ragged):
        return symbolic.struct((None, None, *item.values.shape[1:]), item.values.dtype)
    if isinstance(item, Steps):
        return item.replace(values=_spec(item.values), segments=_spec(item.segments))
    return symbolic.struct((None, *item.shape[1:]), item.dtype)


def _weights(
    targets: tuple[Any, ...], sample_weight: Any, class_weight: Any, names: Any
) -> tuple[Any, ...] | None:
    given = for_outputs(sample_weight, names, "sample_weight", True)
    weights = tuple(_aligned(each, "sample_weight") for each in given)
    for each in weights:
        if each is not None:
            check_finite(each, "sample_weight")
    if class_weight is not None:
        if len(names) > 1:
            raise DataError(
                "`class_weight` is only supported for Models with a single output: give "
                "sample_weight, a list or dict with the weights for each output"
            )
        weights = (class_weighted(targets[0], weights[0], class_weight),)
    return None if all(each is None for each in weights) else weights


def _stackable(ragged: list[Ragged]) -> bool:
    """Whether all sequences have the same number of steps, so that they make arrays."""
    lengths = {length for item in ragged for length in item.lengths.tolist()}
    return len(lengths) == 1 and 0 not in lengths


def _stacked(inputs: Ragged, group: tuple[Any, ...] | None) -> Any:
    if group is None:
        return None
    found = [each for each in group if isinstance(each, Ragged)]
    check_aligned(inputs, {f"y or sample_weight [{i}]": each for i, each in enumerate(found)})
    return tuple(stacked(inputs, each) for each in group)


def _can_pack(model: Layer, parts: Parts, items: list[Any], targets: Any) -> bool:
    """Whether rows may hold several sequences, or each needs a row of its own.

    Raises:
        DataError: sequences of several inputs have different lengths, or a target is not one for
            each step though the model gives one output for each.
    """
    ragged = [item for item in items if isinstance(item, Ragged)]
    for name, item in zip(parts.names, items, strict=True):
        if isinstance(item, Ragged) and item.lengths.tolist() != ragged[0].lengths.tolist():
            raise DataError(
                f"{name} has sequences of other lengths than the inputs before it. Inputs that are "
                "lists of sequences share one layout, so the first sequence of each must have as "
                "many steps, and so on; for others give arrays, padded, with a Masking layer or "
                "mask_zero"
            )
    if len(ragged) < len(items) or not _takes_packed_rows(model, parts, ragged):
        return False
    for target in targets or ():
        if isinstance(target, np.ndarray):
            raise DataError(
                "y must have one target for each step, as a list of arrays as long as those of x, "
                "because the model gives one output for each step; it came with shape "
                f"{target.shape}"
            )
    return True


def _takes_packed_rows(model: Layer, parts: Parts, items: list[Ragged]) -> bool:
    """Find out, by running the model on shapes alone, whether it takes several sequences a row."""
    segments = symbolic.struct((None, None), "int32")
    specs = [Steps(_spec(item), segments, packed=True) for item in items]
    try:
        symbolic.trace_specs(model, parts.joined(specs))
    except PackedRowsError:
        return False
    return True


def _aligned(data: Any, name: str) -> Any:
    """Return what goes with a list of sequences: one array for each, or one value for each."""
    if data is None:
        return None
    if isinstance(data, list | tuple) and data and np.ndim(data[0]) > 0:
        return Ragged.of(data, name)
    return _as_array(data, name)


def _as_array(value: Any, name: str) -> Any:
    if isinstance(value, Steps):
        return value
    try:
        array = value if isinstance(value, jax.Array | np.ma.MaskedArray) else np.asarray(value)
    except ValueError:
        raise DataError(
            f"{name} holds rows of different lengths: give x, y and sample_weight as lists of "
            "arrays, all three alike"
        ) from None
    problem = why_no_numbers(array)
    if problem or not array.ndim:
        raise DataError(
            f"{name} must be an array of numbers with one row a sample, not {type(value).__name__} "
            f"of shape {array.shape} {problem or f'of dtype {array.dtype}'}"
        )
    return array if isinstance(array, jax.Array) else native(array)


def _refuse_different_lengths(data: MiniBatch) -> None:
    counts = {
        name: {int(leaf.shape[0]) for leaf in jax.tree.leaves(part)}
        for name, part in data._asdict().items()
    }
    if len(set().union(*counts.values())) > 1:
        words = ", ".join(f"{name} {sorted(own)}" for name, own in counts.items() if own)
        raise DataError(f"all arrays must have one row for each sample, but have: {words}")
    if 0 in counts["inputs"]:
        raise DataError("x holds no sample at all: give at least one")
