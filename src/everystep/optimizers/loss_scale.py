"""A scale of the loss that finds itself, so that gradients in half precision do not vanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from everystep.core import Configurable, Variable, serialize, setting
from everystep.core.naming import snake_case
from everystep.core.registry import deserialize
from everystep.errors import SettingError
from everystep.kinds import NUMBER, POSITIVE, TEXT, Kind, optional, reject
from everystep.optimizers.applying import Applies
from everystep.optimizers.base import Optimizer


def _optimizer(value: Any) -> Optimizer:
    made = deserialize(value) if isinstance(value, dict) else value
    if not isinstance(made, Optimizer):
        reject(value)
    return made


INNER = Kind("an optimizer of everystep.optimizers", _optimizer, serialize, refused=("adam", 3))


class LossScaleOptimizer(Applies, Configurable, fills_settings=True):
    """An optimizer for losses that are scaled up as far as their gradients stay finite.

    Where a gradient is not finite, the scale is halved and the weights stay. After
    `dynamic_growth_steps` steps without such a gradient the scale is doubled.

    Args:
        inner_optimizer: the optimizer that gets the gradients, scaled back.
        initial_scale: the scale at the start; better too large than too small.
        dynamic_growth_steps: after how many good steps the scale is doubled.
        name: the optimizer's name.

    Raises:
        SettingError: the inner optimizer is none of `everystep.optimizers`.

    Example:
        >>> from everystep import Variable
        >>> from everystep.optimizers import SGD
        >>> weight, optimizer = Variable([1.0]), LossScaleOptimizer(SGD(0.5), initial_scale=8.0)
        >>> optimizer.apply([jnp.array([8.0])], [weight])
        >>> optimizer.apply([jnp.array([jnp.inf])], [weight])
        >>> weight.numpy().tolist(), float(optimizer.scale_loss(1.0))
        ([0.5], 4.0)

    Source: Micikevicius and others 2018, arXiv:1710.03740, section 3.2.
    """

    inner_optimizer: Any = setting(INNER)
    initial_scale: float = setting(NUMBER, default=2.0**15)
    dynamic_growth_steps: int = setting(POSITIVE, default=2000)
    name: str | None = setting(optional(TEXT), default=None)

    loss_scale_factor = None
    skips_nonfinite = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or snake_case(type(self).__name__)
        # The gradients would be scaled back twice.
        self.inner_optimizer.loss_scale_factor = None
        self.built = False
        self._weights: list[Variable] = []
        first: dict[str, Any] = {"iteration": 0, "learning_rate": 0.0, "step_counter": 0}
        first["dynamic_scale"] = self.initial_scale
        # The first two are Keras's and never change.
        self._own = [
            Variable(value, name=name, path=f"{self.name}/{name}", trainable=False)
            for name, value in first.items()
        ]

    @property
    def variables(self) -> list[Variable]:
        """The scale and what it follows from, then the variables of the inner optimizer."""
        return [*self._own, *self.inner_optimizer.variables]

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the inner optimizer's state for these weights."""
        self.inner_optimizer.build(variables)
        self._weights, self.built = list(variables), True

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return the values of weights and state after one update, as a pure function."""
        own, inner = list(optimizer_variables[:4]), list(optimizer_variables[4:])
        steps, rate, good, scale = own
        present = [grad for grad in grads if grad is not None]
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(grad)) for grad in present]))
        unscaled = [None if grad is None else grad / scale for grad in grads]
        weights, state = self.inner_optimizer.stateless_apply(inner, unscaled, trainable_variables)
        before, after = [*trainable_variables, *inner], [*weights, *state]
        chosen = [jnp.where(finite, new, old) for new, old in zip(after, before, strict=True)]
        grown = good == self.dynamic_growth_steps - 1
        scale = scale * jnp.where(finite, jnp.where(grown, 2.0, 1.0), 0.5)
        good = jnp.where(finite & ~grown, good + 1, 0)
        count = len(trainable_variables)
        return chosen[:count], [steps, rate, good, scale, *chosen[count:]]

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times the scale, which is to be differentiated."""
        return loss * self._own[3].value

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Let the inner optimizer give weights their running means."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def transform(self) -> Any:
        """Refuse, because optax scales no losses.

        Raises:
            SettingError: always.
        """
        raise SettingError("a LossScaleOptimizer is no optax transformation: take the inner one")
