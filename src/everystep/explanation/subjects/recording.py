"""A recording: a traced model in which what the layers give that it calls can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax

from everystep.core import scope
from everystep.errors import EverystepError
from everystep.explanation.subjects.examples import Example
from everystep.layers.arguments import is_steps
from everystep.layers.symbolic import is_traced


class Output(NamedTuple):
    """One array that a call of a layer gives.

    Args:
        place: which output of the recording's jaxpr it is.
        number: which output of the layer it belongs to, as its values or as their segments.
        axis: which axis is time; None where the whole counts as one step.
    """

    place: int
    number: int
    axis: int | None


@dataclass(frozen=True)
class Call:
    """One call of a layer directly inside a model.

    Args:
        path: the layer's path.
        kind: its class.
        parameters: how many numbers its weights have.
        weights: the paths of its weights.
        outputs: the arrays that it gives.
    """

    path: str
    kind: str
    parameters: int
    weights: tuple[str, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Recording:
    """A traced model whose jaxpr gives what its calls give, instead of its own outputs.

    Args:
        jaxpr: takes each weight, then each input.
        weights: the path of each weight.
        inputs: which axis of each input is time.
        calls: the calls, in their order.
    """

    jaxpr: Any
    weights: tuple[str, ...]
    inputs: tuple[int | None, ...]
    calls: tuple[Call, ...]


def direct_calls(calls: Sequence[scope.Call]) -> list[scope.Call]:
    """Return the calls that the last one made itself; the last one where it made none."""
    found = []
    place, first = len(calls) - 2, calls[-1].before
    while place >= first:
        found.append(calls[place])
        place = calls[place].before - 1
    return found[::-1] or [calls[-1]]


def record(
    run: Callable[[Sequence[Any], Sequence[Example]], list[scope.Call]],
    specs_of: Callable[[Sequence[Example]], Sequence[Any]],
    examples: Sequence[Example],
    paths: Mapping[Any, str],
) -> Recording | None:
    """Trace a model; None where a layer is called inside of a transformation of the model's own.

    Args:
        run: runs the model on values of its weights and inputs, and returns its calls.
        specs_of: gives the shapes and dtypes of these.
        examples: what the inputs look like.
        paths: the path of each weight, in order.
    """
    calls: list[scope.Call] = []

    def outputs(examples: Sequence[Example], *arrays: Any) -> list[Any]:
        calls[:] = run(arrays, examples)
        return [array for call in calls for _, array in _arrays(call.outputs)]

    jaxpr, shapes = jax.make_jaxpr(partial(outputs, examples), return_shape=True)(
        *specs_of(examples)
    )
    if is_traced(jaxpr.consts):
        return None
    made = list(calls)
    try:
        more = larger(examples)
        grown: list[Any] = jax.eval_shape(partial(outputs, more), *specs_of(more))
    except (EverystepError, TypeError, ValueError):
        grown = [None] * len(shapes)
    places = iter(enumerate(zip(shapes, grown, strict=True)))
    axes = tuple(example.axis for example in examples)
    return Recording(
        jaxpr, tuple(paths.values()), axes, tuple(_call(call, places, paths) for call in made)
    )


def _call(
    call: scope.Call, places: Iterator[tuple[int, tuple[Any, Any]]], paths: Mapping[Any, str]
) -> Call:
    layer = call.layer
    outputs = []
    for number, _ in _arrays(call.outputs):
        place, (shape, larger) = next(places)
        outputs.append(Output(place, number, time_axis(shape, larger)))
    weights = tuple(paths[variable] for variable in layer.variables if variable in paths)
    return Call(layer.path, type(layer).__name__, layer.count_params(), weights, tuple(outputs))


def _arrays(outputs: Any) -> list[tuple[int, Any]]:
    """Return the arrays of a layer's outputs, each with the number of the output it is of."""
    found: list[tuple[int, Any]] = []
    for number, leaf in enumerate(jax.tree.leaves(outputs, is_leaf=is_steps)):
        found.extend((number, array) for array in jax.tree.leaves(leaf))
    return found


def larger(examples: Sequence[Example]) -> list[Example]:
    """Return examples of more steps, and without segments, which would be of too few."""
    return [
        replace(each.sized(2 * (each.steps or 0) + 8, None), segments=None) for each in examples
    ]


def time_axis(array: Any, larger: Any) -> int | None:
    """Return axis 1 where it is time: of rank 2 only where it is larger if there are more steps.

    Args:
        array: an array that a layer gives, or its shape and dtype.
        larger: the same for more steps, None where the layer does not take more.
    """
    rank = len(array.shape)
    grows = larger is not None and rank == 2 and array.shape[1] != larger.shape[1]
    return 1 if rank > 2 or grows else None
