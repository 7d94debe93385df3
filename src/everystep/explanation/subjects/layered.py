"""What layers and models have in common, ours and Keras's: rows of steps, and a batch of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax

from everystep.errors import DataError
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.recording import larger, time_axes
from everystep.explanation.subjects.subject import Inputs, Subject
from everystep.layers.arguments import is_steps

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
            return chosen_axes(self.output_axis, len(outputs), "output_axis")
        grown: list[Any] = [None] * len(outputs)
        if any(len(output.shape) == 2 for output in outputs):
            more = larger(examples)
            try:
                tree = jax.eval_shape(self.function(more), *self.specs_of(more))
                grown = jax.tree.leaves(tree, is_leaf=is_steps)
            # It takes this number of steps alone, so nothing shows what follows from it.
            except Exception:
                pass
        return time_axes(outputs, grown, examples)


def with_axes(
    inputs: Inputs, own: Sequence[Any] | None, dtypes: Sequence[Any], axis: Any
) -> Inputs:
    """Return inputs of a layer that know which axis is time.

    Axis 1 is, but of an input of rank 2 only where it holds ids or its size is open: else that is
    taken for features.

    Args:
        inputs: the inputs.
        own: the shape of each as the layer knows it, or None.
        dtypes: the dtype that the layer expects of each.
        axis: what the caller said: 1, which stands for this rule, or which axis it is.
    """
    if axis != STEPS_AXIS:
        axes = chosen_axes(axis, len(inputs.examples), "input_axis")
        examples = [
            replace(example, axis=own, dtype=dtype if example.dtype is None else example.dtype)
            for example, own, dtype in zip(inputs.examples, axes, dtypes, strict=True)
        ]
        return replace(inputs, examples=tuple(map(_any_rows, examples)))
    shapes = own or [example.shape for example in inputs.examples]

    def timed(example: Example, shape: Any, dtype: Any) -> Example:
        example = replace(example, dtype=dtype if example.dtype is None else example.dtype)
        open_size = len(shape) > 1 and None in (shape[1], example.shape[1])
        steps = len(example.shape) > 2 or (
            len(example.shape) == 2 and (open_size or example.whole_numbers)
        )
        return replace(example, axis=STEPS_AXIS if steps else None)

    examples = [*map(timed, inputs.examples, shapes, dtypes)]
    return replace(inputs, examples=tuple(map(_any_rows, examples)))


def _any_rows(example: Example) -> Example:
    """Return an example that says nothing of the batch."""
    return example if example.axis == 0 else replace(example, shape=(None, *example.shape[1:]))


def chosen_axes(axis: Any, count: int, setting: str) -> list[int | None]:
    """Return the axis of time of each of so many arrays: one for all, or a list with one for each.

    Raises:
        DataError: there is not one for each, or one is neither an integer nor None.
    """
    axes = list(axis) if isinstance(axis, list | tuple) else [axis] * count
    if len(axes) != count or not all(one is None or isinstance(one, int) for one in axes):
        raise DataError(
            f"{setting} must be an integer, None, or a list with one of these for each of "
            f"{count} arrays, not {axis!r}"
        )
    return axes


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
