"""One compiled program that changes many steps, one at a time, and says which outputs change.

A difference counts where it is far larger than all that rounding can do. How much that is shows the
program itself, run with an error in every operation that is a million times that of rounding, once
with each sign: `x - x` stays zero, `x + m - m` does not stay `x`, and what decides between two
numbers that are equal but for rounding decides otherwise. A smaller one may show as a derivative.
It counts where single precision finds the same one, as a sum of roundings is another there, and
where it is above what rounding does to the output, as below that only one of two parts that cancel
may be left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Jaxpr, JaxprEqn

from everystep.explanation.program import Port, Program
from everystep.explanation.reading.layouts import programs_in
from everystep.explanation.witnesses.compiling import compiled, double_precision
from everystep.explanation.witnesses.draws import Sample
from everystep.explanation.witnesses.widening import widened

Place = tuple[int, int]
"""Which input, and which step of it."""

Seen = list[Any]
"""For each output, bool (places, steps of the output): which steps changed."""

NOWHERE: Place = (-1, 0)
EVERYWHERE: Place = (-2, 0)
_ERRORS = np.array([0.0, 1e-10, -1e-10])
# How much of what those errors do, rounding does.
_OF_ROUNDING = 1e-6
_MOST_PLACES = 128
_MOST_ROUNDS = 12
# Room for what all operations give for all places at once.
_MOST_NUMBERS = 2**26
# So few in all are worth a second round of draws.
_FEW_NUMBERS = 2**19


class Trials:
    """Changes and derivatives of a program, for as many places at once as memory allows.

    Args:
        program: what is tried.

    Attributes:
        places: how many places are tried at once.
        rounds: how often all kinds of draws are worth it: the smaller the program, the more often.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._run = widened(program.jaxpr)
        places = max(1, sum(port.steps for port in program.inputs))
        numbers = max(1, _numbers(program.jaxpr.jaxpr))
        self.places = max(1, min(places, _MOST_NUMBERS // numbers, _MOST_PLACES))
        self.rounds = max(1, min(_FEW_NUMBERS // (numbers * places), _MOST_ROUNDS))
        self._compiled: dict[str, Callable[..., Any]] = {}

    def changes(self, sample: Sample, places: Sequence[Place]) -> Seen:
        """Say which output steps change when an input step has its other value."""
        return self._tried("changes", self._differences, sample, places)

    def slopes(self, sample: Sample, places: Sequence[Place]) -> Seen:
        """Say which output steps have a derivative by an input step, towards its other value.

        None has where JAX knows no derivative of something in the program.
        """
        try:
            return self._tried("slopes", self._derivatives, sample, places)
        except NotImplementedError:
            return [np.zeros((len(places), port.steps), bool) for port in self._program.outputs]

    def _tried(
        self, name: str, function: Callable[..., Any], sample: Sample, places: Sequence[Place]
    ) -> Seen:
        rows = [*places, *[NOWHERE] * (self.places - len(places))]
        arguments = sample.weights, sample.inputs, sample.others, np.array(rows, np.int32)
        with double_precision():
            if name not in self._compiled:
                self._compiled[name] = compiled(function, *arguments)
            seen = self._compiled[name](*arguments)
        return [np.asarray(steps)[: len(places)] for steps in seen]

    def _differences(self, weights: Any, inputs: Any, others: Any, places: Any) -> Seen:
        ports = self._program.inputs

        def at(row: tuple[Any, Any]) -> Seen:
            place, error = row
            changed = [
                jnp.where(_at_place(port, number, place), other, value)
                for number, (port, value, other) in enumerate(
                    zip(ports, inputs, others, strict=True)
                )
            ]
            return self._run(*weights, *changed, error=error)

        ends = np.repeat([NOWHERE, EVERYWHERE], len(_ERRORS), axis=0)
        errors = np.concatenate([_ERRORS, _ERRORS, np.zeros(len(places))])
        rows = jnp.concatenate([ends.astype(np.int32), places]), jnp.asarray(errors)
        results = _each(at, rows)
        return [
            _steps(_differ(result[:3], result[3:6], result[6:]), port)
            for result, port in zip(results, self._program.outputs, strict=True)
        ]

    def _derivatives(self, weights: Any, inputs: Any, others: Any, places: Any) -> Seen:
        ports = self._program.inputs
        at_inputs = [jnp.asarray(value) for value in inputs]

        def at(place: Any) -> Seen:
            tangents = [
                _tangent(value, other, _at_place(port, number, place))
                for number, (port, value, other) in enumerate(
                    zip(ports, inputs, others, strict=True)
                )
            ]

            def slopes(floats: Any, error: Any = None) -> tuple[Seen, Seen]:
                run = widened(self._program.jaxpr, floats)
                pair: tuple[Seen, Seen] = jax.jvp(
                    lambda *values: run(*weights, *values, error=error), at_inputs, tangents
                )
                return pair

            wrong = _each(lambda error: slopes(np.float64, error), jnp.asarray(_ERRORS))
            return list(map(_alike, *wrong, slopes(np.float32)[1]))

        return [
            _steps(found, port)
            for found, port in zip(_each(at, places), self._program.outputs, strict=True)
        ]


def _each(function: Callable[..., Any], rows: Any) -> Any:
    """Map a function over rows, all at once, or in turn where a primitive cannot be mapped."""
    try:
        return jax.vmap(function)(rows)
    except NotImplementedError:
        return lax.map(function, rows)


def _at_place(port: Port, number: int, place: Any) -> Any:
    """Return where an input is to change: in the step of `place`, if that is of this input."""
    return (place[0] == EVERYWHERE[0]) | ((place[0] == number) & port.is_at(place[1]))


def _tangent(value: Any, other: Any, here: Any) -> Any:
    if not jnp.issubdtype(jnp.asarray(value).dtype, jnp.inexact):
        return np.zeros(np.shape(value), jax.dtypes.float0)
    return jnp.where(here, jnp.asarray(other) - value, 0)


def _differ(before: Any, after: Any, changed: Any) -> Any:
    """Say where values differ by more than errors can explain; what is no number tells nothing.

    What errors do is known for no change and for a change of everything: (errors, *shape) each.
    """
    if not jnp.issubdtype(changed.dtype, jnp.inexact):
        certain = (before == before[0]).all(0) & (after == after[0]).all(0)
        return certain & (changed != before[0])
    noise = jnp.maximum(*(jnp.abs(values - values[0]).max(0) for values in (before, after)))
    return jnp.abs(changed - before[0]) > 10 * noise


def _alike(values: Any, slopes: Any, single: Any) -> Any:
    """Say where a derivative is above rounding, and the same in single precision.

    Of double precision it takes what errors make of values and derivatives: (errors, *shape) each.
    """
    if slopes.dtype == jax.dtypes.float0:
        return jnp.zeros(values.shape[1:], bool)
    size, noise = jnp.abs(slopes[0]), jnp.abs(values - values[0]).max(0)
    same = jnp.abs(single - slopes[0]) < 0.1 * size
    return same & (size > _OF_ROUNDING * noise)


def _steps(found: Any, port: Port) -> Any:
    """(places, *shape) -> (places, steps): whether anything was found in a step."""
    rows = len(found)
    along = found if port.axis is None else jnp.moveaxis(found, port.axis + 1, 1)
    return along.reshape(rows, port.steps, -1).any(-1)


def _numbers(jaxpr: Jaxpr) -> int:
    """Return how many numbers all operations of a program give together, loops counted once."""
    return sum(map(_numbers_of, jaxpr.eqns))


def _numbers_of(equation: JaxprEqn) -> int:
    results: list[Any] = [variable.aval for variable in equation.outvars]
    sizes: list[int] = [math.prod(result.shape) for result in results]
    return sum(sizes) + sum(map(_numbers, programs_in(equation)))
