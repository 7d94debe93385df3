"""Transformations of optax as optimizers, taken as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from everystep.core import Variable
from everystep.errors import SettingError
from everystep.kinds import NOT_NEGATIVE, Kind, reject
from everystep.optimizers.applying import Applies, constrained

if TYPE_CHECKING:
    import optax
# Not by its class, for which optax would have to be imported.
_TRANSFORMATION = Kind(
    "an optax transformation, with init and update",
    lambda value: value if callable(value.init) and callable(value.update) else reject(value),
)


class OptaxOptimizer(Applies):
    """A transformation of optax as an optimizer.

    Its learning rate can be set between steps if it was made by `optax.inject_hyperparams`.

    Args:
        transformation: what optax's functions return, such as `optax.adam(1e-3)`.

    Example:
        >>> import optax
        >>> from everystep import Variable
        >>> optimizer = OptaxOptimizer(optax.sgd(0.1, momentum=0.9))
        >>> optimizer.build([Variable([1.0, 2.0], name="bias", path="dense/bias")])
        >>> [variable.shape for variable in optimizer.variables]
        [(), (2,)]
    """

    loss_scale_factor = None

    def __init__(self, transformation: optax.GradientTransformation) -> None:
        _TRANSFORMATION.taken("OptaxOptimizer: transformation", transformation)
        self.name = "optax"
        self.transformation = transformation
        self.built = False
        self._weights: list[Variable] = []
        self._steps = Variable(0, name="iteration", path="optax/iteration", trainable=False)
        self._slots: list[Variable] = []
        self._structure: Any = None
        self._learning_rate: float | None = None

    @property
    def variables(self) -> list[Variable]:
        """The number of steps, then the arrays of optax's state."""
        return [self._steps, *self._slots]

    @property
    def iterations(self) -> Variable:
        """How many updates were made."""
        return self._steps

    def build(self, variables: Sequence[Variable]) -> None:
        """Make optax's state for these weights, which it knows by their paths.

        Other weights than before start another state, because only optax knows what belongs to
        which.
        """
        variables = list(variables)
        if self.built and [id(each) for each in variables] == [id(each) for each in self._weights]:
            return
        state = self.transformation.init(_by_path(variables, [each.value for each in variables]))
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        self._slots = [
            Variable(leaf, name="slot", path=f"optax{jax.tree_util.keystr(keys)}", trainable=False)
            for keys, leaf in leaves
        ]
        self._weights, self.built = variables, True
        if self._learning_rate is not None:
            self._inject(self._learning_rate)

    @property
    def learning_rate(self) -> float:
        """The rate that was set last.

        Raises:
            SettingError: none was set, so only optax knows it.
        """
        if self._learning_rate is None:
            raise SettingError(
                "the learning rate of an optax transformation is hidden in it: set it first, or "
                "take an optimizer of everystep.optimizers"
            )
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate = NOT_NEGATIVE.parse(value)
        if self.built:
            self._inject(self._learning_rate)

    def _inject(self, rate: float) -> None:
        """Set the rate in optax's state.

        Raises:
            SettingError: the transformation's state holds no learning rate.
        """
        import optax

        state = jax.tree.unflatten(self._structure, [slot.value for slot in self._slots])
        try:
            state = optax.tree_utils.tree_set(state, learning_rate=rate)
        except KeyError:
            raise SettingError(
                "the learning rate of this optax transformation is fixed: make it by "
                "optax.inject_hyperparams(optax.adam)(learning_rate=...) to set it between steps"
            ) from None
        for slot, value in zip(self._slots, jax.tree.leaves(state), strict=True):
            slot.assign(value)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return the values of weights and state after one update, as a pure function."""
        steps, *slots = optimizer_variables
        state = jax.tree.unflatten(self._structure, slots)
        weights = _by_path(self._weights, trainable_variables)
        filled = [
            jnp.zeros_like(weight) if grad is None else grad
            for grad, weight in zip(grads, trainable_variables, strict=True)
        ]
        updates, state = self.transformation.update(_by_path(self._weights, filled), state, weights)
        moved = [weights[path] + updates[path].astype(weights[path].dtype) for path in weights]
        return constrained(self._weights, moved), [steps + 1, *jax.tree.leaves(state)]

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss as it is."""
        return loss

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Leave the weights as they are."""

    def transform(self) -> optax.GradientTransformation:
        """Return the transformation."""
        return self.transformation

    def get_config(self) -> dict[str, Any]:
        """Refuse, because a transformation is functions, which cannot be written as data.

        Raises:
            SettingError: always.
        """
        raise SettingError(
            "an optax transformation cannot be written to a configuration: take an optimizer of "
            "everystep.optimizers"
        )


def _by_path(weights: Sequence[Variable], values: Sequence[Any]) -> dict[str, Any]:
    """Return values by the paths of the weights; a path that comes twice gets a number."""
    named: dict[str, Any] = {}
    for weight, value in zip(weights, values, strict=True):
        path, number = weight.path, 0
        while path in named:
            number += 1
            path = f"{weight.path}_{number}"
        named[path] = value
    return named
