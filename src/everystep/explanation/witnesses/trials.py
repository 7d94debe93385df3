"""One compiled program that changes many steps, one at a time, and says which outputs change.

A difference counts where it is far larger than all that rounding can do. How much that is shows the
program itself, run with an error in every operation that is a million times that of rounding:
`x - x` stays zero, `x + m - m` does not stay `x`, and by as much, made much smaller, the plain run
may be wrong too. Derivatives are held to the same: one that errors of that size change by more than
a thousandth of itself is a sum of roundings.
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
from everystep.explanation.witnesses.compiling import compiled, double_precision
from everystep.explanation.witnesses.draws import Sample
from everystep.explanation.witnesses.widening import widened

Place = tuple[int, int]
"""Which input, and which step of it."""

Seen = list[Any]
"""For each output, bool (places, steps of the output): which steps changed."""

NOWHERE: Place = (-1, 0)
_ERROR = 1e-10
_ERRORS = np.array([0.0, _ERROR, -_ERROR])
_MOST_PLACES = 128
# Room for what all operations give for all places at once.
_MOST_NUMBERS = 2**26


class Trials:
    """Changes and derivatives of a program, for as many places at once as memory allows.

    Args:
        program: what is tried.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._run = widened(program.jaxpr)
        places = sum(port.steps for port in program.inputs)
        fitting = _MOST_NUMBERS // max(1, _numbers(program.jaxpr.jaxpr))
        self.places = max(1, min(places, fitting, _MOST_PLACES))
        self._compiled: dict[str, Callable[..., Any]] = {}

    def changes(self, sample: Sample, places: Sequence[Place]) -> Seen:
        """Say which output steps change when an input step has its other value."""
        return self._tried("changes", self._differences, sample, places)

    def slopes(self, sample: Sample, places: Sequence[Place]) -> Seen:
        """Say which output steps have a derivative by an input step, towards its other value."""
        return self._tried("slopes", self._derivatives, sample, places)

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

        still = jnp.full((len(_ERRORS), 2), -1, jnp.int32)
        errors = jnp.concatenate([_ERRORS, jnp.zeros(len(places))])
        results = _each(at, (jnp.concatenate([still, places]), errors))
        return [
            _steps(_differ(result[0], result[1:3], result[3:]), port)
            for result, port in zip(results, self._program.outputs, strict=True)
        ]

    def _derivatives(self, weights: Any, inputs: Any, others: Any, places: Any) -> Seen:
        def at(place: Any) -> Seen:
            tangents = [
                _tangent(value, other, _at_place(port, number, place))
                for number, (port, value, other) in enumerate(
                    zip(self._program.inputs, inputs, others, strict=True)
                )
            ]

            def slope(error: Any) -> Seen:
                run = lambda *values: self._run(*weights, *values, error=error)  # noqa: E731
                slopes: Seen = jax.jvp(run, list(map(jnp.asarray, inputs)), tangents)[1]
                return slopes

            return [_steady(*slopes) for slopes in _each(slope, jnp.asarray(_ERRORS))]

        steady = _each(at, places)
        return [
            _steps(result, port) for result, port in zip(steady, self._program.outputs, strict=True)
        ]


def _each(function: Callable[..., Any], rows: Any) -> Any:
    """Map a function over rows, all at once, or in turn where a primitive cannot be mapped."""
    try:
        return jax.vmap(function)(rows)
    except NotImplementedError:
        return lax.map(function, rows)


def _at_place(port: Port, number: int, place: Any) -> Any:
    """Return where an input is to change: in the step of `place`, if that is of this input."""
    here = place[0] == number
    if port.axis is None:
        return here
    steps = lax.broadcasted_iota(jnp.int32, port.shape, port.axis)
    return here & (steps == place[1])


def _tangent(value: Any, other: Any, here: Any) -> Any:
    if not jnp.issubdtype(jnp.asarray(value).dtype, jnp.inexact):
        return np.zeros(np.shape(value), jax.dtypes.float0)
    return jnp.where(here, jnp.asarray(other) - value, 0)


def _differ(plain: Any, wrong: Any, changed: Any) -> Any:
    """Say where values differ by more than errors can explain; infinities tell nothing."""
    if not jnp.issubdtype(plain.dtype, jnp.inexact):
        return (changed != plain) & (wrong == plain).all(0)
    noise = jnp.abs(wrong - plain).max(0)
    difference = jnp.abs(changed - plain)
    return (difference > 10 * noise) & jnp.isfinite(difference)


def _steady(plain: Any, more: Any, less: Any) -> Any:
    """Say where a derivative is not zero, and hardly changed by errors."""
    if plain.dtype == jax.dtypes.float0:
        return jnp.zeros(plain.shape, bool)
    moved = jnp.maximum(jnp.abs(more - plain), jnp.abs(less - plain))
    size = jnp.abs(plain)
    return (size > 0) & (moved < 1e-3 * size) & jnp.isfinite(size)


def _steps(found: Any, port: Port) -> Any:
    """(places, *shape) -> (places, steps): whether anything was found in a step."""
    rows = len(found)
    along = found if port.axis is None else jnp.moveaxis(found, port.axis + 1, 1)
    return along.reshape(rows, port.steps, -1).any(-1)


def _numbers(jaxpr: Jaxpr) -> int:
    """Return how many numbers all operations of a program give together, loops counted once."""
    return sum(map(_numbers_of, jaxpr.eqns))


def _numbers_of(equation: JaxprEqn) -> int:
    inner = [
        getattr(value, "jaxpr", value)
        for value in equation.params.values()
        if isinstance(getattr(value, "jaxpr", value), Jaxpr)
    ]
    results: list[Any] = [variable.aval for variable in equation.outvars]
    sizes: list[int] = [math.prod(result.shape) for result in results]
    return sum(sizes) + sum(map(_numbers, inner))
