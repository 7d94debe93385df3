"""`explain`: the way from something and examples of its inputs to its explanation."""

from __future__ import annotations

from typing import Any

from everystep.explanation.explanation import Explanation
from everystep.explanation.subjects import subject_of
from everystep.explanation.subjects.examples import AXES
from everystep.kinds import checked


@checked(input_axis=AXES, output_axis=AXES)
def explain(
    thing: Any, *examples: Any, steps: int | None = None, input_axis: Any = 1, output_axis: Any = 1
) -> Explanation:
    """Say which output steps read which input steps, and what follows from that.

    The answer has two bounds. `depends` is read off the traced program, by following data through
    it: where it says False, the output step cannot depend on the input step, whatever the weights.
    `witnessed` is seen: where it says True, weights and inputs have been found for which changing
    that one input step changes the output step. Layers and models are explained in inference mode.

    Shapes: examples have a batch axis first, `(None, 4, 3)`; maps are `(steps_out, steps_in)`.

    Args:
        thing: a layer or model of everystep, built or not; a layer or model of Keras 3 that is in
            memory, on the JAX backend; or a function of JAX arrays. What a function holds besides,
            such as arrays, is constant.
        *examples: what the inputs look like, one for each, or a tree of them: a shape with None
            where any size will do, an array, `Steps` (whose segments then are constant), a
            `jax.ShapeDtypeStruct`, or a symbol. None are needed where a model knows its input.
        steps: the number of steps; by default that of the examples, or of the model, or 4.
        input_axis: which axis of the inputs is time, or a list with one for each; None: the whole
            input counts as one step.
        output_axis: the same of the outputs. Of a layer or model the usual 1 means: where that is
            time, so that a vector of features counts as one step.

    Returns:
        The explanation; all but `depends` is worked out when it is asked for.

    Raises:
        SettingError: the thing is nothing of these, Keras runs on another backend, or `steps` is
            not a positive integer.
        DataError: there are too few examples, or one says nothing of an input.
        ShapeError: a function's input or output has no such axis, or the thing does not take inputs
            of these shapes, or so many steps.

    Example:
        >>> import everystep as es
        >>> es.explain(es.layers.LSTM(5, return_sequences=True), (None, 4, 3)).depends.astype(int)
        array([[1, 0, 0, 0],
               [1, 1, 0, 0],
               [1, 1, 1, 0],
               [1, 1, 1, 1]])
        >>> r = es.explain(lambda x: x[:, ::-1], (1, 4, 3))
        >>> r.stepwise, r.causal, r.exact
        (False, False, True)
    """
    subject = subject_of(thing, examples, input_axis, output_axis)
    return Explanation(subject, subject.steps_for(steps))
