"""Which output steps are seen to share one value of a weight.

Each output step has a derivative by each value of a weight; it is the same whether other steps use
that value too or have a copy of their own. A value by which two steps have one that is not zero is
shared: to change it changes both, and its gradient is a sum over both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import ContradictionError
from everystep.explanation.gradients import at_step, output_places
from everystep.explanation.program import Port, Program
from everystep.explanation.witnesses import compiled, double_precision, widened
from everystep.explanation.witnesses.draws import Sample, samples

# So many output steps are looked at, and fewer where that makes more than so many derivatives.
_MOST_STEPS = 8
_MOST_DERIVATIVES = 2**25
_AT_ONCE = 2**24
_DRAWS = 3
# A derivative counts that is far above rounding, next to outputs and weights of ordinary size.
_FLOOR = 1e-9


@dataclass(frozen=True)
class Tie:
    """What is seen of one weight.

    Args:
        steps: how many of the output steps that were looked at use one value of it, at most.
        of: how many of them may use it.
    """

    steps: int
    of: int

    @property
    def shared(self) -> bool:
        """Whether one value of the weight has been seen to make several output steps."""
        return self.steps > 1

    @property
    def whole(self) -> bool:
        """Whether one value has been seen to make every step that may use the weight."""
        return self.steps == self.of


def ties_of(program: Program, may_use: Sequence[Any]) -> list[Tie | None]:
    """Look for values of weights that make several output steps, at random weights and inputs.

    Shapes:
        may_use: bool (steps of all outputs,) for each weight.

    Args:
        program: the program.
        may_use: which output steps may use each weight; the search ends where one value of each
            makes all of them that are looked at. Of many steps a few are looked at.

    Returns:
        What is seen of each weight; None where nothing can be: of weights that do not hold numbers,
        and where JAX cannot take derivatives of the program backwards, as those of a loop that ends
        when data says so.

    Raises:
        ContradictionError: an output step uses a weight that it cannot, by `may_use`.

    Example:
        >>> import everystep as es, numpy as np
        >>> program = es.explain(es.layers.Dense(2), (None, 3, 2)).program
        >>> ties_of(program, [np.ones(3, bool)] * 2)
        [Tie(steps=3, of=3), Tie(steps=3, of=3)]
    """
    if not program.weights:
        return []
    search = _Search(program, np.asarray(may_use, bool))
    try:
        for sample in _samples(program):
            if search.complete:
                break
            search.look(sample)
    except (NotImplementedError, ValueError) as error:
        if isinstance(error, ValueError) and "Reverse-mode" not in str(error):
            raise
        return [None] * len(program.weights)
    return search.ties


def _samples(program: Program) -> Iterator[Sample]:
    """Draw inputs whose steps are all alike, so that all steps have one id, and then any."""
    first = next(samples(program))
    alike = [
        _all_as_first(value, port) for value, port in zip(first.inputs, program.inputs, strict=True)
    ]
    yield replace(first, inputs=alike)
    yield from islice(samples(program), _DRAWS)


def _all_as_first(value: Any, port: Port) -> Any:
    if port.axis is None or not port.steps:
        return value
    return np.repeat(np.take(value, [0], port.axis), port.steps, port.axis)


class _Search:
    """How many output steps one value of each weight has been seen to make."""

    def __init__(self, program: Program, may_use: Any) -> None:
        self._program = program
        values = [np.asarray(weight.value) for weight in program.weights]
        self._numbers = [
            number
            for number, value in enumerate(values)
            if jnp.issubdtype(value.dtype, jnp.inexact) and may_use[number].any()
        ]
        size = max(1, sum(values[number].size for number in self._numbers))
        places = np.array(output_places(program), np.int32).reshape(-1, 2)
        few = min(len(places), _MOST_STEPS, max(2, _MOST_DERIVATIVES // size))
        chosen = np.linspace(0, max(0, len(places) - 1), few).astype(int)
        self._places, self._may_use = places[chosen], may_use[:, chosen]
        self._at_once = max(1, min(few, _AT_ONCE // size))
        self._most = np.zeros(len(values), int)
        self._compiled: Callable[..., Any] | None = None

    @property
    def ties(self) -> list[Tie | None]:
        """What has been seen by now."""
        return [
            Tie(int(self._most[number]), int(self._may_use[number].sum()))
            if number in self._numbers
            else None
            for number in range(len(self._most))
        ]

    @property
    def complete(self) -> bool:
        """Whether there is nothing more to see."""
        return all(tie is None or tie.whole for tie in self.ties)

    def look(self, sample: Sample) -> None:
        """Take the derivatives of each output step at one draw of weights and inputs."""
        counts: list[Any] = [0] * len(self._numbers)
        for first in range(0, len(self._places), self._at_once):
            chosen = slice(first, first + self._at_once)
            found, used = self._found(sample, self._places[chosen])
            counts = [old + new for old, new in zip(counts, found, strict=True)]
            self._check(self._places[chosen], self._may_use[:, chosen][self._numbers], used)
        for number, count in zip(self._numbers, counts, strict=True):
            self._most[number] = max(self._most[number], np.max(count, initial=0))

    def _found(self, sample: Sample, places: Any) -> tuple[list[Any], Any]:
        """Return how many of some steps each value makes, and which weight makes which of them."""
        rows = np.full((self._at_once, 2), -1, np.int32)
        rows[: len(places)] = places
        random = np.random.default_rng(0)
        slopes = [random.standard_normal(port.shape) for port in self._program.outputs]
        arguments = sample.weights, sample.inputs, slopes, rows
        with double_precision():
            if self._compiled is None:
                self._compiled = compiled(self._derivatives, *arguments)
            counts, used = self._compiled(*arguments)
        return list(map(np.asarray, counts)), np.asarray(used)[:, : len(places)]

    def _derivatives(self, weights: Any, inputs: Any, slopes: Any, places: Any) -> Any:
        def run(chosen: list[Any]) -> list[Any]:
            new = dict(zip(self._numbers, chosen, strict=True))
            values = [new.get(number, value) for number, value in enumerate(weights)]
            return widened(self._program.jaxpr)(*values, *inputs)

        outputs, pull = jax.vjp(run, [weights[number] for number in self._numbers])
        slopes = list(map(_like, slopes, outputs))

        def at(place: Any) -> list[Any]:
            here = at_step(self._program.outputs, slopes, place)
            floor = _FLOOR * (1 + sum(map(_size, outputs, here)))
            return [jnp.abs(slope) > floor for slope in pull(here)[0]]

        nonzero = jax.vmap(at)(places)
        used = [array.reshape(len(places), -1).any(1) for array in nonzero]
        return [array.sum(0) for array in nonzero], jnp.stack(used)

    def _check(self, places: Any, may_use: Any, used: Any) -> None:
        for weight, which in np.argwhere(used & ~may_use):
            program, (output, step) = self._program, places[which]
            raise ContradictionError(
                f"a fault of everystep: in {program.name}, step {step} of "
                f"{program.outputs[output].name} has been seen to change with "
                f"'{program.weights[self._numbers[weight]].path}', which the reading of the "
                f"program had ruled out. Please report it with the model"
            )


def _like(slope: Any, output: Any) -> Any:
    """Return a cotangent of an output's kind."""
    if not jnp.issubdtype(output.dtype, jnp.inexact):
        return np.zeros(output.shape, jax.dtypes.float0)
    return slope.astype(output.dtype)


def _size(output: Any, slope: Any) -> Any:
    """Return how large an output is, as far as a cotangent looks at it."""
    return 0 if slope.dtype == jax.dtypes.float0 else jnp.abs(output * slope).sum()
