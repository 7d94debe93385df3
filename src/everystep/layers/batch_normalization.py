"""BatchNormalization: by the statistics of the batch in training, by running ones afterwards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.initializers import INITIALIZER
from everystep.kinds import Kind
from everystep.layers.axes import AXIS, axes_within, refuse_packed
from everystep.layers.counted import counted
from everystep.layers.normalization import Normalization, along, in_full
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER

# What Keras adds to a count that may be 0.
_EPSILON = 1e-7


def _limits(value: Any) -> dict[str, float]:
    limits = {name: kinds.NUMBER.parse(limit) for name, limit in dict(value).items()}
    unknown = limits.keys() - {"rmin", "rmax", "dmax"}
    crossed = limits.get("rmax", math.inf) < limits.get("rmin", 0)
    if unknown or crossed or limits.get("dmax", 0) < 0:
        kinds.reject(value)
    return limits


_LIMITS = kinds.optional(
    Kind(
        "a dict of numbers under 'rmin', 'rmax' and 'dmax', with rmin <= rmax and 0 <= dmax",
        _limits,
        dict,
        refused=({"r": 1.0}, {"rmin": 2.0, "rmax": 1.0}, {"dmax": -1.0}, 3),
    )
)


class Moments(NamedTuple):
    """Mean and variance of what counts in a batch, and whether anything does."""

    mean: Any
    variance: Any
    any: Any


class BatchNormalization(Normalization):
    """Each feature with mean 0 and variance 1 over the batch, then scaled and moved.

    Equation: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`. In training, mean and
    variance are those of the batch over all axes but `axis`, and
    `moving = moving * momentum + batch * (1 - momentum)` keeps a running mean of each; otherwise,
    or where the layer is not `trainable`, they are the running ones.

    Padding, padded steps inside a TimeDistributed, and rows that only fill up a batch, do not
    count; a real step counts the same in whatever row it is. A batch without anything real leaves
    the running statistics as they are.

    Shapes: the output has the input's shape; all weights have the size of `axis`.

    Args:
        axis: the axis of the features.
        momentum: how much of the running statistics is kept in each step of training.
        epsilon: what is added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: how `beta` is first drawn.
        gamma_initializer: how `gamma` is first drawn.
        moving_mean_initializer: how the running mean is first drawn.
        moving_variance_initializer: how the running variance is first drawn.
        beta_regularizer: a function of `beta` that is added to the loss.
        gamma_regularizer: a function of `gamma` that is added to the loss.
        beta_constraint: a function applied to `beta` after each update.
        gamma_constraint: a function applied to `gamma` after each update.
        renorm: whether training corrects the batch's statistics towards running ones.
        renorm_clipping: limits `rmin`, `rmax` and `dmax` of that correction.
        renorm_momentum: the momentum of the running statistics that it goes by.
        synchronized: taken for compatibility; statistics are those of the whole batch, on however
            many devices it lies.

    Raises:
        ShapeError: the input does not have that axis, or its size is not known.
        PackedRowsError: rows are packed, and `axis` is that of the steps.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.BatchNormalization()
        >>> y = layer(np.array([[1.0], [3.0]]), training=True)
        >>> [round(float(value), 2) for value in y[:, 0]]
        [-1.0, 1.0]
        >>> round(float(layer.moving_mean[0]), 4)
        0.02

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2; the correction is that of
    Ioffe 2017, arXiv:1702.03275, algorithm 1.
    """

    axis: int = setting(AXIS, default=-1)
    momentum: float = setting(kinds.NUMBER, default=0.99)
    epsilon: float = setting(kinds.NOT_NEGATIVE, default=1e-3)
    center: bool = setting(kinds.BOOLEAN, default=True)
    scale: bool = setting(kinds.BOOLEAN, default=True)
    beta_initializer: Any = setting(INITIALIZER, default="zeros")
    gamma_initializer: Any = setting(INITIALIZER, default="ones")
    moving_mean_initializer: Any = setting(INITIALIZER, default="zeros")
    moving_variance_initializer: Any = setting(INITIALIZER, default="ones")
    beta_regularizer: Any = setting(REGULARIZER, default=None)
    gamma_regularizer: Any = setting(REGULARIZER, default=None)
    beta_constraint: Any = setting(CONSTRAINT, default=None)
    gamma_constraint: Any = setting(CONSTRAINT, default=None)
    renorm: bool = setting(kinds.BOOLEAN, default=False)
    renorm_clipping: Mapping[str, float] | None = setting(_LIMITS, default=None)
    renorm_momentum: float = setting(kinds.NUMBER, default=0.99)
    synchronized: bool = setting(kinds.BOOLEAN, default=False)

    stepwise = True

    def build(self, input_shape: Any) -> None:
        """Create `gamma`, `beta` and the running statistics."""
        (place,) = axes_within(self, self.axis, len(input_shape))
        shape = (input_shape[place],)
        if self.scale:
            self.gamma = self.add_gamma(shape)
        if self.center:
            self.beta = self.add_beta(shape)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._add_statistic("moving_mean", shape, mean)
        self.moving_variance = self._add_statistic("moving_variance", shape, variance)
        if self.renorm:
            deviation = partial(_root, variance)
            self.moving_stddev = self._add_statistic("moving_stddev", shape, deviation)
            self.renorm_mean = self._add_statistic("renorm_mean", shape, mean)
            self.renorm_stddev = self._add_statistic("renorm_stddev", shape, deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: shape[0]})

    def _add_statistic(self, name: str, shape: tuple[Any, ...], initializer: Any) -> Any:
        return self.add_weight(shape, initializer, trainable=False, autocast=False, name=name)

    def call(
        self, inputs: Any, training: bool = False, segments: Any = None, packed: bool = False
    ) -> Any:
        """Return the inputs, normalized by the batch in training, else by running statistics."""
        (place,) = axes_within(self, self.axis, inputs.ndim)
        refuse_packed(self, packed and place == 1)
        x = in_full(inputs)
        mean, variance = _full(self.moving_mean, x), _full(self.moving_variance, x)
        gamma = _full(self.gamma, x) if self.scale else 1
        beta = _full(self.beta, x) if self.center else 0
        if training and self.trainable:
            moments = _moments(x, place, counted(x, segments))
            if self.renorm:
                factor, offset = self._corrections(moments)
                gamma, beta = factor * gamma, offset * gamma + beta
            self._update(moments)
            mean, variance, _ = moments
        factor = jax.lax.rsqrt(variance + self.epsilon) * gamma
        outputs = (x - along(mean, x, (place,))) * along(factor, x, (place,))
        if self.center or self.renorm:
            outputs = outputs + along(jnp.broadcast_to(beta, mean.shape), x, (place,))
        return outputs.astype(self.compute_dtype)

    def _update(self, moments: Moments) -> None:
        """Bring the batch into the running statistics."""
        mean, variance, _ = moments
        self._keep(self.moving_mean, mean, self.momentum, moments)
        if not self.renorm:
            self._keep(self.moving_variance, variance, self.momentum, moments)
            return
        deviation = jnp.sqrt(variance + self.epsilon)
        self._keep(self.renorm_mean, mean, self.renorm_momentum, moments)
        self._keep(self.renorm_stddev, deviation, self.renorm_momentum, moments)
        self._keep(self.moving_stddev, deviation, self.momentum, moments)
        squares = jnp.square(_full(self.moving_stddev, mean)) - self.epsilon
        self._keep(self.moving_variance, jnp.maximum(squares, 0), 0, moments)

    def _keep(self, variable: Any, batch: Any, momentum: float, moments: Moments) -> None:
        before = _full(variable, batch)
        after = before * momentum + batch * (1 - momentum)
        variable.assign(jnp.where(moments.any, after, before))

    def _corrections(self, moments: Moments) -> tuple[Any, Any]:
        """Return by what to multiply, and what to add, to come closer to running statistics."""
        mean, variance, _ = moments
        limits = self.renorm_clipping or {}
        # Never below what the batch's own deviation can be.
        deviation = jnp.maximum(_full(self.renorm_stddev, mean), self.epsilon**0.5)
        factor = jnp.sqrt(variance + self.epsilon) / deviation
        offset = (mean - _full(self.renorm_mean, mean)) / deviation
        factor = jnp.clip(factor, limits.get("rmin"), limits.get("rmax"))
        if "dmax" in limits:
            offset = jnp.clip(offset, -limits["dmax"], limits["dmax"])
        return jax.lax.stop_gradient(factor), jax.lax.stop_gradient(offset)


def _moments(x: Any, place: int, real: Any) -> Moments:
    """Return mean and variance at each place of an axis, over what counts."""
    others = tuple(axis for axis in range(x.ndim) if axis != place)
    if real is None:
        return Moments(jnp.mean(x, others), jnp.var(x, others), 0 not in x.shape)
    count = jnp.sum(jnp.broadcast_to(real, x.shape), others, dtype=x.dtype)
    mean = jnp.sum(jnp.where(real, x, 0), others) / (count + _EPSILON)
    centred = jnp.where(real, x - along(mean, x, (place,)), 0)
    variance = jnp.sum(jnp.square(centred), others) / (count + _EPSILON)
    return Moments(mean, variance, count > 0)


def _full(variable: Any, x: Any) -> Any:
    return jnp.asarray(variable).astype(x.dtype)


def _root(initializer: Any, shape: Any, dtype: Any = None) -> Any:
    # A layer may be built while JAX traces it; its first values are numbers all the same.
    with jax.ensure_compile_time_eval():
        return jnp.sqrt(initializer(shape, dtype))
