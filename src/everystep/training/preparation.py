"""What the training loop prepares before it runs, and how it reports: plain functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep.errors import DataError, SettingError
from everystep.layers import symbolic
from everystep.sequences import Steps
from everystep.training.feeding import MiniBatch, Source, Together, opened
from everystep.training.heads import Compiled, heads_of
from everystep.training.measures import Measures
from everystep.training.parts import flat_outputs, inputs_of, is_steps, output_names
from everystep.training.streaming import gives_batches

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


def measures_for(model: Layer, compiled: Compiled | None, batch: MiniBatch) -> Measures:
    """Return the loss and metrics that suit the shapes of targets and outputs."""
    if compiled is None or batch.targets is None:
        needed = compiled is not None and compiled.loss is not None
        return Measures([], resolved=False, needs_targets=needed)
    specs = jax.eval_shape(lambda tree: tree, batch.inputs)
    outputs = symbolic.trace_specs(model, opened(specs)).outputs
    found = flat_outputs(outputs)
    names: list[Any] = sorted(outputs) if isinstance(outputs, dict) else [None] * len(found)
    if not isinstance(outputs, dict) and len(found) > 1:
        names = output_names(model, opened(specs))
    if len(batch.targets) != len(found):
        raise DataError(
            f"the model has {len(found)} outputs {names}, but y holds targets for "
            f"{len(batch.targets)}: give a list or dict with one entry for each output"
        )
    shapes = [
        (None if target is None else np.shape(target), tuple(output.shape))
        for target, output in zip(batch.targets, found, strict=True)
    ]
    heads = heads_of(compiled, names, shapes)
    for head, output in zip(heads, found, strict=True):
        head.masked = is_steps(output)
    return Measures(heads)


def check_labels(measures: Measures, *sources: Source | None) -> None:
    """Raise a DataError if a source holds a label that the model's outputs have no place for."""
    for source in sources:
        if source is not None:
            for number, head in enumerate(measures.heads):
                measures.check_labels(number, source.real_targets(number, head.masked))


def as_triple(data: Any) -> tuple[Any, Any, Any]:
    """Return validation data as inputs, targets and weights; batches bring all three."""
    if gives_batches(data):
        return data, None, None
    if not isinstance(data, tuple | list) or not 2 <= len(data) <= 3:
        raise DataError("validation_data must be (x, y) or (x, y, sample_weight), or batches")
    x, y, *weights = data
    return x, y, weights[0] if weights else None


def split_off(
    model: Any, x: Any, y: Any, weights: Any, share: float
) -> tuple[tuple[Any, Any, Any], Any]:
    """Take the last samples away for validation."""
    if not share:
        return (x, y, weights), None
    if not 0 < share < 1:
        raise SettingError(f"validation_split must be from 0 to less than 1, not {share}")
    parts = inputs_of(model, x, y)
    count = len(parts.items[0].values if is_steps(parts.items[0]) else parts.items[0])
    kept = int(count * (1 - share))
    if kept in (0, count):
        raise SettingError(
            f"validation_split={share} of {count} samples leaves one side without any"
        )

    def side(where: slice) -> tuple[Any, Any, Any]:
        inputs = parts.joined([_cut(item, count, where) for item in parts.items])
        return inputs, _cut(y, count, where), _cut(weights, count, where)

    return side(slice(kept)), side(slice(kept, None))


def _cut(data: Any, count: int, where: slice) -> Any:
    """Return some of the samples of an array, a list of samples, or several of these."""
    if isinstance(data, dict):
        return {name: _cut(item, count, where) for name, item in data.items()}
    if isinstance(data, list | tuple) and len(data) != count:
        return type(data)([_cut(item, count, where) for item in data])
    if isinstance(data, Steps):
        return jax.tree.map(lambda array: array[where], data)
    return None if data is None else data[where]


def loop_params(epochs: int, steps: int | None, validation_freq: int = 1) -> dict[str, Any]:
    """Return what callbacks are told about the loop."""
    return {"epochs": epochs, "steps": steps, "validation_freq": validation_freq}


def grouped(epoch: Iterable[MiniBatch], size: int) -> Iterator[list[MiniBatch]]:
    """Return the batches in groups of a size, the last as it comes.

    Example:
        >>> [len(group) for group in grouped([MiniBatch(0)] * 5, 2)]
        [2, 2, 1]
    """
    batches = iter(epoch)
    while group := list(islice(batches, size)):
        yield group


def real_steps(batch: MiniBatch) -> int:
    """Return how many real steps, or samples of rank 2, a batch holds."""
    inputs = batch.inputs
    if isinstance(inputs, Steps | Together):
        return int(np.count_nonzero(np.asarray(inputs.segments)))
    first = jax.tree.leaves(inputs)[0]
    return int(first.shape[0] * (first.shape[1] if first.ndim > 1 else 1))


def floats(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return measures as Python numbers, or lists of them, waiting for the device."""
    return {name: np.asarray(value, np.float64).tolist() for name, value in logs.items()}


def reported(logs: dict[str, float], as_dict: bool) -> Any:
    """Return measures as Keras does: one number, a list, or a dict."""
    if as_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
