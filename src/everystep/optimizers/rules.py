"""Optimizers that step along the gradient, or along it divided by what it used to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, NUMBER, SHARE, Kind
from everystep.optimizers.base import RATE, Optimizer
from everystep.optimizers.state import Moment, Slot, like_each

NOT_POSITIVE = Kind("a number of 0 or less", lambda v: -NOT_NEGATIVE.parse(-v), refused=(0.5, "1"))


class SGD(Optimizer):
    """Steps along the gradient, with momentum if that is asked for.

    Equation: `w -= r * g`; with momentum `v = m * v - r * g; w += v`; with Nesterov's
    `v = m * v - r * g; w += m * v - r * g`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        momentum: the share `m` of the last step that is kept.
        nesterov: whether to look ahead by one step.
        **kwargs: see `Optimizer`.

    Example:
        >>> import jax.numpy as jnp
        >>> from everystep import Variable
        >>> weight, optimizer = Variable([0.0]), SGD(learning_rate=0.5, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.apply([jnp.ones(1)], [weight])
        >>> round(float(weight[0]), 3)
        -1.45

    Source: Sutskever and others 2013, "On the importance of initialization and momentum in deep
    learning", section 2.
    """

    learning_rate: Any = setting(RATE, default=0.01, attribute="_learning_rate")
    momentum: float = setting(SHARE, default=0.0)
    nesterov: bool = setting(BOOLEAN, default=False)

    def rests(self) -> bool:
        """Whether there is no momentum, which goes on moving a weight without a gradient."""
        return not self.momentum

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the last step, where there is momentum."""
        return like_each(weights, "momentum") if self.momentum else []

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight, and the step that it made."""
        step = gradient * now.rate
        if not self.momentum:
            return weight - step, {}
        velocity = kept["momentum"] * self.momentum - step
        ahead = velocity * self.momentum - step if self.nesterov else velocity
        return weight + ahead, {"momentum": velocity}


class RMSprop(Optimizer):
    """Steps along the gradient, divided by the root of its mean square.

    Equation: `v = rho * v + (1 - rho) * g ** 2`, `w -= r * g / sqrt(v + epsilon)`

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

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean square, the last step, the mean."""
        slots = like_each(weights, "velocity")
        if self.momentum:
            slots += like_each(weights, "momentum")
        return slots + (like_each(weights, "average_gradient") if self.centered else [])

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight, and the means that it was found with."""
        new = {"velocity": _mixed(self.rho, kept["velocity"], jnp.square(gradient))}
        variance = new["velocity"]
        if self.centered:
            new["average_gradient"] = _mixed(self.rho, kept["average_gradient"], gradient)
            variance = variance - jnp.square(new["average_gradient"])
        step = now.rate * gradient / jnp.sqrt(variance + self.epsilon)
        if self.momentum:
            new["momentum"] = step = self.momentum * kept["momentum"] + step
        return weight - step, new


class Adagrad(Optimizer):
    """Steps along the gradient, divided by the root of the sum of all squares so far.

    Equation: `a += g ** 2`, `w -= r * g / sqrt(a + epsilon)`

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

    def rests(self) -> bool:
        """Whether steps are divided by more than zero: a zero gradient then changes nothing."""
        return self.initial_accumulator_value + self.epsilon > 0

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the sum."""
        return like_each(weights, "accumulator", first=self.initial_accumulator_value)

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new sum."""
        total = kept["accumulator"] + jnp.square(gradient)
        step = now.rate * gradient / jnp.sqrt(total + self.epsilon)
        return weight - step, {"accumulator": total}


class Adadelta(Optimizer):
    """Steps along the gradient in the units of the weight: mean size of steps over gradients.

    Equation: `a = rho * a + (1 - rho) * g ** 2`, `d = -sqrt(s + epsilon) * g / sqrt(a + epsilon)`,
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

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean squares of gradients and of steps."""
        return like_each(weights, "accumulated_grad", "accumulated_delta_var")

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and both means."""
        steps = kept["accumulated_delta_var"]
        squares = _mixed(self.rho, kept["accumulated_grad"], jnp.square(gradient))
        size = jnp.sqrt(steps + self.epsilon)
        step = -(size * gradient / jnp.sqrt(squares + self.epsilon))
        steps = _mixed(self.rho, steps, jnp.square(step))
        new = {"accumulated_grad": squares, "accumulated_delta_var": steps}
        return weight + now.rate * step, new


class Lion(Optimizer):
    """Steps of one size in the direction of the mean gradient's sign.

    Equation: `w -= r * sign(b1 * m + (1 - b1) * g)`, `m = b2 * m + (1 - b2) * g`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean counts in the step.
        beta_2: how much of the mean is kept.
        **kwargs: see `Optimizer`.

    Source: Chen and others 2023, arXiv:2302.06675, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(SHARE, default=0.9)
    beta_2: float = setting(SHARE, default=0.99)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the mean."""
        return like_each(weights, "momentum")

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and the new mean."""
        # Keras takes these from 1 after rounding.
        beta_1, beta_2 = (jnp.asarray(b, weight.dtype) for b in (self.beta_1, self.beta_2))
        mean = kept["momentum"]
        direction = jnp.sign(_mixed(beta_1, mean, gradient))
        return weight - now.rate * direction, {"momentum": _mixed(beta_2, mean, gradient)}


class Ftrl(Optimizer):
    """Follows the leader over all gradients so far, so that weights of little use become zero.

    Equation: `z += g' - (n ** -p - a ** -p) / r * w` with `n = a + g ** 2`,
    `w = (clip(z, -l1, l1) - z) / (n ** -p / r + 2 * (l2 + beta / (2 * r)))`, `a = n`, where `g'` is
    the gradient plus twice the shrinkage times `w`.

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        learning_rate_power: the power `p` of 0 or less; 0 keeps the rate fixed.
        initial_accumulator_value: where the sum `a` of squares starts.
        l1_regularization_strength: the strength `l1`, of 0 or more.
        l2_regularization_strength: the strength `l2`, of 0 or more.
        l2_shrinkage_regularization_strength: the shrinkage, of 0 or more, which moves nothing
            where the gradient is zero.
        beta: as in the paper.
        **kwargs: see `Optimizer`.

    Source: McMahan and others 2013, "Ad click prediction: a view from the trenches", algorithm 1.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    learning_rate_power: float = setting(NOT_POSITIVE, default=-0.5)
    initial_accumulator_value: float = setting(NOT_NEGATIVE, default=0.1)
    l1_regularization_strength: float = setting(NOT_NEGATIVE, default=0.0)
    l2_regularization_strength: float = setting(NOT_NEGATIVE, default=0.0)
    l2_shrinkage_regularization_strength: float = setting(NOT_NEGATIVE, default=0.0)
    beta: float = setting(NUMBER, default=0.0)

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept: the sum of squares, and the linear part of the sum of losses."""
        sums, first = like_each(weights, "accumulator", "linear"), self.initial_accumulator_value
        return [replace(slot, first=first) if slot.name == "accumulator" else slot for slot in sums]

    def rule(self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment) -> Any:
        """Return the new weight and both sums."""
        power, limit = -self.learning_rate_power, self.l1_regularization_strength
        before, after = kept["accumulator"], kept["accumulator"] + jnp.square(gradient)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * weight
        change = (jnp.power(after, power) - jnp.power(before, power)) / now.rate
        linear = kept["linear"] + (shrunk - change * weight)
        ridge = self.l2_regularization_strength + self.beta / (2.0 * now.rate)
        quadratic = jnp.power(after, power) / now.rate + 2 * ridge
        weight = (jnp.clip(linear, -limit, limit) - linear) / quadratic
        return weight, {"accumulator": after, "linear": linear}


def _mixed(share: Any, old: Any, new: Any) -> Any:
    """Return a running mean: `share` of the old one, and the rest of what is new."""
    return share * old + (1 - share) * new
