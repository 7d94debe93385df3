"""The layers that apply another layer to every step: shared weights, or own weights for each."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.registry import deserialize, serialize
from everystep.core.settings import setting
from everystep.errors import ShapeError
from everystep.kernels.stepper import Operation
from everystep.kinds import Kind, reject
from everystep.layers import symbolic
from everystep.layers.apply import run
from everystep.layers.arguments import is_steps
from everystep.layers.around import Around, inside, running_scope
from everystep.layers.layer import Layer, Masking
from everystep.layers.spec import InputSpec


def _layer(value: Any) -> Layer:
    made = deserialize(value) if isinstance(value, dict) else value
    if not isinstance(made, Layer):
        reject(value)
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

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for inputs of the same shape."""
        if not self.layer.built:
            self.layer.build(input_shape)

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
    each step; trees of inputs and outputs likewise, and further arguments of the layer's `call`.

    A mask of steps stays on the output, and what the layer inside sums up over its batch, such as
    the statistics of BatchNormalization, leaves padded steps out. A mask may go on inside of steps,
    as `(batch, steps, inner steps)`: an Embedding of words spelled out in characters gives one. The
    layer inside gets that part of it as its own mask, and gives it back, if it keeps it.

    Args:
        layer: a layer or a model.

    Raises:
        ShapeError: the input has no time axis.
        SegmentsError: the layer inside would lose a mask inside of steps.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.TimeDistributed(es.layers.Dense(5))
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 5), 55)
    """

    stepwise = True
    composite = True
    input_spec = InputSpec(min_ndim=2, axis_names="(batch, steps, ...)")

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for the input of one step."""
        if not self.layer.built:
            self.layer.build(jax.tree.map(_folded_shape, input_shape, is_leaf=symbolic.is_shape))

    def _ensure_built(self, values: Any, further: dict[str, Any]) -> None:
        # The layer inside is built when it is called, for input of the kind that comes.
        self._built_for = self._built_for or symbolic.raw_shape_of(values)
        self.built = True

    def call(self, inputs: Any, *further: Any, training: bool = False, **named: Any) -> Any:
        """Fold steps into the batch, call the layer once, and unfold."""
        given = (inputs, further, named)
        around = Around.of(self, given)
        values, args, kwargs = jax.tree.map(around.fold, given, is_leaf=is_steps)
        with running_scope().with_rows(around.real_rows()):
            outputs = self.layer(values, *args, training=training, **kwargs)
        return jax.tree.map(
            lambda output: around.put_on(jax.tree.map(around.unfold, output)),
            outputs,
            is_leaf=is_steps,
        )

    def step_operations(self) -> list[Operation] | None:
        """Return those of the layer inside, where it reads vectors step by step itself."""
        return self.layer.step_operations() if self.layer.stepwise else None


class PerStep(Wrapper):
    """Any layer, applied to every step with weights of its own for each step.

    Equation: `y[:, t] = layer_t(x[:, t])`. Nothing is shared, so the number of steps is fixed. The
    weights of all steps are stacked: a `Dense(5)` on 4 steps of 3 features has one kernel of shape
    `(4, 3, 5)`, and all steps run in one batched call.

    Shapes: `(batch, steps, ...)` -> `(batch, steps, ...)`, trees of inputs and outputs likewise;
    each weight and state of the layer gets a leading axis of size `steps`.

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
    composite = True
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
        for variable in self.layer.variables:
            variable.stack(steps)
        self.input_spec = InputSpec(
            min_ndim=2, axes={1: steps}, axis_names=f"(batch, {steps}, ...)"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Run the layer over steps and weights together."""
        around = Around.of(self, inputs)
        variables = self.layer.named_weights()
        stacked = {path: variable.value for path, variable in variables.items()}
        noisy = training and running_scope().noise is not None
        key = self.random_key() if noisy else None

        def one_step(weights: Any, values: Any, real: Any, step: Any) -> tuple[Any, ...]:
            noise = None if key is None else Noise(key, step)
            options = {"training": training, "noise": noise, "real_rows": real}
            result = run(self.layer, variables, weights, values, **options)
            return result.outputs, result.state, result.losses

        outputs, state, losses = jax.vmap(one_step, in_axes=(0, 1, 1, 0), out_axes=(1, 0, 0))(
            stacked,
            jax.tree.map(inside, inputs, is_leaf=is_steps),
            around.real_steps(),
            jnp.arange(around.steps),
        )
        for path, value in state.items():
            variables[path].assign(value)
        for loss in losses:
            self.add_loss(jnp.sum(loss))
        return jax.tree.map(around.put_on, outputs, is_leaf=is_steps)

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Why the layer does not stream: there are weights for so many steps and no more."""
        return (
            "has weights of its own for each step, and a stream has no last step: share the "
            "weights with TimeDistributed"
        )


def _folded_shape(shape: Any) -> tuple[Any, ...]:
    batch, steps, *rest = shape
    return (None if batch is None or steps is None else batch * steps, *rest)
