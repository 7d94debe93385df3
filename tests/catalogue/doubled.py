"""A layer of several inputs as one of a single input, so that the laws run on it like on any."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core.settings import setting
from everystep.kinds import one_of
from everystep.layers import Wrapper
from everystep.saving import register_keras_serializable
from everystep.sequences import Steps


@register_keras_serializable("tests")
class Doubled(Wrapper):
    """Calls the layer inside on its input, and on its input with the features in reverse.

    Args:
        layer: the layer.
        way: whether the two come as a list or as two arguments.
    """

    way: str = setting(one_of("list", "arguments"), default="list")

    composite = True

    def after_settings(self) -> None:
        """Be as stepwise as the layer inside."""
        self.stepwise = self.layer.stepwise

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for two inputs."""
        if not self.layer.built:
            both = [input_shape, input_shape]
            self.layer.build(*([both] if self.way == "list" else both))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return what the layer makes of the two."""
        values = inputs.values if isinstance(inputs, Steps) else inputs
        turned = jnp.flip(values, -1) if values.ndim else values
        other = inputs.with_values(turned) if isinstance(inputs, Steps) else turned
        if self.way == "list":
            return self.layer([inputs, other], training=training)
        return self.layer(inputs, other, training=training)
