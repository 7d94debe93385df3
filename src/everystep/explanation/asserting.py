"""Assertions for tests of one's own models: that no step sees the future, or any other step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from everystep.errors import ExplanationError
from everystep.explanation.explaining import explain
from everystep.explanation.explanation import Explanation
from everystep.explanation.maps import Grid, is_stepwise, places
from everystep.explanation.program import Port
from everystep.explanation.subjects.examples import AXES
from everystep.explanation.witnesses import Witness, witness_of
from everystep.kinds import checked

# A model that takes any number of steps is looked at with so many more, as it may look far ahead.
_TIMES = 4
# So many pairs are tried one after another until one is seen.
_TRIES = 3


@checked(input_axis=AXES, output_axis=AXES)
def assert_causal(
    thing: Any, *examples: Any, steps: int | None = None, input_axis: Any = 1, output_axis: Any = 1
) -> None:
    """Fail unless no output step depends on an input step behind its place.

    Where that holds it is proven, for all weights and inputs. What takes any number of steps is
    looked at with more steps too.

    Args:
        thing: a layer, a model or a function, as `explain` takes it.
        *examples: what its inputs look like, as there.
        steps: the number of steps, as there.
        input_axis: which axis of the inputs is time, as there.
        output_axis: the same of the outputs.

    Raises:
        ExplanationError: it does not hold, which the message shows by inputs and outputs, or could
            not be proven. It is an `AssertionError`.

    Example:
        >>> import everystep as es
        >>> es.assert_causal(es.layers.Conv1D(5, 3, padding="causal"), (None, 4, 2))
        >>> es.assert_causal(es.layers.Conv1D(5, 3, padding="same"), (None, 4, 2))
        Traceback (most recent call last):
        ...
        everystep.errors.ExplanationError: Conv1D ... is not causal: step 0 of outputs (of 4) ...
    """
    _assert(
        "causal",
        _behind,
        explain(thing, *examples, steps=steps, input_axis=input_axis, output_axis=output_axis),
    )


@checked(input_axis=AXES, output_axis=AXES)
def assert_stepwise(
    thing: Any, *examples: Any, steps: int | None = None, input_axis: Any = 1, output_axis: Any = 1
) -> None:
    """Fail unless each output step depends on the input step of its own place alone.

    Where that holds it is proven, for all weights and inputs. What takes any number of steps is
    looked at with more steps too.

    Args:
        thing: a layer, a model or a function, as `explain` takes it.
        *examples: what its inputs look like, as there.
        steps: the number of steps, as there.
        input_axis: which axis of the inputs is time, as there.
        output_axis: the same of the outputs.

    Raises:
        ExplanationError: it does not hold, which the message shows by inputs and outputs, or could
            not be proven. It is an `AssertionError`.

    Example:
        >>> import everystep as es
        >>> es.assert_stepwise(es.layers.TimeDistributed(es.layers.Dense(5)), (None, 4, 2))
    """
    _assert(
        "step-wise",
        _others,
        explain(thing, *examples, steps=steps, input_axis=input_axis, output_axis=output_axis),
    )


def _behind(depends: Grid) -> Grid:
    """Return which pairs look behind the place of the output step."""
    steps_out, steps_in = depends.shape
    later: Grid = np.arange(steps_in) > places(steps_out, steps_in)[:, None]
    return depends & later


def _others(depends: Grid) -> Grid:
    """Return which pairs are not of one place."""
    if is_stepwise(depends):
        return np.zeros_like(depends)
    steps_out, steps_in = depends.shape
    own: Grid = np.arange(steps_in) == places(steps_out, steps_in)[:, None]
    others = depends & ~own
    # Where there are more input steps than output steps, all that is read is too much.
    return others if others.any() else depends


def _assert(what: str, wrong: Callable[[Grid], Grid], r: Explanation) -> None:
    _assert_at(what, wrong, r)
    if r.any_length:
        _assert_at(what, wrong, r.longer(_TIMES))


def _assert_at(what: str, wrong: Callable[[Grid], Grid], r: Explanation) -> None:
    pairs = [
        (output, int(step_out), of_input, int(step_in))
        for output, maps in enumerate(r.upper_maps)
        for of_input, depends in enumerate(maps)
        for step_out, step_in in np.argwhere(wrong(depends))
    ]
    for pair in pairs[:_TRIES]:
        witness = witness_of(r.program, *pair)
        if witness is not None:
            raise ExplanationError(
                f"{r.kind} '{r.name}' is not {what}: {_named(r, pair)}. {_shown(r, pair, witness)}"
            )
    if pairs:
        rests = (
            f" It rests on what was not understood: {', '.join(r.unknown)}." if r.unknown else ""
        )
        raise ExplanationError(
            f"{r.kind} '{r.name}' could not be proven to be {what}: by its program, "
            f"{_named(r, pairs[0], 'may read')}, but no change of it was seen.{rests}"
        )


def _named(r: Explanation, pair: tuple[int, int, int, int], verb: str = "reads") -> str:
    output, step_out, of_input, step_in = pair
    made, given = r.program.outputs[output], r.program.inputs[of_input]
    return (
        f"step {step_out} of {made.name} (of {made.steps}) {verb} step {step_in} of {given.name} "
        f"(of {given.steps})"
    )


def _shown(r: Explanation, pair: tuple[int, int, int, int], witness: Witness) -> str:
    """Say which change of the input changed the output, and how."""
    output, step_out, of_input, step_in = pair
    given, made = r.program.inputs[of_input], r.program.outputs[output]
    before, after = (
        _at(given, each[of_input], step_in) for each in (witness.before, witness.after)
    )
    first, then = (
        _at(made, each, step_out) for each in (witness.output_before, witness.output_after)
    )
    slope = ""
    if witness.derivative is not None:
        slope = (
            f", by less than rounding; its derivative is {_at(made, witness.derivative, step_out)}"
        )
    return (
        f"With random weights and inputs, when {given.name}[{step_in}] goes from {before} to "
        f"{after}, {made.name}[{step_out}] goes from {first} to {then}{slope}"
    )


def _at(port: Port, array: Any, step: int) -> str:
    """Return what an array holds at a step, in the first row."""
    array = np.asarray(array)
    values = array if port.axis is None else np.take(array, step, axis=port.axis)
    row = values[0] if values.ndim and port.axis not in (0, None) else values
    return np.array2string(row.ravel(), precision=4, threshold=6, edgeitems=3)
