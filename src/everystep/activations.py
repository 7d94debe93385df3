"""Activation functions by Keras's names: functions of one array, element by element or by axis.

Every function takes and returns an array of any shape; `softmax`, `log_softmax`, `glu` and
`sparsemax` look along one axis, the last one unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from everystep.core import Catalogue
from everystep.core import serialize as serialize_value
from everystep.core.registry import deserializer
from everystep.kinds import FLOATING, SIGNED, Kind, checked

Activation = Callable[[Any], Any]


def linear(x: Any) -> Any:
    """Return the input unchanged: `x`."""
    return x


@checked(x=SIGNED)
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Rectify: `x` where `x >= threshold`, else `negative_slope * (x - threshold)`.

    Args:
        x: an array of any shape.
        negative_slope: the slope below the threshold.
        max_value: the largest value that comes out; None for no limit.
        threshold: where the function starts to pass its input.

    Returns:
        An array of the same shape.

    Example:
        >>> relu(jnp.array([-2.0, 3.0, 9.0]), negative_slope=0.5, max_value=6.0).tolist()
        [-1.0, 3.0, 6.0]
    """
    if negative_slope == 0 and max_value is None and threshold == 0:
        return jax.nn.relu(x)
    x = jnp.asarray(x)
    passed = jnp.where(x > threshold, x, negative_slope * (x - threshold))
    return passed if max_value is None else jnp.minimum(passed, max_value)


@checked(x=SIGNED)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Rectify with a slope below zero: `x` where `x >= 0`, else `negative_slope * x`."""
    return jax.nn.leaky_relu(x, negative_slope)


@checked(x=SIGNED)
def relu6(x: Any) -> Any:
    """Rectify and cut at six: `min(max(x, 0), 6)`."""
    return jax.nn.relu6(x)


@checked(x=SIGNED)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` where `x > 0`, else `alpha * (exp(x) - 1)`.

    Source: Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289, equation 15.
    """
    return jax.nn.elu(x, alpha)


@checked(x=SIGNED)
def selu(x: Any) -> Any:
    """Scaled exponential linear unit: `1.0507 * elu(x, 1.6733)`.

    Source: Klambauer and others 2017, arXiv:1706.02515, equation 2.
    """
    return jax.nn.selu(x)


@checked(x=SIGNED)
def celu(x: Any, alpha: float = 1.0) -> Any:
    """Smooth exponential linear unit: `max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`.

    Source: Barron 2017, arXiv:1704.07483, equation 2.
    """
    return jax.nn.celu(x, alpha)


@checked(x=SIGNED)
def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit: `x * P(X <= x)` for a standard normal `X`.

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2; `approximate` takes its tanh
    form.
    """
    return jax.nn.gelu(x, approximate)


@checked(x=FLOATING)
def silu(x: Any) -> Any:
    """Sigmoid linear unit, or swish: `x * sigmoid(x)`."""
    return jax.nn.silu(x)


@checked(x=SIGNED)
def hard_silu(x: Any) -> Any:
    """Piecewise linear swish: `x * hard_sigmoid(x)`."""
    return jax.nn.hard_silu(x)


@checked(x=SIGNED)
def mish(x: Any) -> Any:
    """Return `x * tanh(softplus(x))`.

    Source: Misra 2020, arXiv:1908.08681, equation 1.
    """
    return x * jnp.tanh(jax.nn.softplus(x))


@checked(x=FLOATING)
def sigmoid(x: Any) -> Any:
    """Logistic function: `1 / (1 + exp(-x))`."""
    return jax.nn.sigmoid(x)


@checked(x=SIGNED)
def hard_sigmoid(x: Any) -> Any:
    """Piecewise linear sigmoid: `min(max(x / 6 + 1 / 2, 0), 1)`."""
    return jax.nn.hard_sigmoid(x)


@checked(x=SIGNED)
def sparse_sigmoid(x: Any) -> Any:
    """Piecewise linear sigmoid that is steeper: `min(max((x + 1) / 2, 0), 1)`."""
    return jax.nn.sparse_sigmoid(x)


@checked(x=SIGNED)
def log_sigmoid(x: Any) -> Any:
    """Logarithm of the sigmoid: `-log(1 + exp(-x))`, without overflow."""
    return jax.nn.log_sigmoid(x)


@checked(x=SIGNED)
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return jnp.tanh(x)


@checked(x=SIGNED)
def hard_tanh(x: Any) -> Any:
    """Piecewise linear hyperbolic tangent: `min(max(x, -1), 1)`."""
    return jax.nn.hard_tanh(x)


@checked(x=SIGNED)
def tanh_shrink(x: Any) -> Any:
    """Return `x - tanh(x)`."""
    return x - jnp.tanh(x)


@checked(x=SIGNED)
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Move towards zero by the threshold, and to zero what is nearer: `sign(x) max(|x| - t, 0)`."""
    return jnp.where(
        x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, jnp.zeros_like(x))
    )


@checked(x=SIGNED)
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Keep what is farther from zero than the threshold: `x` where `|x| > threshold`, else 0."""
    return jnp.where(jnp.abs(x) > threshold, x, jnp.zeros_like(x))


@checked(x=SIGNED)
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Keep what is above the threshold: `x` where `x > threshold`, else `default_value`."""
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x, jnp.asarray(default_value, x.dtype))


@checked(x=SIGNED)
def softplus(x: Any) -> Any:
    """Smooth rectifier: `log(1 + exp(x))`, without overflow."""
    return jax.nn.softplus(x)


@checked(x=SIGNED)
def squareplus(x: Any, b: float = 4) -> Any:
    """Algebraic smooth rectifier: `(x + sqrt(x ** 2 + b)) / 2`.

    Source: Barron 2021, arXiv:2112.11687, equation 1.
    """
    return jax.nn.squareplus(x, b)


@checked(x=SIGNED)
def sparse_plus(x: Any) -> Any:
    """Piecewise quadratic rectifier: 0 to -1, `(x + 1) ** 2 / 4` between, `x` from 1."""
    return jax.nn.sparse_plus(x)


@checked(x=SIGNED)
def softsign(x: Any) -> Any:
    """Return `x / (1 + |x|)`."""
    return jax.nn.soft_sign(x)


@checked(x=SIGNED)
def exponential(x: Any) -> Any:
    """Return `exp(x)`."""
    return jnp.exp(x)


@checked(x=SIGNED, axis_of="x")
def softmax(x: Any, axis: int = -1) -> Any:
    """Make positive values that sum to one along an axis: `exp(x) / sum(exp(x))`.

    Args:
        x: an array of rank 1 or more.
        axis: the axis to sum along, for a model's output the classes of one step.

    Returns:
        An array of the same shape.

    Example:
        >>> softmax(jnp.zeros((2, 3, 4)))[0, 0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    return jax.nn.softmax(x, axis)


@checked(x=SIGNED, axis_of="x")
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of the softmax: `x - log(sum(exp(x)))`, without overflow."""
    return jax.nn.log_softmax(x, axis)


@checked(x=SIGNED, axis_of="x")
def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: the first half of the axis times the sigmoid of the second.

    Source: Dauphin and others 2017, arXiv:1612.08083, equation 1.
    """
    return jax.nn.glu(x, axis)


@checked(x=SIGNED, axis_of="x")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """Project onto the simplex: values of 0 or more that sum to one, most of them 0.

    Keras 3.15 differs where more than one value is left: its values do not sum to one there.

    Example:
        >>> [round(float(value), 3) for value in sparsemax(jnp.array([0.5, 0.4, -3.0]))]
        [0.55, 0.45, 0.0]

    Source: Martins and Astudillo 2016, arXiv:1602.02068, algorithm 1.
    """
    x = jnp.moveaxis(jnp.asarray(x), axis, -1)
    largest_first = -jnp.sort(-x, axis=-1)
    sums = jnp.cumsum(largest_first, axis=-1)
    ranks = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    supported = 1 + ranks * largest_first > sums
    count = jnp.sum(supported, axis=-1, keepdims=True)
    excess = jnp.sum(jnp.where(supported, largest_first, 0), axis=-1, keepdims=True) - 1
    return jnp.moveaxis(jnp.maximum(x - excess / count, 0), -1, axis)


FUNCTIONS = (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
swish, hard_swish = silu, hard_silu
CATALOGUE = Catalogue(
    "activation function", "keras.activations", FUNCTIONS, {"swish": silu, "hard_swish": hard_silu}
)


def get(identifier: Any) -> Activation:
    """Return the activation function for a name, a configuration, a callable or None.

    Args:
        identifier: a name such as `"relu"`; a configuration; a function or layer of your own,
            which is returned; None for `linear`.

    Raises:
        SettingError: no activation has that name.
        IdentifierError: it is none of these.

    Example:
        >>> get("swish") is silu, get(None) is linear
        (True, True)
    """
    return linear if identifier is None else CATALOGUE.get(identifier)


def serialize(activation: Any) -> Any:
    """Return what a configuration holds for an activation: its name, or the data of an object.

    Raises:
        SettingError: it is a function of your own that is not registered.

    Example:
        >>> serialize(tanh)
        'tanh'
    """
    name = getattr(activation, "__name__", None)
    if CATALOGUE.classes.get(str(name)) is activation:
        return name
    return serialize_value(activation)


deserialize = deserializer(get)
ACTIVATION = Kind(
    "the name of an activation, such as 'relu' or 'softmax', or a callable, or None",
    get,
    serialize,
    refused=("no_such_activation", 3, 2.5),
)

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
    "threshold",
]
