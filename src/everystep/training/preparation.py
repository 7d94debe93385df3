"""What the training loop prepares before it runs, and how it reports: plain functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep import losses, metrics
from everystep.errors import DataError, SettingError
from everystep.layers import symbolic
from everystep.sequences import Steps
from everystep.training.feeding import MiniBatch, Source
from everystep.training.programs import Measures

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


@dataclass(frozen=True)
class Compiled:
    """What `compile` was given."""

    optimizer: Any
    loss: losses.Loss | None
    metrics: Sequence[Any]
    weighted_metrics: Sequence[Any]


def measures_for(model: Layer, compiled: Compiled | None, batch: MiniBatch) -> Measures:
    """Return the loss and metrics that suit the shapes of targets and outputs."""
    if compiled is None or batch.targets is None:
        return Measures(None if compiled is None else compiled.loss, [], [], resolved=False)
    outputs = symbolic.trace_specs(model, jax.eval_shape(lambda tree: tree, batch.inputs)).outputs
    shapes = np.shape(batch.targets), tuple(outputs.shape)
    plain, weighted = (
        [metrics.resolve(metric, *shapes) for metric in group]
        for group in (compiled.metrics, compiled.weighted_metrics)
    )
    for metric in weighted:
        if metric.name in {other.name for other in plain}:
            metric.name = f"weighted_{metric.name}"
    masked = isinstance(outputs, Steps)
    return Measures(compiled.loss, plain, weighted, classes=shapes[1][-1], masked=masked)


def check_labels(measures: Measures, *sources: Source | None) -> None:
    """Raise a DataError if a source holds a label that the model's outputs have no place for."""
    for source in sources:
        if source is not None:
            measures.check_labels(source.real_targets(measures.masked))


def listed_metrics(given: Iterable[Any] | None) -> tuple[Any, ...]:
    """Return the metrics that compile was given; an unknown name is an error now, not in fit."""
    if isinstance(given, str | Mapping):
        raise SettingError(f"metrics must be a list such as ['accuracy'], not {given!r}")
    listed = tuple(given or ())
    for metric in listed:
        metrics.resolve(metric, (None,), (None,))
    return listed


def as_triple(data: Any) -> tuple[Any, Any, Any]:
    """Return validation data as inputs, targets and weights."""
    if not isinstance(data, tuple | list) or not 2 <= len(data) <= 3:
        raise DataError("validation_data must be (x, y) or (x, y, sample_weight)")
    x, y, *weights = data
    return x, y, weights[0] if weights else None


def split_off(x: Any, y: Any, weights: Any, share: float) -> tuple[tuple[Any, Any, Any], Any]:
    """Take the last samples away for validation."""
    if not share:
        return (x, y, weights), None
    if not 0 < share < 1:
        raise SettingError(f"validation_split must be from 0 to less than 1, not {share}")
    count = len(x.values if isinstance(x, Steps) else jax.tree.leaves(x)[0])
    count = len(x) if isinstance(x, list | tuple) else count
    kept = int(count * (1 - share))
    if kept in (0, count):
        raise SettingError(
            f"validation_split={share} of {count} samples leaves one side without any"
        )

    def part(data: Any, where: slice) -> Any:
        if data is None or isinstance(data, list | tuple):
            return None if data is None else data[where]
        return jax.tree.map(lambda array: array[where], data)

    def side(where: slice) -> tuple[Any, Any, Any]:
        return part(x, where), part(y, where), part(weights, where)

    return side(slice(kept)), side(slice(kept, None))


def loop_params(epochs: int, steps: int, validation_freq: int = 1) -> dict[str, Any]:
    """Return what callbacks are told about the loop."""
    return {"epochs": epochs, "steps": steps, "validation_freq": validation_freq}


def real_steps(inputs: Any) -> int:
    """Return how many real steps, or samples of rank 2, a batch holds."""
    if isinstance(inputs, Steps):
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
