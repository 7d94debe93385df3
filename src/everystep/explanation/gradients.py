"""The gradient of a weight, taken apart: what each output step contributes to it.

Where all output steps use one weight, the gradient of a loss by the weight is the sum of what each
step would give if the weight were its own: if step t had a copy of it that no other step uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.extend.core import jaxpr_as_fun

from everystep.errors import DataError
from everystep.explanation.program import Port, Program
from everystep.explanation.witnesses import compiled
from everystep.explanation.witnesses.draws import samples

Place = tuple[int, int]
"""Which output, and which step of it."""


def output_places(program: Program) -> list[Place]:
    """Return each step of each output in turn."""
    return [
        (number, step) for number, port in enumerate(program.outputs) for step in range(port.steps)
    ]


def gradient_by_step(
    program: Program,
    weight: str,
    inputs: Sequence[Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    loss: Callable[..., Any] | None = None,
) -> npt.NDArray[Any]:
    """Return what each output step contributes to the gradient of a weight.

    With outputs y of the steps t, a weight w and a loss L:

        contribution[t] = dL/dy[t] dy[t]/dw,        dL/dw = sum over t of contribution[t]

    so a step whose loss depends on the weight through all steps before it, as that of a recurrent
    layer does, counts all of that as its own contribution.

    Shapes:
        `(steps of all outputs, *shape of the weight)`; outputs in turn.

    Args:
        program: the program.
        weight: the path of the weight.
        inputs: a value for each input; by default random ones.
        weights: values of weights by path, in place of their present ones.
        loss: what is made of the outputs, a scalar; by default their sum. It takes one argument
            for each output.

    Returns:
        The contributions, computed as in training, in the dtypes of the program.

    Raises:
        DataError: there is no such weight, or it does not hold numbers, or the number of inputs is
            another, or a weight is given that there is not, or the loss is no scalar.
    """
    values = _weights(program, weights)
    number = _number(program, weight)
    given = _inputs(program, inputs)

    def run(value: Any, values: list[Any], given: list[Any]) -> list[Any]:
        others = [*values[:number], value, *values[number + 1 :], *given]
        outputs: list[Any] = jaxpr_as_fun(program.jaxpr)(*others)
        return outputs

    def contributions(values: list[Any], given: list[Any], places: Any) -> Any:
        outputs, pull = jax.vjp(lambda value: run(value, values, given), values[number])
        slopes = _slopes(loss or _sum, outputs)
        return jax.lax.map(lambda place: pull(at_step(program.outputs, slopes, place))[0], places)

    arguments = values, given, np.array(output_places(program), np.int32)
    found: npt.NDArray[Any] = np.asarray(compiled(contributions, *arguments)(*arguments))
    return found


def _weights(program: Program, given: Mapping[str, Any] | None) -> list[Any]:
    """Return a value for each weight: the given one, or the present one."""
    paths = [weight.path for weight in program.weights]
    unknown = sorted((given or {}).keys() - set(paths))
    if unknown:
        raise DataError(f"{program.name} has no weights {unknown}. It has {paths}")
    return [
        jnp.asarray((given or {}).get(weight.path, weight.value), np.asarray(weight.value).dtype)
        for weight in program.weights
    ]


def _number(program: Program, path: str) -> int:
    paths = [weight.path for weight in program.weights]
    if path not in paths:
        raise DataError(f"{program.name} has no weight '{path}'. It has {paths}")
    number = paths.index(path)
    dtype = np.asarray(program.weights[number].value).dtype
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise DataError(
            f"the gradient of '{path}' was asked for, which holds {dtype}. Ask for that of a "
            f"weight that holds numbers with a fraction"
        )
    return number


def _inputs(program: Program, given: Sequence[Any] | None) -> list[Any]:
    """Return a value for each input: the given one, or a random one."""
    values = next(samples(program)).inputs if given is None else list(given)
    if len(values) != len(program.inputs):
        raise DataError(
            f"{program.name} takes {len(program.inputs)} inputs, but {len(values)} were given. "
            f"Give a list with an array for each of {[port.name for port in program.inputs]}"
        )
    arrays = [
        jnp.asarray(value, port.dtype) for value, port in zip(values, program.inputs, strict=True)
    ]
    for array, port in zip(arrays, program.inputs, strict=True):
        if array.shape != port.shape:
            raise DataError(
                f"{port.name} of {program.name} has shape {port.shape}, but an array of shape "
                f"{array.shape} was given. Give one row of so many steps"
            )
    return arrays


def _sum(*outputs: Any) -> Any:
    numbers = [output for output in outputs if jnp.issubdtype(output.dtype, jnp.inexact)]
    return sum(jnp.sum(output) for output in numbers)


def _slopes(loss: Callable[..., Any], outputs: list[Any]) -> Any:
    """Return the derivative of the loss by each output."""
    value, pull = jax.vjp(loss, *outputs)
    if jnp.shape(value) != ():
        raise DataError(
            f"a loss must be one number, but it has shape {jnp.shape(value)}. Take its mean or sum"
        )
    return pull(jnp.ones((), value.dtype))


def at_step(ports: Sequence[Port], slopes: Sequence[Any], place: Any) -> list[Any]:
    """Return cotangents of outputs that are zero outside of one step of one output."""
    return [
        slope
        if slope.dtype == jax.dtypes.float0
        else jnp.where((place[0] == number) & port.is_at(place[1]), slope, 0)
        for number, (port, slope) in enumerate(zip(ports, slopes, strict=True))
    ]
