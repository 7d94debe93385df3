"""Adam and what grew out of it: steps along the mean gradient, divided by its usual size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, WHOLE, Kind
from everystep.optimizers.base import RATE, Optimizer
from everystep.optimizers.state import Moment, Slot, like_each

DECAY = Kind("a number of 0 or more", NOT_NEGATIVE.parse, refused=(-1.0, "1", None))
# How fast Nadam's momentum grows towards its full size.
GROWTH = 0.96


class Adam(Optimizer):
    """Steps along the mean gradient, divided by the root of the mean square.

    Equation: `m += (1 - b1) (g - m)`, `v += (1 - b2) (g ** 2 - v)`,
    `w -= r * sqrt(1 - b2 ** t) / (1 - b1 ** t) * m / (sqrt(v) + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        amsgrad: whether to divide by the largest mean square so far.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, section 2, its last form; Reddi and
    others 2018, arXiv:1904.09237, algorithm 2 for `amsgrad`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    amsgrad: bool = setting(BOOLEAN, default=False)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean, the mean square, and the largest one so far."""
        slots = like_each(weights, "momentum", "velocity")
        return slots + (like_each(weights, "velocity_hat") if self.amsgrad else [])

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new means."""
        new = means(kept, gradient, self.beta_1, self.beta_2)
        square = new["velocity"]
        if self.amsgrad:
            new["velocity_hat"] = square = jnp.maximum(kept["velocity_hat"], square)
        step = adam_step(new["momentum"], square, now, self.beta_1, self.beta_2, self.epsilon)
        return weight - step, new


class AdamW(Adam):
    """Adam with weight decay that is apart from the gradient.

    Equation: `w -= decay * r * w`, then as `Adam`

    Args:
        learning_rate: the rate, or a schedule: a function of the step.
        weight_decay: each weight shrinks by `weight_decay * learning_rate` of itself.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        amsgrad: whether to divide by the largest mean square so far.
        **kwargs: see `Optimizer`.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    weight_decay: float | None = setting(DECAY, default=0.004)
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    amsgrad: bool = setting(BOOLEAN, default=False)


class Adamax(Optimizer):
    """Adam with the largest gradient so far in place of the mean square.

    Equation: `m += (1 - b1) (g - m)`, `u = max(b2 * u, |g|)`,
    `w -= r * m / ((1 - b1 ** t) (u + epsilon))`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the largest gradient is kept.
        epsilon: added to the largest gradient.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean and the largest gradient."""
        return like_each(weights, "momentum", "norm")

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight, the mean and the largest gradient."""
        mean = kept["momentum"] + (gradient - kept["momentum"]) * (1 - self.beta_1)
        largest = jnp.maximum(self.beta_2 * kept["norm"], jnp.abs(gradient))
        scale = (1 - power(self.beta_1, now)) * (largest + self.epsilon)
        return weight - now.rate * mean / scale, {"momentum": mean, "norm": largest}


class Nadam(Optimizer):
    """Adam that looks ahead by one step of a momentum that grows.

    Equation: with `u(t) = b1 * (1 - 0.96 ** t / 2)` and `U(t) = u(1) * ... * u(t)`,
    `m += (1 - b1) (g - m)`, `v += (1 - b2) (g ** 2 - v)`,
    `n = u(t + 1) * m / (1 - U(t + 1)) + (1 - u(t)) * g / (1 - U(t))`,
    `w -= r * n / (sqrt(v / (1 - b2 ** t)) + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        **kwargs: see `Optimizer`.

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the means, and the product of all momenta so far."""
        dtype = weights[0].dtype if weights else jnp.float32
        product = Slot("product", None, (), dtype, 1.0, label="variable")
        return [*like_each(weights, "momentum", "velocity"), product]

    def advanced(self, shared: dict[str, Any], count: Any) -> dict[str, Any]:
        """Multiply the momentum of this step to the product."""
        product = shared["product"]
        growing = 1.0 - 0.5 * jnp.power(GROWTH, (count + 1).astype(product.dtype))
        return shared | {"product": product * self.beta_1 * growing}

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new means."""
        beta_1, beta_2 = rounded(now, self.beta_1, self.beta_2)
        new = means(kept, gradient, beta_1, beta_2)
        this, following = (
            beta_1 * (1.0 - 0.5 * jnp.power(jnp.asarray(GROWTH, weight.dtype), step))
            for step in (now.step, now.step + 1)
        )
        product = now.shared["product"].astype(weight.dtype)
        ahead = following * new["momentum"] / (1 - product * following)
        direction = ahead + (1 - this) * gradient / (1 - product)
        root = jnp.sqrt(new["velocity"] / (1 - power(self.beta_2, now)))
        return weight - direction * now.rate / (root + self.epsilon), new


class Lamb(Optimizer):
    """Adam whose step has the size of the weight, so that batches may be very large.

    Equation: `m += (1 - b1) (g - m)`, `v += (1 - b2) (g ** 2 - v)`,
    `d = m / (1 - b1 ** t) / (sqrt(v / (1 - b2 ** t)) + epsilon)`, `w -= |w| / |d| * r * d`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        **kwargs: see `Optimizer`.

    Source: You and others 2020, arXiv:1904.00962, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean and the mean square."""
        return like_each(weights, "momentum", "velocity")

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new means."""
        new = means(kept, gradient, self.beta_1, self.beta_2)
        mean = new["momentum"] / (1.0 - power(self.beta_1, now))
        root = jnp.sqrt(new["velocity"] / (1.0 - power(self.beta_2, now)))
        direction = mean / (root + self.epsilon)
        size, length = (jnp.sqrt(jnp.sum(jnp.square(each))) for each in (weight, direction))
        ratio = jnp.where((size > 0) & (length > 0), size / length, 1.0)
        return weight - ratio * now.rate * direction, new


class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule, because the weights are means over all steps so far.

    Equation: `v += (1 - b2) (g ** 2 - v)`, `x = (w - (1 - b1) z) / b1`,
    `z -= r * g / (sqrt(v / (1 - b2 ** t)) + epsilon)`, `x = (1 - 1 / t) x + z / t`,
    `w = (1 - b1) z + b1 * x`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean of the steps is in the weight.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        warmup_steps: how many steps the rate rises on a line.
        **kwargs: see `Optimizer`.

    Source: Defazio and others 2024, arXiv:2405.15682, algorithm 1.
    """

    learning_rate: Any = setting(RATE, default=0.0025, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-8)
    warmup_steps: int = setting(WHOLE, default=0)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the point that steps are made from, and the mean square."""
        slots = like_each(weights, "momentum", "velocity")
        return [replace(slot, first=None) if slot.name == "momentum" else slot for slot in slots]

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight, the new point and the new mean square."""
        rate, before = now.rate, kept["momentum"]
        beta_1, beta_2 = rounded(now, self.beta_1, self.beta_2)
        if self.warmup_steps:
            rate = rate * jnp.minimum(now.step / self.warmup_steps, 1.0)
        square = kept["velocity"] + (jnp.square(gradient) - kept["velocity"]) * (1 - beta_2)
        root = jnp.sqrt(square / (1 - power(self.beta_2, now)))
        point = before - rate * gradient / (root + self.epsilon)
        mean = (weight - (1 - beta_1) * before) / beta_1
        mean = (1 - 1.0 / now.step) * mean + 1.0 / now.step * point
        weight = (1 - beta_1) * point + beta_1 * mean
        return weight, {"momentum": point, "velocity": square}


def rounded(now: Moment, *numbers: float) -> list[Any]:
    """Return numbers in the weight's precision, in which some rules take them from 1, as Keras."""
    return [jnp.asarray(number, now.step.dtype) for number in numbers]


def power(beta: float, now: Moment) -> Any:
    """Return `beta` to the power of the number of the step."""
    return jnp.power(jnp.asarray(beta, now.step.dtype), now.step)


def means(kept: dict[str, Any], gradient: Any, beta_1: Any, beta_2: Any) -> dict[str, Any]:
    """Return the running means of the gradient and of its square."""
    mean, square = kept["momentum"], kept["velocity"]
    return {
        "momentum": mean + (gradient - mean) * (1 - beta_1),
        "velocity": square + (jnp.square(gradient) - square) * (1 - beta_2),
    }


def adam_step(
    mean: Any, square: Any, now: Moment, beta_1: float, beta_2: float, epsilon: float
) -> Any:
    """Return Adam's step along `mean`, divided by the root of `square`."""
    rate = now.rate * jnp.sqrt(1 - power(beta_2, now)) / (1 - power(beta_1, now))
    return mean * rate / (jnp.sqrt(square) + epsilon)
