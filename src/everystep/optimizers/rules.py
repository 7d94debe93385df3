"""The optimizers, one a class: Keras's arguments and defaults, and the rule of optax behind them.

optax differs from Keras in where the small constant `epsilon` stands in Adam, Nadam and Adamax, in
`amsgrad`, which takes the largest corrected mean square, and in Nadam, whose momentum is constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everystep.core import Kind, setting
from everystep.core.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE
from everystep.optimizers.base import RATE, Optimizer

if TYPE_CHECKING:
    import optax

DECAY = Kind("a number of 0 or more", NOT_NEGATIVE.parse, refused=(-1.0, "1", None))


class SGD(Optimizer):
    """Steps along the gradient: `w -= r * g`; with momentum `v = m * v + g; w -= r * v`.

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        momentum: the share `m` of the last step that is kept.
        nesterov: whether to take `m * v + g` instead of `v`.
        **kwargs: see `Optimizer`.

    Example:
        >>> import jax.numpy as jnp
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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        if not self.momentum:
            return optax.identity()
        return optax.trace(self.momentum, self.nesterov)


class Adam(Optimizer):
    """Steps along the mean gradient, divided by the root of the mean square.

    `m += (1 - b1) (g - m)`, `v += (1 - b2) (g ** 2 - v)`,
    `w -= r * m / (1 - b1 ** t) / (sqrt(v / (1 - b2 ** t)) + epsilon)`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root.
        amsgrad: whether the mean square never shrinks.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Reddi and others 2018,
    arXiv:1904.09237, algorithm 2 for `amsgrad`.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)
    amsgrad: bool = setting(BOOLEAN, default=False)

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        scale = optax.scale_by_amsgrad if self.amsgrad else optax.scale_by_adam
        return scale(self.beta_1, self.beta_2, self.epsilon)


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

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2, with constant
    momentum.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        return optax.scale_by_adam(self.beta_1, self.beta_2, self.epsilon, nesterov=True)


class Adamax(Optimizer):
    """Adam with the largest gradient so far in place of the mean square.

    `m += (1 - b1) (g - m)`, `u = max(b2 * u, |g| + epsilon)`, `w -= r / (1 - b1 ** t) * m / u`

    Args:
        learning_rate: the rate `r`, or a schedule: a function of the step.
        beta_1: how much of the mean is kept.
        beta_2: how much of the largest gradient is kept.
        epsilon: added to the size of the gradient.
        **kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 2.
    """

    learning_rate: Any = setting(RATE, default=0.001, attribute="_learning_rate")
    beta_1: float = setting(FRACTION, default=0.9)
    beta_2: float = setting(FRACTION, default=0.999)
    epsilon: float = setting(NOT_NEGATIVE, default=1e-7)

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        return optax.scale_by_adamax(self.beta_1, self.beta_2, self.epsilon)


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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        scale = optax.scale_by_stddev if self.centered else optax.scale_by_rms
        scaled = scale(self.rho, self.epsilon)
        return optax.chain(scaled, optax.trace(self.momentum)) if self.momentum else scaled


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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        return optax.scale_by_rss(self.initial_accumulator_value, self.epsilon)


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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        return optax.scale_by_adadelta(self.rho, self.epsilon)


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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's rule."""
        import optax

        return optax.scale_by_lion(self.beta_1, self.beta_2)
