"""The functions that a program gives as its weights vary, evaluated in float64, many at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.explanation.program import Program
from everystep.explanation.relation.draws import Inputs
from everystep.explanation.relation.layout import Layout, is_number
from everystep.explanation.relation.smoothing import Smoothed, smoothed
from everystep.explanation.witnesses import widened
from everystep.explanation.witnesses.compiling import compiled, double_precision
from everystep.explanation.witnesses.widening import wide_dtype

WEIGHTS_AT_ONCE = 8
"""How many settings of the weights one call of a compiled program evaluates."""

INPUTS_AT_ONCE = 24
"""How many inputs one call of a compiled program evaluates."""


class Family:
    """All functions of a program: one for each setting of its weights.

    Weights are vectors, see `Layout`; outputs are flat, all outputs of a program one behind the
    other. A program is compiled at most once for values, once for their smooth twins and once for
    Jacobians, whatever is asked.

    Args:
        program: the program.

    Attributes:
        name: what it is called in reports.
        layout: where each weight stands in the vector.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.name = program.name
        self.layout = Layout.of(program)

    @property
    def size(self) -> int:
        """How many numbers the weights have."""
        return self.layout.size

    @cached_property
    def run(self) -> Callable[..., list[Any]]:
        """The program in float64, from the values of weights and inputs to those of outputs."""
        return widened(self.program.jaxpr)

    @cached_property
    def smooth(self) -> Smoothed:
        """The program with its branches made smooth, and whether that could be done."""
        with double_precision():
            weights = [weight.value for weight in self.program.weights]
            examples = [jnp.zeros(port.shape, port.dtype) for port in self.program.inputs]
            return smoothed(self.run, weights, examples)

    def values(self, vectors: np.ndarray, inputs: Inputs) -> np.ndarray:
        """Return the outputs, (weights, inputs, numbers)."""
        values: np.ndarray = self._evaluated(self._values, vectors, inputs)
        return values

    def smooth_values(self, vectors: np.ndarray, inputs: Inputs) -> np.ndarray:
        """Return the outputs of the smooth program, (weights, inputs, numbers)."""
        values: np.ndarray = self._evaluated(self._smooth_values, vectors, inputs)
        return values

    def linearized(self, vectors: np.ndarray, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """Return the outputs, and their derivatives by the weights on a further last axis."""
        both: tuple[np.ndarray, np.ndarray] = self._evaluated(self._linearized, vectors, inputs)
        return both

    def input_jacobians(self, vectors: np.ndarray, inputs: Inputs) -> np.ndarray:
        """Return the derivatives by all real inputs, (weights, inputs, numbers, input numbers)."""
        slopes: np.ndarray = self._evaluated(self._input_jacobians, vectors, inputs)
        return slopes

    @cached_property
    def _values(self) -> Any:
        return self._compiled(partial(self._outputs, self.run))

    @cached_property
    def _smooth_values(self) -> Any:
        run = self.smooth.run or self.run
        return self._compiled(partial(self._outputs, run))

    @cached_property
    def _linearized(self) -> Any:
        def twice(vector: Any, *inputs: Any) -> Any:
            outputs = self._outputs(self.run, vector, *inputs)
            return outputs, outputs

        def linearized(vector: Any, *inputs: Any) -> Any:
            slopes, outputs = jax.jacfwd(twice, has_aux=True)(vector, *inputs)
            return outputs, slopes

        return self._compiled(linearized)

    @cached_property
    def _input_jacobians(self) -> Any:
        def derivatives(vector: Any, *inputs: Any) -> Any:
            real = [i for i, x in enumerate(inputs) if jnp.issubdtype(x.dtype, jnp.floating)]
            places = tuple(1 + i for i in real)
            found = jax.jacrev(partial(self._outputs, self.run), places)(vector, *inputs)
            flat = [part.reshape(len(part), -1) for part in found]
            return jnp.concatenate(flat, axis=1)

        return self._compiled(derivatives)

    def _outputs(self, run: Callable[..., list[Any]], vector: Any, *inputs: Any) -> Any:
        """Return the outputs for one setting of the weights and one input, flat."""
        slots = iter(self.layout.slots)
        weights = [
            slot_part(vector, next(slots)) if is_number(weight) else weight.value
            for weight in self.program.weights
        ]
        flat = [_real(jnp.ravel(output)) for output in run(*weights, *inputs)]
        return jnp.concatenate(flat)

    def _compiled(self, function: Callable[..., Any]) -> Any:
        """Return a function of one setting and one input compiled for many of both."""
        many_inputs = jax.vmap(function, (None, *[0] * len(self.program.inputs)))
        many = jax.vmap(many_inputs, (0, *[None] * len(self.program.inputs)))
        struct: Any = jax.ShapeDtypeStruct
        with double_precision():
            vectors = struct((WEIGHTS_AT_ONCE, self.size), "float64")
            inputs = [
                struct((INPUTS_AT_ONCE, *port.shape), wide_dtype(port.dtype))
                for port in self.program.inputs
            ]
            return compiled(many, vectors, *inputs)

    def _evaluated(self, function: Any, vectors: np.ndarray, inputs: Inputs) -> Any:
        """Run a compiled function on any number of settings and inputs."""
        rows, columns = len(vectors), len(inputs[0])
        settings = _chunks(vectors, WEIGHTS_AT_ONCE)
        samples = list(zip(*(_chunks(x, INPUTS_AT_ONCE) for x in inputs), strict=True))

        def joined(parts: list[Any], axis: int) -> Any:
            return jax.tree.map(lambda *some: np.concatenate(some, axis), *parts)

        with double_precision():
            found = [
                joined([jax.tree.map(np.asarray, function(some, *x)) for x in samples], axis=1)
                for some in settings
            ]
        return jax.tree.map(lambda whole: whole[:rows, :columns], joined(found, axis=0))


def slot_part(vector: Any, slot: Any) -> Any:
    """Return the part of a vector of JAX that belongs to a slot."""
    return vector[slot.start : slot.stop].reshape(slot.shape)


def _real(flat: Any) -> Any:
    """Return numbers as float64, complex ones as two."""
    if jnp.issubdtype(flat.dtype, jnp.complexfloating):
        return jnp.concatenate([flat.real, flat.imag])
    return flat.astype("float64")


def _chunks(array: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut an array into pieces of one size; the last is filled up with its first row."""
    missing = -len(array) % size
    filled = np.concatenate([array, np.repeat(array[:1], missing, axis=0)])
    return [filled[start : start + size] for start in range(0, len(filled), size)]
