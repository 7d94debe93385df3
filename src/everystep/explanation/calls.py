"""The calls of layers inside a model: what each one reads of what was there before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from everystep.explanation.maps import Grid, Source, read
from everystep.explanation.program import Port, Program, Weight
from everystep.explanation.subjects.recording import Call, Recording
from everystep.explanation.uses import WeightUse, uses_of


@dataclass(frozen=True)
class CallReads:
    """What one call of a layer reads.

    Args:
        call: the call.
        shape: the shape of its first output.
        steps: how many steps that has; 1 where the whole counts as one.
        sources: what it reads: the number of a call before it, or -1 - k for the input k.
        depends: for each source, which steps of the output read which steps of the source.
        uses: for each weight of the layer, which of these steps use it.
    """

    call: Call
    shape: tuple[int, ...]
    steps: int
    sources: list[int]
    depends: list[Grid]
    uses: list[WeightUse]


class _Given(NamedTuple):
    """An array that a call may read: which source it is of, its time axis, the source's steps."""

    source: int
    axis: int | None
    steps: int


def calls_read(recording: Recording) -> list[CallReads]:
    """Return what each call reads of the inputs and of the calls before it.

    What stands between two calls, such as a sum, counts as part of the later one. The steps of a
    call are those of its first output; what it gives besides and has no steps, such as a state,
    stands at the last of them.

    Args:
        recording: the traced model, in whose jaxpr the outputs of the calls can be seen.
    """
    jaxpr = recording.jaxpr.jaxpr
    given: dict[Any, _Given] = {}
    inputs = jaxpr.invars[len(jaxpr.invars) - len(recording.inputs) :]
    for number, (variable, axis) in enumerate(zip(inputs, recording.inputs, strict=True)):
        given[variable] = _Given(-1 - number, axis, _size(variable, axis))
    found = []
    for number, call in enumerate(recording.calls):
        first = call.outputs[0]
        values = jaxpr.outvars[first.place]
        found.append(_reads(recording, call, given, _size(values, first.axis)))
        for output in call.outputs:
            variable = jaxpr.outvars[output.place]
            if not isinstance(variable, Literal):
                given[variable] = _Given(number, output.axis, found[-1].steps)
    return found


def _reads(recording: Recording, call: Call, given: Mapping[Any, _Given], steps: int) -> CallReads:
    """Return what a call's first output, and its segments, read."""
    jaxpr = recording.jaxpr.jaxpr
    first = call.outputs[0]
    outputs = [output for output in call.outputs if output.number == first.number]
    part = _part(jaxpr, given, [jaxpr.outvars[output.place] for output in outputs])
    # Steps of one source are the same bits in all of its arrays.
    sizes = {given[v].source: given[v].steps for v in part.invars if v in given}
    sources = sorted(sizes, key=lambda source: (source < 0, abs(source)))
    firsts, count = {}, 0
    for source in sources:
        firsts[source] = count
        count += sizes[source]

    def source_of(variable: Any) -> Source:
        if variable not in given:
            return Source()
        source, axis, size = given[variable]
        return Source(axis, firsts[source] + (size - 1 if axis is None else 0))

    reading = read(ClosedJaxpr(part, recording.jaxpr.consts), list(map(source_of, part.invars)))
    along = [
        facts.reads_along(output.axis, count)
        for output, facts in zip(outputs, reading.outputs, strict=True)
    ]
    whole = reduce(np.logical_or, along)
    return CallReads(
        call,
        tuple(jaxpr.outvars[first.place].aval.shape),
        steps,
        sources,
        [whole[:, firsts[each] : firsts[each] + sizes[each]] for each in sources],
        _uses(recording, call, given),
    )


def _uses(recording: Recording, call: Call, given: Mapping[Any, Any]) -> list[WeightUse]:
    """Return how the steps of a call's first output use the layer's weights."""
    jaxpr = recording.jaxpr.jaxpr
    first = call.outputs[0]
    made = jaxpr.outvars[first.place]
    part = _part(jaxpr, given, [made])
    variables = dict(zip(recording.weights, jaxpr.invars, strict=False))
    weights = [variables[path] for path in call.weights]
    others = [variable for variable in part.invars if variable not in weights]
    reordered: Jaxpr = part.replace(invars=[*weights, *others])  # type: ignore[no-untyped-call]
    return uses_of(
        Program(
            name=call.path,
            jaxpr=ClosedJaxpr(reordered, recording.jaxpr.consts),
            weights=tuple(
                Weight(path, variable.aval)
                for path, variable in zip(call.weights, weights, strict=True)
            ),
            inputs=tuple(_port(variable, None) for variable in others),
            outputs=(_port(made, first.axis),),
        )
    )


def _port(variable: Any, axis: int | None) -> Port:
    return Port("", tuple(variable.aval.shape), variable.aval.dtype, axis)


def _part(jaxpr: Jaxpr, given: Mapping[Any, Any], outputs: list[Any]) -> Jaxpr:
    """Return the part of a jaxpr that leads to some of its variables from those that are given."""
    wanted = dict.fromkeys(_variables(outputs))
    kept = []
    for equation in reversed(jaxpr.eqns):
        made = wanted.keys() & equation.outvars
        if made - given.keys():
            kept.append(equation)
            wanted |= dict.fromkeys(_variables(equation.invars))
    made = {each for equation in kept for each in equation.outvars} - given.keys()
    taken = [each for each in wanted if each not in made and each not in jaxpr.constvars]
    part: Jaxpr = jaxpr.replace(  # type: ignore[no-untyped-call]
        invars=taken, outvars=outputs, eqns=kept[::-1]
    )
    return part


def _variables(atoms: Iterable[Any]) -> list[Any]:
    return [each for each in atoms if not isinstance(each, Literal)]


def _size(variable: Any, axis: int | None) -> int:
    return 1 if axis is None else int(variable.aval.shape[axis])
