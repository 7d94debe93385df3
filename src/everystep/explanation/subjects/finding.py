"""What kind of subject something is."""

from __future__ import annotations

from typing import Any

from everystep.errors import SettingError
from everystep.explanation.subjects.functions import FunctionSubject
from everystep.explanation.subjects.keras_layers import KerasSubject, is_of_keras
from everystep.explanation.subjects.layers import LayerSubject
from everystep.explanation.subjects.subject import Subject
from everystep.kinds import shown
from everystep.layers import Layer


def subject_of(
    thing: Any, examples: tuple[Any, ...], input_axis: Any = 1, output_axis: Any = 1
) -> Subject:
    """Return something as a subject.

    Args:
        thing: a layer or model of everystep, one of Keras 3 on JAX, or a function of JAX arrays.
        examples: what its inputs look like.
        input_axis: which axis of the inputs is time, or a list with one for each.
        output_axis: the same of the outputs.

    Raises:
        SettingError: it is nothing of these, or Keras runs on another backend.
        DataError: the examples are too few, too many, or say nothing of an input.
        ShapeError: an input has no such axis.
    """
    if isinstance(thing, Layer):
        return LayerSubject(thing, examples, input_axis, output_axis)
    if is_of_keras(thing):
        return KerasSubject(thing, examples, input_axis, output_axis)
    if callable(thing) and not isinstance(thing, type):
        return FunctionSubject(thing, examples, input_axis, output_axis)
    made = f"the class {thing.__name__}" if isinstance(thing, type) else shown(thing)
    raise SettingError(
        "everystep explains layers and models of everystep, those of Keras 3 on JAX, and functions "
        f"of JAX arrays, not {made} of type {type(thing).__name__}: make a layer of it, or write "
        "a function"
    )
