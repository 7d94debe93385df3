"""A recording: a traced model in which what the layers give that it calls can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax

from everystep.core import scope
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.subject import shapes_of, traced_program
from everystep.layers.arguments import is_steps
from everystep.layers.symbolic import is_traced

# Outputs that follow from the steps are seen with twice as many steps, and so many more.
_MORE = 8


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
    paths: Mapping[int, str],
) -> Recording | None:
    """Trace a model; None where a layer is called inside of a transformation of the model's own.

    Args:
        run: runs the model on values of its weights and inputs, and returns its calls.
        specs_of: gives the shapes and dtypes of these.
        examples: what the inputs look like.
        paths: the path of each weight, in order, by its `id`.
    """
    calls: list[scope.Call] = []

    def outputs(examples: Sequence[Example], *arrays: Any) -> list[Any]:
        calls[:] = run(arrays, examples)
        return [array for call in calls for _, array in _arrays(call.outputs)]

    jaxpr, shapes = traced_program(partial(outputs, examples), specs_of(examples))
    if is_traced(jaxpr.consts):
        return None
    made = list(calls)
    axes = enumerate(time_axes(shapes, lambda more: partial(outputs, more), specs_of, examples))
    return Recording(
        jaxpr,
        tuple(paths.values()),
        tuple(example.axis for example in examples),
        tuple(_call(call, axes, paths) for call in made),
    )


def _call(
    call: scope.Call, axes: Iterator[tuple[int, int | None]], paths: Mapping[int, str]
) -> Call:
    layer = call.layer
    outputs = []
    for number, _ in _arrays(call.outputs):
        place, axis = next(axes)
        outputs.append(Output(place, number, axis))
    weights = tuple(paths[id(each)] for each in layer.variables if id(each) in paths)
    return Call(layer.path, type(layer).__name__, layer.count_params(), weights, tuple(outputs))


def _arrays(outputs: Any) -> list[tuple[int, Any]]:
    """Return the arrays of a layer's outputs, each with the number of the output it is of."""
    found: list[tuple[int, Any]] = []
    for number, leaf in enumerate(jax.tree.leaves(outputs, is_leaf=is_steps)):
        found.extend((number, array) for array in jax.tree.leaves(leaf))
    return found


def time_axes(
    arrays: Sequence[Any],
    function: Callable[[Sequence[Example]], Callable[..., Any]],
    specs_of: Callable[[Sequence[Example]], Sequence[Any]],
    examples: Sequence[Example],
) -> list[int | None]:
    """Return axis 1 where it is time: of rank 2 only where it grows with the steps, and no faster.

    What grows faster is a vector of the features of all steps, as `Flatten` gives it.

    Args:
        arrays: what a layer gives, or its shapes and dtypes.
        function: gives the function of weights and inputs for examples of them.
        specs_of: gives the shapes and dtypes of these.
        examples: what its inputs look like.
    """
    axes = [1 if len(array.shape) > 2 else None for array in arrays]
    flat = [number for number, array in enumerate(arrays) if len(array.shape) == 2]
    if not flat:
        return axes
    larger = [each.resized(2 * (each.steps or 0) + _MORE) for each in examples]
    found = shapes_of(function(larger), specs_of(larger))
    # What takes this number of steps alone does not show what follows from it.
    if isinstance(found, Exception):
        return axes
    grown = jax.tree.leaves(found, is_leaf=is_steps)
    most = max((example.steps or 0 for example in examples), default=0) + _MORE
    for number in flat:
        if 0 < grown[number].shape[1] - arrays[number].shape[1] <= most:
            axes[number] = 1
    return axes
