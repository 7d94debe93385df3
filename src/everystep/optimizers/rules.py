"""The update rules, one optimizer a class: which arrays it keeps, and what it adds to a weight.

Numbers are Keras's, which differ from optax's in where the small constant `epsilon` stands.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import Kind, setting
from everystep.core.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE
from everystep.optimizers.base import RATE, Optimizer, Slots

DECAY = Kind("a number of 0 or more", NOT_NEGATIVE.parse, refused=(-1.0, "1", None))


class SGD(Optimizer):
    """Steps along the gradient: `w -= r * g`; with momentum `v = m * v - r * g; w += v`.

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        momentum: the share `m` of the last step that is kept.
        nesterov: whether to add `m * v - r * g` instead of `v`.
        **kwargs: see `Optimizer`.

    Example:
        >>> optimizer = SGD(learning_rate=0.5, momentum=0.9)
        >>> state = optimizer.init(jnp.zeros(1))
        >>> update, state = optimizer.update(jnp.ones(1), state)
        >>> update, state = optimizer.update(jnp.ones(1), state)
        >>> round(float(update[0]), 3)
        -0.95

    Source: Sutskever and others 2013, "On the importance of initialization and momentum in deep
    learning", section 2.
    """

    learning_rate: Any = setting(RATE, default=0.01, attribute="_learning_rate")
    momentum: float = setting(FRACTION, default=0.0)
    nesterov: bool = setting(BOOLEAN, default=False)

    def slots(self, weight: Any) -> Slots:
        """Return the velocity, if there is momentum."""
        return (jnp.zeros_like(weight),) if self.momentum else ()

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new velocity."""
        if not self.momentum:
            return -rate * gradient, ()
        velocity = self.momentum * slots[0] - rate * gradient
        if self.nesterov:
            return self.momentum * velocity - rate * gradient, (velocity,)
        return velocity, (velocity,)


class Adam(Optimizer):
    """Steps along the mean gradient, divided by the root of the mean square.

    `m += (1 - b1) (g - m)`, `v += (1 - b2) (g ** 2 - v)`,
    `w -= r * sqrt(1 - b2 ** t) / (1 - b1 ** t) * m / (sqrt(v) + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        amsgrad: whether the mean square never shrinks.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, end of section 2 ("epsilon hat"); Reddi and others
    2018, arXiv:1904.09237, algorithm 2 for `amsgrad`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    amsgrad: bool = setting(BOOLEAN, default=False)

    def slots(self, weight: Any) -> Slots:
        """Return the mean, the mean square, and the largest mean square so far."""
        return tuple(jnp.zeros_like(weight) for _ in range(3 if self.amsgrad else 2))

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new means."""
        mean, square = _means(gradient, slots, self.beta_1, self.beta_2)
        correction = jnp.sqrt(1 - self.beta_2**time) / (1 - self.beta_1**time)
        kept: Slots = (mean, square)
        if self.amsgrad:
            square = jnp.maximum(slots[2], square)
            kept = (*kept, square)
        scale = rate * correction.astype(gradient.dtype)
        return -scale * mean / (jnp.sqrt(square) + self.epsilon), kept


def _means(gradient: Any, slots: Slots, beta_1: float, beta_2: float) -> tuple[Any, Any]:
    mean = slots[0] + (1 - beta_1) * (gradient - slots[0])
    square = slots[1] + (1 - beta_2) * (jnp.square(gradient) - slots[1])
    return mean, square


class AdamW(Adam):
    """Adam with weight decay that is apart from the gradient.

    Args:
        learning_rate: the rate, or a schedule: a function of the step.
        weight_decay: each weight shrinks by `weight_decay * learning_rate` of itself.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        amsgrad: whether the mean square never shrinks.
        **kwargs: see `Optimizer`.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    weight_decay: float | None = setting(DECAY, default=0.004)
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    amsgrad: bool = setting(BOOLEAN, default=False)


class Nadam(Optimizer):
    """Adam that looks ahead by one step of momentum.

    Args:
        learning_rate: the rate, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        **kwargs: see `Optimizer`.

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2, with the schedule
    of momentum `b1 * (1 - 0.5 * 0.96 ** t)`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weight: Any) -> Slots:
        """Return the mean, the mean square, and the product of all momenta so far, a scalar."""
        product = jnp.ones((), jnp.asarray(weight).dtype)
        return jnp.zeros_like(weight), jnp.zeros_like(weight), product

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new means."""
        mean, square = _means(gradient, slots, self.beta_1, self.beta_2)
        now, ahead = (
            (self.beta_1 * (1 - 0.5 * 0.96**moment)).astype(gradient.dtype)
            for moment in (time, time + 1)
        )
        product = slots[2] * now
        mean_ahead = ahead * mean / (1 - product * ahead) + (1 - now) * gradient / (1 - product)
        corrected = square / (1 - self.beta_2**time).astype(gradient.dtype)
        update = -rate * mean_ahead / (jnp.sqrt(corrected) + self.epsilon)
        return update, (mean, square, product)


class Adamax(Optimizer):
    """Adam with the largest gradient so far in place of the mean square.

    `m += (1 - b1) (g - m)`, `u = max(b2 * u, |g|)`, `w -= r / (1 - b1 ** t) * m / (u + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the largest gradient is kept.
        epsilon: added to the divisor.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weight: Any) -> Slots:
        """Return the mean and the largest gradient."""
        return jnp.zeros_like(weight), jnp.zeros_like(weight)

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step, the new mean and the new largest gradient."""
        mean = slots[0] + (1 - self.beta_1) * (gradient - slots[0])
        largest = jnp.maximum(self.beta_2 * slots[1], jnp.abs(gradient))
        scale = rate / (1 - self.beta_1**time).astype(gradient.dtype)
        return -scale * mean / (largest + self.epsilon), (mean, largest)


class RMSprop(Optimizer):
    """Steps along the gradient, divided by the root of its mean square.

    `v = rho * v + (1 - rho) * g ** 2`, `w -= r * g / sqrt(v + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        rho: how much of the mean square is kept.
        momentum: the share of the last step that is added.
        epsilon: added under the root.
        centered: whether to subtract the square of the mean, so that `v` is the variance.
        **kwargs: see `Optimizer`.

    Source: Hinton 2012, "Neural networks for machine learning", lecture 6e; Graves 2013,
    arXiv:1308.0850, equations 38 to 45 for `centered`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    rho: float = setting(FRACTION, default=0.9)
    momentum: float = setting(FRACTION, default=0.0)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    centered: bool = setting(BOOLEAN, default=False)

    def slots(self, weight: Any) -> Slots:
        """Return the mean square, then the mean if centered, then the step if with momentum."""
        count = 1 + bool(self.centered) + bool(self.momentum)
        return tuple(jnp.zeros_like(weight) for _ in range(count))

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new slots."""
        square = self.rho * slots[0] + (1 - self.rho) * jnp.square(gradient)
        kept, spread = [square], square
        if self.centered:
            mean = self.rho * slots[1] + (1 - self.rho) * gradient
            kept, spread = [square, mean], square - jnp.square(mean)
        step = rate * gradient / jnp.sqrt(spread + self.epsilon)
        if self.momentum:
            step = self.momentum * slots[-1] + step
            kept.append(step)
        return -step, tuple(kept)


class Adagrad(Optimizer):
    """Steps along the gradient, divided by the root of the sum of all squares so far.

    `a += g ** 2`, `w -= r * g / sqrt(a + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        initial_accumulator_value: where the sum starts.
        epsilon: added under the root.
        **kwargs: see `Optimizer`.

    Source: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods", figure 1.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    initial_accumulator_value: float = setting(NOT_NEGATIVE, default=0.1)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weight: Any) -> Slots:
        """Return the sum."""
        return (jnp.full_like(weight, self.initial_accumulator_value),)

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new sum."""
        total = slots[0] + jnp.square(gradient)
        return -rate * gradient / jnp.sqrt(total + self.epsilon), (total,)


class Adadelta(Optimizer):
    """Steps along the gradient in the units of the weight: mean size of steps over gradients.

    `a = rho * a + (1 - rho) * g ** 2`, `d = -sqrt(s + epsilon) / sqrt(a + epsilon) * g`,
    `s = rho * s + (1 - rho) * d ** 2`, `w += r * d`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        rho: how much of the means is kept.
        epsilon: added under both roots.
        **kwargs: see `Optimizer`.

    Source: Zeiler 2012, arXiv:1212.5701, algorithm 1.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    rho: float = setting(FRACTION, default=0.95)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weight: Any) -> Slots:
        """Return the mean squares of gradients and of steps."""
        return jnp.zeros_like(weight), jnp.zeros_like(weight)

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new mean squares."""
        gradients = self.rho * slots[0] + (1 - self.rho) * jnp.square(gradient)
        roots = jnp.sqrt(slots[1] + self.epsilon), jnp.sqrt(gradients + self.epsilon)
        step = -roots[0] * gradient / roots[1]
        steps = self.rho * slots[1] + (1 - self.rho) * jnp.square(step)
        return rate * step, (gradients, steps)


class Lion(Optimizer):
    """Steps of one size in the direction of the mean gradient's sign.

    `w -= r * sign(b1 * m + (1 - b1) * g)`, `m = b2 * m + (1 - b2) * g`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean counts in the step.
        beta_2: how much of the mean is kept.
        **kwargs: see `Optimizer`.

    Source: Chen and others 2023, arXiv:2302.06675, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.99)

    def slots(self, weight: Any) -> Slots:
        """Return the mean."""
        return (jnp.zeros_like(weight),)

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return the step and the new mean."""
        direction = jnp.sign(self.beta_1 * slots[0] + (1 - self.beta_1) * gradient)
        return -rate * direction, (self.beta_2 * slots[0] + (1 - self.beta_2) * gradient,)
