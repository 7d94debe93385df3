"""What a program costs: multiplications with an addition, and the bytes that have to move."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.extend.core import Jaxpr

from everystep.explanation.program import Program
from everystep.explanation.reading.layouts import Scan, programs_in


class StepCost(NamedTuple):
    """What one step of the first output costs.

    Units: multiplications with an addition; bytes of weights, inputs and outputs.
    """

    multiply_adds: float
    bytes: float


def cost_of(program: Program) -> StepCost:
    """Return what a program costs for each step of its first output.

    Counted are products of matrices and convolutions, as often as loops run them; of branches the
    dearest, and of a loop whose end the data decide one turn. Weights are read once for all steps,
    so that more steps make them cheaper.

    Args:
        program: the program.
    """
    arrays = [(weight.value.shape, weight.value.dtype) for weight in program.weights]
    arrays += [(port.shape, port.dtype) for port in (*program.inputs, *program.outputs)]
    moved = sum(math.prod(shape) * jnp.dtype(dtype).itemsize for shape, dtype in arrays)
    # A step of each row of the batch.
    port = program.outputs[0]
    count = max(1, math.prod(port.shape) // max(1, port.units))
    return StepCost(_multiply_adds(program.jaxpr.jaxpr) / count, moved / count)


def _multiply_adds(jaxpr: Jaxpr) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> int:
    name, given = equation.primitive.name, equation.params
    made = _size(equation.outvars[0].aval.shape) if equation.outvars else 0
    if name == "dot_general":
        (contracted, _), _ = given["dimension_numbers"]
        return made * _size(equation.invars[0].aval.shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        outputs = int(kernel[given["dimension_numbers"].rhs_spec[0]])
        return made * _size(kernel) // max(1, outputs)
    if name == "scan":
        loop = Scan.of(equation)
        return loop.length * _multiply_adds(loop.body.jaxpr)
    costs = [_multiply_adds(inside) for inside in programs_in(equation)]
    return max(costs, default=0) if name == "cond" else sum(costs)


def _size(sizes: Iterable[Any]) -> int:
    return int(math.prod(sizes))
