"""What layers and models have in common, ours and Keras's: rows of steps, and a batch of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from everystep.explanation.subjects.axes import chosen_axes
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.recording import time_axes
from everystep.explanation.subjects.subject import Inputs, Subject

STEPS_AXIS = 1

MODES = frozenset({"training", "mask"})
"""Arguments of a layer's call that are no inputs."""


class Layered(Subject):
    """A layer or model, which keeps its steps on axis 1.

    Attributes:
        output_axis: which axis of the outputs is time, in place of axis 1.
    """

    output_axis: Any = STEPS_AXIS

    def output_axes(
        self, outputs: list[Any], names: list[str], examples: Sequence[Example]
    ) -> list[int | None]:
        """Return axis 1 where it is time: in rank 2 only if its size follows from the steps."""
        if self.output_axis != STEPS_AXIS:
            return chosen_axes(self, self.output_axis, names, outputs, "output_axis")
        return time_axes(outputs, self.function, self.specs_of, examples)


def with_axes(
    subject: Subject, inputs: Inputs, own: Sequence[Any] | None, dtypes: Sequence[Any], axis: Any
) -> Inputs:
    """Return inputs of a layer that know which axis is time, and which dtype they have.

    Axis 1 is, but of an input of rank 2 only where it holds ids or its size is open: else that is
    taken for features.

    Args:
        subject: the layer.
        inputs: the inputs.
        own: the shape of each as the layer knows it, or None.
        dtypes: the dtype that the layer expects of each.
        axis: what the caller said: 1, which stands for this rule, or which axis it is.
    """
    if axis != STEPS_AXIS:
        axes = chosen_axes(subject, axis, inputs.names, inputs.examples, "input_axis")
    else:
        shapes = own or [example.shape for example in inputs.examples]
        axes = [*map(_steps_axis, inputs.examples, shapes, dtypes)]
    examples = [
        replace(
            example,
            # One row, or as many as the layer needs, whatever the example has.
            shape=example.shape if axis == 0 else (None, *example.shape[1:]),
            axis=axis,
            dtype=dtype if example.dtype is None else example.dtype,
        )
        for example, axis, dtype in zip(inputs.examples, axes, dtypes, strict=True)
    ]
    return replace(inputs, examples=tuple(examples))


def _steps_axis(example: Example, shape: Any, dtype: Any) -> int | None:
    """Return axis 1 where it is time, of an example for an input of this shape and dtype."""
    whole = replace(example, dtype=dtype if example.dtype is None else example.dtype).whole_numbers
    open_size = len(shape) > 1 and None in (shape[1], *example.shape[1:2])
    rank = len(example.shape)
    return STEPS_AXIS if rank > 2 or (rank == 2 and (open_size or whole)) else None


def arguments_of(examples: tuple[Any, ...], places: Sequence[str]) -> tuple[Any, ...]:
    """Return what each argument of a call gets: several inputs of one argument are its list."""
    return examples if len(examples) <= max(1, len(places)) else ([*examples],)


def numbered(names: Sequence[str]) -> list[str]:
    """Return names, with a number behind each that came before.

    >>> numbered(["a", "b", "a"])
    ['a', 'b', 'a_1']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        found.append(f"{name}_{count}" if count else name)
    return found
