"""The layers that are a function without weights: Identity, Masking, and Lambda for one's own."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.core.registry import deserialize, serialize
from everystep.core.scope import padding_is_given
from everystep.core.settings import setting
from everystep.errors import SegmentsError
from everystep.kinds import Kind
from everystep.layers import arguments
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec


class Identity(Layer):
    """The inputs as they are.

    Equation: `y = x`.

    Shapes: the output has the input's shape; a tree of inputs comes out as it went in.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Identity()(np.array([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """

    stepwise = True

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Leave each input its own."""
        return segments

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


class Masking(Layer):
    """Makes padding of the steps of which every value is `mask_value`.

    Equation: `y = x` at real steps, 0 at padding. Steps that are padding already stay so.

    Shapes: `(batch, steps, ..., features)` -> the same.

    Args:
        mask_value: the value that padding is filled with.

    Raises:
        ShapeError: the input has no axis of steps or none of features.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Masking(9)(np.array([[[1.0, 9.0], [9.0, 9.0]]])).mask.tolist()
        [[True, False]]
    """

    mask_value: float = setting(kinds.NUMBER, default=0.0)

    stepwise = True
    input_spec = InputSpec(min_ndim=3, axis_names="(batch, steps, ..., features)")

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the steps that hold anything but `mask_value`."""
        if segments is not None and padding_is_given():
            return segments
        real = jnp.any(inputs != self.mask_value, axis=tuple(range(2, inputs.ndim)))
        return jnp.where(real, 1 if segments is None else segments, 0).astype("int32")

    def call(self, inputs: Any) -> Any:
        """Return the inputs with zeros for vectors of `mask_value`."""
        return jnp.where(jnp.any(inputs != self.mask_value, axis=-1, keepdims=True), inputs, 0)


def _function(value: Any) -> Any:
    made = deserialize(value)
    if not callable(made):
        kinds.reject(value)
    return made


FUNCTION = Kind("a function", _function, serialize, refused=(3, None, "no such function"))
FUNCTION_OR_DATA = Kind("a function, an array, or None", deserialize, serialize)
ARGUMENTS = Kind(
    "a dictionary of arguments",
    lambda value: dict(deserialize(value or {})),
    serialize,
    refused=(3, "no arguments"),
)


class Lambda(Layer):
    """A Python function of your own as a layer.

    Equation: `y = function(x, **arguments)`. The function gets `mask` and `training` if it names
    them.

    A configuration holds the function's registered name, never its code: a model with a function
    that is not registered trains and predicts, but cannot be saved.

    Shapes: whatever the function makes of its input.

    Args:
        function: a function of an array, or of a tree of arrays.
        output_shape: what Keras wants to be told; here the shape follows from the function.
        mask: the mask of the output: a function `(inputs, mask) -> mask`, or the mask itself. The
            output has none by default.
        arguments: further arguments of the function, by name.

    Raises:
        SegmentsError: the input carries a mask, which neither the function nor `mask` takes.
        SettingError: `get_config` of a layer whose function is not registered, or a configuration
            that holds code.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.Lambda(lambda x, by: x * by, arguments={"by": 3})
        >>> layer(np.array([[1.0, 2.0]])).tolist()
        [[3.0, 6.0]]
    """

    function: Any = setting(FUNCTION)
    output_shape: Any = setting(FUNCTION_OR_DATA, default=None, attribute="_output_shape")
    mask: Any = setting(FUNCTION_OR_DATA, default=None)
    arguments: dict[str, Any] = setting(ARGUMENTS, default=None)

    _output_shape: Any

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return what `mask` says."""
        mask = self.mask
        if callable(mask):
            mask = mask(inputs, arguments.mask_of(segments))
        return None if mask is None else jnp.asarray(mask).astype("int32")

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the function of the inputs."""
        offered = {"mask": mask, "training": training}
        named = inspect.signature(self.function).parameters
        if mask is not None and self.mask is None and "mask" not in named:
            raise SegmentsError(
                f"layer '{self.path}' (Lambda) would lose the mask that its input carries: give "
                "it mask=lambda inputs, mask: mask if the output has the same steps, or let the "
                "function take `mask`"
            )
        taken = {name: value for name, value in offered.items() if name in named}
        return self.function(inputs, **{**self.arguments, **taken})
