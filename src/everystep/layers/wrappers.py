"""The layers that apply another layer to every step: shared weights, or own weights for each."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.registry import deserialize, serialize
from everystep.core.scope import current_scope
from everystep.core.settings import Kind, setting
from everystep.errors import SegmentsError, ShapeError
from everystep.layers import symbolic
from everystep.layers.apply import run
from everystep.layers.layer import Layer, Masking
from everystep.layers.spec import InputSpec
from everystep.sequences import Steps


def _layer(value: Any) -> Layer:
    made = deserialize(value) if isinstance(value, dict) else value
    if not isinstance(made, Layer):
        raise TypeError(value)
    return made


LAYER = Kind(
    "a layer, such as Dense(5)", _layer, serialize, refused=(3, None, "no such layer", len)
)


class Wrapper(Layer):
    """The base of layers that hold one other layer.

    Args:
        layer: the layer inside.
    """

    layer: Layer = setting(LAYER)

    @property
    def input_dtype(self) -> str:
        """What the layer inside expects."""
        return self.layer.input_dtype

    def check_values(self, inputs: Any) -> None:
        """Let the layer inside check concrete values."""
        self.layer.check_values(inputs)


class TimeDistributed(Wrapper):
    """Any layer, applied to every step with the same weights, in one call.

    Equation: `y[:, t] = layer(x[:, t])` for every step `t`. The steps are folded into the batch, so
    the layer runs once, whatever the number of steps.

    Shapes: `(batch, steps, ...)` -> `(batch, steps, ...)` with the layer's own output shape for
    each step; trees of inputs and outputs likewise.

    Args:
        layer: a layer or a model.

    Raises:
        ShapeError: the input has no time axis.
        SegmentsError: the layer gives a mask of its own, for which there is no place outside.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.TimeDistributed(es.layers.Dense(5))
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 5), 55)
    """

    stepwise = True
    input_spec = InputSpec(min_ndim=2, axis_names="(batch, steps, ...)")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Fold steps into the batch, call the layer once, and unfold."""
        batch, steps = _batch_and_steps(self, inputs)
        folded = jax.tree.map(lambda x: x.reshape(batch * steps, *x.shape[2:]), inputs)
        outputs = self.layer(folded, training=training)
        _refuse_inner_segments(self, outputs)
        return jax.tree.map(lambda y: y.reshape(batch, steps, *y.shape[1:]), outputs)


class PerStep(Wrapper):
    """Any layer, applied to every step with weights of its own for each step.

    Equation: `y[:, t] = layer_t(x[:, t])`. Nothing is shared, so the number of steps is fixed. The
    weights of all steps are stacked: a `Dense(5)` on 4 steps of 3 features has one kernel of shape
    `(4, 3, 5)`, and all steps run in one batched call.

    Shapes: `(batch, steps, ...)` -> `(batch, steps, ...)`; each weight of the layer gets a leading
    axis of size `steps`.

    Args:
        layer: a layer or a model; its weights become the stacked ones.

    Raises:
        ShapeError: the number of steps is not known, or not the one it was built for.
        PackedRowsError: rows hold several sequences, whose steps are not where the weights are.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.PerStep(es.layers.Dense(5))
        >>> layer(np.zeros((2, 4, 3), "float32")).shape, layer.count_params()
        ((2, 4, 5), 80)
    """

    stepwise = True
    declared_masking: ClassVar[Masking | None] = "rows"
    input_spec = InputSpec(min_ndim=2, axis_names="(batch, steps, ...)")

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step, then give each of its weights an axis of steps."""
        first = jax.tree.leaves(input_shape, is_leaf=symbolic.is_shape)[0]
        steps = first[1]
        if steps is None:
            raise ShapeError(
                f"layer '{self.path}' (PerStep) has own weights for each step, so the number of "
                f"steps must be known, but its input has shape {first}: give Input(shape=(steps, "
                "features)), or share the weights with TimeDistributed"
            )
        inner = jax.tree.map(
            lambda shape: (shape[0], *shape[2:]), input_shape, is_leaf=symbolic.is_shape
        )
        symbolic.trace(self.layer, inner)
        for variable in self.layer.weights:
            variable.stack(steps)
        self.input_spec = InputSpec(
            min_ndim=2, axes={1: steps}, axis_names=f"(batch, {steps}, ...)"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Run the layer over steps and weights together."""
        _, steps = _batch_and_steps(self, inputs)
        variables = self.layer.named_weights()
        stacked = {path: variable.value for path, variable in variables.items()}
        scope = current_scope()
        noisy = training and scope is not None and scope.noise is not None
        key = self.random_key() if noisy else None

        def one_step(weights: Any, values: Any, step: Any) -> tuple[Any, ...]:
            noise = None if key is None else Noise(key, step)
            result = run(self.layer, variables, weights, values, training=training, noise=noise)
            return tuple(result)

        outputs, state, losses = jax.vmap(one_step, in_axes=(0, 1, 0), out_axes=(1, 0, 0))(
            stacked, inputs, jnp.arange(steps)
        )
        _refuse_inner_segments(self, outputs)
        for path, value in state.items():
            variables[path].assign(value)
        for loss in losses:
            self.add_loss(jnp.sum(loss))
        return outputs


def _batch_and_steps(layer: Layer, inputs: Any) -> tuple[Any, Any]:
    shapes = {tuple(array.shape[:2]) for array in jax.tree.leaves(inputs)}
    if len(shapes) > 1:
        raise ShapeError(
            f"layer '{layer.path}' ({type(layer).__name__}): all inputs must have the same batch "
            f"size and number of steps, not {sorted(shapes)}"
        )
    return shapes.pop()


def _refuse_inner_segments(layer: Layer, outputs: Any) -> None:
    leaves = jax.tree.leaves(outputs, is_leaf=lambda leaf: isinstance(leaf, Steps))
    if any(isinstance(leaf, Steps) for leaf in leaves):
        raise SegmentsError(
            f"layer '{layer.path}' ({type(layer).__name__}): the layer inside gives a mask of its "
            "own, for which there is no place outside. Put all layers that need that mask into one "
            "Sequential inside"
        )
