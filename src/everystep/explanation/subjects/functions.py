"""JAX functions as subjects: arrays with a time axis in, arrays with a time axis out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax

from everystep.core.defaults import floatx
from everystep.errors import DataError
from everystep.explanation.program import Weight
from everystep.explanation.subjects.axes import chosen_axes
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.subject import Inputs, Subject, Traced, trace


class FunctionSubject(Subject):
    """A function of JAX arrays; arrays that it holds itself are constants.

    Args:
        function: the function.
        examples: one for each of its arguments, each an example or a tree of examples.
        input_axis: which axis of the inputs is time, or a list with one for each; None: the whole
            counts as one step.
        output_axis: the same of the outputs.

    Raises:
        DataError: there are fewer or more examples than the function has arguments.
        ShapeError: an input has no such axis.
    """

    weights: tuple[Weight, ...] = ()
    parameters = 0
    batch = 1

    def __init__(
        self,
        function: Callable[..., Any],
        examples: tuple[Any, ...],
        input_axis: Any,
        output_axis: Any,
    ) -> None:
        self._function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self.kind = "function"
        self._output_axis = output_axis
        inputs = Inputs.of(examples, _parameters(self.name, function, examples))
        axes = chosen_axes(self, input_axis, inputs.names, inputs.examples, "input_axis")
        timed = zip(inputs.examples, axes, strict=True)
        self.inputs = replace(
            inputs, examples=tuple(replace(example, axis=axis) for example, axis in timed)
        )

    def dtype_of(self, example: Example) -> Any:
        """Return the dtype of an input: its own, or the usual one."""
        return jax.dtypes.canonicalize_dtype(floatx() if example.dtype is None else example.dtype)

    def function(self, examples: Sequence[Example]) -> Callable[..., Any]:
        """Return the function of the inputs that gives the tree of outputs."""
        return lambda *arrays: self._function(*self.given(arrays, examples))

    def traced(self, examples: Sequence[Example]) -> Traced:
        """Trace the function."""
        found = trace(self.function(examples), self.specs_of(examples))
        return found._replace(values=[example.values for example in examples])

    def output_axes(
        self, outputs: list[Any], names: list[str], examples: Sequence[Example]
    ) -> list[int | None]:
        """Return which axis of each output is time.

        Raises:
            ShapeError: an output has no such axis.
        """
        return chosen_axes(self, self._output_axis, names, outputs, "output_axis")


def _parameters(name: str, function: Callable[..., Any], examples: tuple[Any, ...]) -> list[str]:
    """Return the names of the arguments, after seeing that there is an example for each.

    Raises:
        DataError: there is not.
    """
    if not examples:
        raise DataError(
            f"function '{name}' does not say what its inputs look like: give an example for each, "
            f"such as everystep.explain({name}, (1, 4, 3))"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:
        # Functions that are not written in Python do not say what they take.
        return []
    try:
        return list(signature.bind(*examples).arguments)
    except TypeError as error:
        raise DataError(
            f"function '{name}' was given {len(examples)} examples: {error}. Give one for each of "
            "its arguments"
        ) from error
