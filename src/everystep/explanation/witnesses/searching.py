"""The search for witnesses: changes first, then derivatives, until all that can be seen is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from time import monotonic
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import ContradictionError
from everystep.explanation.program import Program
from everystep.explanation.witnesses.compiling import compiled, double_precision
from everystep.explanation.witnesses.draws import Sample, samples
from everystep.explanation.witnesses.trials import Place, Seen, Trials
from everystep.explanation.witnesses.widening import widened

# Derivatives are asked for at so many draws.
_SLOPES = 3


@dataclass(frozen=True)
class Witness:
    """Weights and inputs that show that an output step reads an input step.

    Args:
        weights: a value for each weight, by path.
        before: a value for each input.
        after: the same, but for the one step of the one input.
        output_before: the output that `before` gives, in double precision.
        output_after: the output that `after` gives.
        derivative: where the two outputs differ by less than can be told from rounding, the
            derivative of the output at `before`, towards `after`; else None.
    """

    weights: dict[str, Any]
    before: list[Any]
    after: list[Any]
    output_before: Any
    output_after: Any
    derivative: Any | None


def find_witnesses(
    program: Program, depends: Sequence[Any], seconds: float = 10.0
) -> list[np.ndarray[Any, np.dtype[np.bool_]]]:
    """Change input steps, one at a time, and say which output steps are seen to change.

    Shapes:
        depends: bool (steps of the output, steps of the input) for each pair of an output and an
            input, outputs outermost; the result is like it.

    Units:
        seconds: seconds.

    Args:
        program: the program.
        depends: what may be seen; the search ends when all of it has been.
        seconds: when to give up; what has been seen by then is given back.

    Returns:
        For each pair, where a change has been seen: over several draws of weights and inputs, in
        double precision, helped by derivatives where the change is too small.

    Raises:
        ContradictionError: a step changes that cannot, by `depends`.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> from everystep.explanation.program import Port, Program
        >>> jaxpr = jax.make_jaxpr(lambda x: [jnp.cumsum(x, axis=1)])(jnp.zeros((1, 3)))
        >>> port = Port("x", (1, 3), jnp.float32, axis=1)
        >>> program = Program("sum", jaxpr, (), (port,), (port,))
        >>> find_witnesses(program, [np.tri(3, dtype=bool)])[0].astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    pairs = list(product(range(len(program.outputs)), range(len(program.inputs))))
    allowed = {pair: np.asarray(map_, bool) for pair, map_ in zip(pairs, depends, strict=True)}
    witnessed = {pair: np.zeros_like(map_) for pair, map_ in allowed.items()}

    def missing() -> list[Place]:
        places = {
            (of_input, int(step))
            for (output, of_input), map_ in allowed.items()
            for step in np.flatnonzero((map_ & ~witnessed[output, of_input]).any(0))
        }
        return sorted(places)

    for look in _looks(program, missing, seconds):
        for output, seen in enumerate(look.seen):
            for (of_input, step), steps in zip(look.places, seen, strict=True):
                witnessed[output, of_input][:, step] |= steps
                wrong = np.flatnonzero(steps & ~allowed[output, of_input][:, step])
                if wrong.size:
                    raise _contradiction(program, output, int(wrong[0]), of_input, step)
    return [witnessed[pair] for pair in pairs]


def witness_of(
    program: Program,
    output: int,
    step_out: int,
    of_input: int,
    step_in: int,
    seconds: float = 10.0,
) -> Witness | None:
    """Search weights and inputs that show that one output step reads one input step.

    Units:
        seconds: seconds.

    Args:
        program: the program.
        output: the number of the output.
        step_out: a step of it.
        of_input: the number of the input.
        step_in: a step of it.
        seconds: when to give up.

    Returns:
        The first that `find_witnesses` meets, or None where it meets none.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from everystep.explanation.program import Port, Program
        >>> jaxpr = jax.make_jaxpr(lambda x: [x[:, ::-1] > 0])(jnp.zeros((1, 3)))
        >>> ports = [Port("x", (1, 3), dtype, axis=1) for dtype in (jnp.float32, jnp.bool_)]
        >>> program = Program("sign", jaxpr, (), (ports[0],), (ports[1],))
        >>> shown = witness_of(program, 0, 0, 0, 2)
        >>> (shown.output_before != shown.output_after).tolist()
        [[True, False, False]]
        >>> witness_of(program, 0, 0, 0, 1) is None
        True
    """
    place = (of_input, step_in)
    for look in _looks(program, lambda: [place], seconds):
        if look.seen[output][0, step_out]:
            return _shown(program, output, look, place)
    return None


class _Look(NamedTuple):
    """What one run has shown: for each output and place, which steps changed."""

    sample: Sample
    places: Sequence[Place]
    seen: Seen
    by_slope: bool


def _looks(program: Program, missing: Callable[[], list[Place]], seconds: float) -> Iterator[_Look]:
    """Try what is missing at each draw in turn, first by changes, then by derivatives."""
    end = monotonic() + seconds
    trials = Trials(program)
    differentiable = any(_is_real(port.dtype) for port in program.inputs)
    ways = [(trials.changes, None), (trials.slopes, _SLOPES if differentiable else 0)]
    for by_slope, (way, draws) in enumerate(ways):
        for sample in islice(samples(program, trials.rounds), draws):
            places = missing()
            if not places:
                return
            for first in range(0, len(places), trials.places):
                if monotonic() > end:
                    return
                some = places[first : first + trials.places]
                yield _Look(sample, some, way(sample, some), bool(by_slope))


def _is_real(dtype: Any) -> bool:
    return bool(jnp.issubdtype(dtype, jnp.inexact))


def _shown(program: Program, output: int, look: _Look, place: Place) -> Witness:
    sample, (of_input, step) = look.sample, place
    port = program.inputs[of_input]
    after = [np.array(value) for value in sample.inputs]
    at = ... if port.axis is None else (slice(None),) * port.axis + (step,)
    after[of_input][at] = sample.others[of_input][at]

    def run(weights: Any, *inputs: Any) -> Any:
        return widened(program.jaxpr)(*weights, *inputs)[output]

    def both(weights: Any, before: Any, other: Any) -> Any:
        results = run(weights, *before), run(weights, *other)
        if not look.by_slope:
            return *results, None
        tangents = [_direction(old, new) for old, new in zip(before, other, strict=True)]
        return *results, jax.jvp(lambda *inputs: run(weights, *inputs), before, tangents)[1]

    with double_precision():
        arguments = sample.weights, list(map(jnp.asarray, sample.inputs)), after
        shown = compiled(both, *arguments)(*arguments)
    weights = {
        weight.path: value for weight, value in zip(program.weights, sample.weights, strict=True)
    }
    before = [np.asarray(value) for value in sample.inputs]
    output_before, output_after, derivative = jax.tree.map(np.asarray, shown)
    return Witness(weights, before, after, output_before, output_after, derivative)


def _direction(before: Any, after: Any) -> Any:
    if not _is_real(before.dtype):
        return np.zeros(before.shape, jax.dtypes.float0)
    return after - before


def _contradiction(
    program: Program, output: int, step_out: int, of_input: int, step_in: int
) -> ContradictionError:
    return ContradictionError(
        f"a fault of everystep: in {program.name}, step {step_out} of "
        f"{program.outputs[output].name} has been seen to change with step {step_in} of "
        f"{program.inputs[of_input].name}, which the reading of the program had ruled out. Please "
        f"report it with the model"
    )
