"""Activations that have settings or weights of their own, as layers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep import activations, kinds
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import DataError, ShapeError
from everystep.initializers import INITIALIZER
from everystep.kinds import ARRAY, Kind, checked, reject
from everystep.layers import symbolic, symbols
from everystep.layers.axes import AXES, Axes, within_steps
from everystep.layers.layer import Layer, Masking
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER


class ReLU(Layer):
    """A rectifier that can be cut off above, leak below, and start elsewhere than at 0.

    Equation: `y = min(x, max_value)` where `x > threshold`, else
    `y = negative_slope * (x - threshold)`.

    Shapes: the output has the input's shape.

    Args:
        max_value: the largest value that comes out; None for no limit.
        negative_slope: the slope below the threshold.
        threshold: where the layer starts to pass its input.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.ReLU(max_value=2.0, negative_slope=0.5)(np.array([[-4.0, 1.0, 9.0]])).tolist()
        [[-2.0, 1.0, 2.0]]
    """

    max_value: float | None = setting(kinds.optional(kinds.NOT_NEGATIVE), default=None)
    negative_slope: float = setting(kinds.NOT_NEGATIVE, default=0.0)
    threshold: float = setting(kinds.NOT_NEGATIVE, default=0.0)

    stepwise = True

    def call(self, inputs: Any) -> Any:
        """Return the rectified inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """A rectifier with a slope below zero.

    Equation: `y = x` where `x >= 0`, else `y = negative_slope * x`.

    Shapes: the output has the input's shape.

    Args:
        negative_slope: the slope below zero.
        alpha: the older name of the same.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.LeakyReLU(0.5)(np.array([[-4.0, 1.0]])).tolist()
        [[-2.0, 1.0]]

    Source: Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic
    models", section 2.
    """

    negative_slope: float = setting(kinds.NOT_NEGATIVE, default=0.3)
    alpha: float | None = setting(
        kinds.optional(kinds.NOT_NEGATIVE), default=None, kw_only=True, in_config=False
    )

    stepwise = True

    def after_settings(self) -> None:
        """Take the slope by its older name."""
        if self.alpha is not None:
            self.negative_slope = self.alpha

    def call(self, inputs: Any) -> Any:
        """Return the rectified inputs."""
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """A rectifier that goes on below zero exponentially.

    Equation: `y = x` where `x > 0`, else `y = alpha * (exp(x) - 1)`.

    Shapes: the output has the input's shape.

    Args:
        alpha: what the output goes to, below zero, with the other sign.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.ELU(2.0)(np.array([[-100.0, 1.0]])).tolist()
        [[-2.0, 1.0]]

    Source: Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, equation 15.
    """

    alpha: float = setting(kinds.NUMBER, default=1.0)

    stepwise = True

    def call(self, inputs: Any) -> Any:
        """Return `elu(inputs, alpha)`."""
        return activations.elu(inputs, self.alpha)


def _shared_axes(value: Any) -> tuple[int, ...]:
    return tuple(kinds.POSITIVE.parse(axis) for axis in kinds.INTEGERS.parse(value))


_SHARED_AXES = kinds.optional(
    Kind(
        "an axis or a list of axes other than the batch axis 0",
        _shared_axes,
        list,
        refused=("1", 1.5, 0, (0, 1)),
    )
)


class PReLU(Layer):
    """A rectifier that learns its slopes below zero.

    Equation: `y = x` where `x >= 0`, else `y = alpha * x`.

    Shapes: the output has the input's shape, and `alpha` has it too without the batch axis, with
    size 1 at `shared_axes`. Unless axis 1 is one of these, each step has slopes of its own and the
    number of steps is fixed.

    Args:
        alpha_initializer: how `alpha` is first drawn.
        alpha_regularizer: a function of `alpha` that is added to the loss.
        alpha_constraint: a function applied to `alpha` after each update.
        shared_axes: the axes along which all places have one slope; `[1]` for all steps.

    Raises:
        ShapeError: a size that `alpha` needs is not known.
        PackedRowsError: rows hold several sequences, whose steps are not where the slopes are.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.PReLU("ones", shared_axes=[1])
        >>> layer(np.full((1, 4, 3), -2.0, "float32")).min().item(), layer.count_params()
        (-2.0, 3)

    Source: He, Zhang, Ren and Sun 2015, arXiv:1502.01852, equation 1.
    """

    alpha_initializer: Any = setting(INITIALIZER, default="zeros")
    alpha_regularizer: Any = setting(REGULARIZER, default=None)
    alpha_constraint: Any = setting(CONSTRAINT, default=None)
    shared_axes: Any = setting(_SHARED_AXES, default=None)

    stepwise = True
    input_spec = InputSpec(min_ndim=2, axis_names="(batch, ...)")

    @property
    def masking(self) -> Masking:
        """Any segments where all steps share their slopes, else one sequence a row."""
        return "packed" if 1 in (self.shared_axes or ()) else "rows"

    def build(self, input_shape: Any) -> None:
        """Create `alpha`."""
        shared = self.shared_axes or ()
        if any(axis >= len(input_shape) for axis in shared):
            raise ShapeError(
                f"layer '{self.path}' (PReLU) cannot share slopes along axes {list(shared)} of an "
                f"input of shape {symbolic.written(tuple(input_shape))}"
            )
        own = {axis: size for axis, size in enumerate(input_shape) if axis not in (0, *shared)}
        self.alpha = self.add_weight(
            tuple(own.get(axis, 1) for axis in range(1, len(input_shape))),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: Any) -> Any:
        """Return the inputs, with those below zero times their slopes."""
        return jax.nn.relu(inputs) - self.alpha * jax.nn.relu(-inputs)


_MASK = Kind(
    "an array of truth values",
    lambda value: (
        value
        if value is None or value is False or symbols.has_symbols(value)
        else ARRAY.parse(value if np.ndim(value) else reject(value))
    ),
    error=DataError,
)


class Softmax(Layer):
    """Positive values that sum to one along an axis.

    Equation: `y = exp(x) / sum(exp(x))`, with the sum along `axis` and over what no mask hides;
    what is hidden gives 0.

    Shapes: the output has the input's shape. Along the steps, which `axis` may name too, the values
    of each sequence sum to one.

    Args:
        axis: the axis, or axes, to sum along.

    Raises:
        ShapeError: the input does not have that axis, or a mask does not fit its shape.

    Example:
        >>> import everystep as es, numpy as np
        >>> counted = np.array([[True, False, True]])
        >>> es.layers.Softmax()(np.zeros((1, 2, 3)), mask=counted).tolist()
        [[[0.5, 0.0, 0.5], [0.5, 0.0, 0.5]]]
    """

    axis: Any = setting(AXES, default=-1)

    @property
    def stepwise(self) -> bool:  # type: ignore[override]
        """Whether the axes are within a step."""
        return within_steps(self.axis)

    @checked(mask=_MASK)
    def __call__(
        self, *args: Any, mask: Any = None, training: bool | None = None, **kwargs: Any
    ) -> Any:
        """Run the layer.

        Args:
            *args: the inputs: an array, `Steps` or a symbol.
            mask: True at what counts: at real steps, (batch, steps), or at single values, of a
                shape that broadcasts to that of the inputs.
            training: taken because all layers take it.
            **kwargs: the inputs by name.
        """
        inputs = args[0] if args else kwargs.get("inputs")
        symbolic_mask = symbols.has_symbols((inputs, mask))
        of_steps = symbolic_mask or mask is False or _is_of_steps(mask, inputs)
        if mask is not None and not of_steps:
            mask, kwargs["counted"] = None, mask
        return super().__call__(*args, mask=mask, training=training, **kwargs)

    def call(
        self, inputs: Any, counted: Any = None, segments: Any = None, packed: bool = False
    ) -> Any:
        """Return the softmax of what counts."""
        axes = Axes(self, self.axis, inputs.ndim, segments, packed)
        x = inputs.astype(self.compute_dtype)
        counted = None if counted is None else self._fitting(counted, inputs)
        if axes.segments is not None:
            real = jnp.expand_dims(axes.segments != 0, tuple(range(2, inputs.ndim)))
            counted = real if counted is None else counted & real
        if counted is None:
            return jax.nn.softmax(x, axes.places)
        largest = axes.max(jnp.where(counted, x, -jnp.inf))
        # Nothing hidden goes through exp, where it might overflow and spoil the gradient.
        above = jnp.where(counted, x - jax.lax.stop_gradient(largest), 0)
        raised = jnp.where(counted, jnp.exp(above), 0)
        total = axes.sum(raised)
        return raised / jnp.where(total == 0, 1, total)

    def _fitting(self, counted: Any, inputs: Any) -> Any:
        """Return a mask of single values as booleans, if its shape fits."""
        sizes = zip(reversed(counted.shape), reversed(inputs.shape), strict=False)
        if counted.ndim > inputs.ndim or any(own not in (1, size) for own, size in sizes):
            raise ShapeError(
                f"The `mask` must be broadcastable to `inputs`: layer '{self.path}' (Softmax) was "
                f"given a mask of shape {symbolic.written(tuple(counted.shape))} for inputs of "
                f"shape {symbolic.written(tuple(inputs.shape))}. Each of its sizes, from the last "
                "on, must be 1 or that of the inputs; or give it the shape (batch, steps)"
            )
        return counted if counted.dtype == bool else counted > 0.5


def _is_of_steps(mask: Any, inputs: Any) -> bool:
    """Whether a mask says which steps are real, and not which single values count."""
    return np.ndim(mask) == 2 and tuple(np.shape(mask)) == tuple(np.shape(inputs)[:2])
