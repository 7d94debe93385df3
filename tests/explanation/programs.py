"""Programs of layers and functions, traced in the plainest way, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import set_random_seed
from everystep.explanation.program import Port, Program, Weight
from everystep.layers import Layer
from everystep.layers.apply import run
from everystep.layers.symbolic import trace_specs
from everystep.sequences import Steps
from tests.trees import outputs_of

# JAX leaves its own without types.
_abstract: Any = jax.ShapeDtypeStruct


def program_of(
    thing: Any,
    shapes: Sequence[tuple[int, ...]],
    values: int | None = None,
    output_axis: int | None = 1,
    segments: Any = None,
) -> Program:
    """Trace a layer, with its weights as arguments, or a function.

    Args:
        thing: the layer or function; a layer of several inputs takes them as a list.
        shapes: the shape of each input; axis 1 is time.
        values: how many ids the inputs may hold; None where they hold numbers.
        output_axis: which axis of the outputs is time, None where they have none.
        segments: the segments of the one input, which become constants of the program.
    """
    dtype = jnp.dtype("float32" if values is None else "int32")
    inputs = [_abstract(shape, dtype) for shape in shapes]
    weights: list[Weight] = []
    if isinstance(thing, Layer):
        set_random_seed(7)
        trace_specs(thing, _call_of(inputs, segments))
        trained = {id(variable) for variable in thing.trainable_variables}
        weights = [
            Weight(path, np.asarray(variable.value), id(variable) in trained)
            for path, variable in thing.named_weights().items()
        ]

    def function(*arguments: Any) -> list[Any]:
        own, given = arguments[: len(weights)], list(arguments[len(weights) :])
        if not isinstance(thing, Layer):
            outputs = thing(*given)
        else:
            named = {weight.path: value for weight, value in zip(weights, own, strict=True)}
            outputs = run(thing, thing.named_weights(), named, _call_of(given, segments)).outputs
        return [getattr(leaf, "values", leaf) for leaf in outputs_of(outputs)]

    jaxpr, outputs = jax.make_jaxpr(function, return_shape=True)(
        *[_abstract(weight.value.shape, weight.value.dtype) for weight in weights],
        *inputs,
    )
    return Program(
        getattr(thing, "name", "function"),
        jaxpr,
        tuple(weights),
        tuple(_port(f"inputs[{n}]", spec, 1, values) for n, spec in enumerate(inputs)),
        tuple(_port(f"outputs[{n}]", spec, output_axis) for n, spec in enumerate(outputs)),
    )


def _call_of(inputs: list[Any], segments: Any) -> Any:
    if segments is not None:
        ids = np.asarray([segments], np.int32)
        return Steps(inputs[0], ids, packed=True)
    return inputs[0] if len(inputs) == 1 else inputs


def _port(name: str, spec: Any, axis: int | None, values: int | None = None) -> Port:
    return Port(name, tuple(spec.shape), np.dtype(spec.dtype), axis, values)
