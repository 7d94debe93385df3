"""Keras's object around a pure update: variables that are written, one update after the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any, ClassVar

import numpy as np

from everystep.core import Variable
from everystep.errors import StateError
from everystep.kinds import ARRAY, LISTED, Kind, checked, optional, reject


def _variables(value: Any) -> list[Variable]:
    found = [each for each in value if isinstance(each, Variable)]
    return found if len(found) == len(value) else reject(value)


def _pairs(value: Any) -> list[tuple[Any, Variable]]:
    pairs = [(gradient, variable) for gradient, variable in value]
    _variables([variable for _, variable in pairs])
    return pairs


VARIABLES = Kind("a list of variables, such as layer.trainable_variables", _variables)
_GRADIENTS = Kind(
    "a list of arrays, with None where a weight has no gradient",
    lambda value: [None if each is None else ARRAY.parse(each) for each in value],
)
_PAIRS = Kind("pairs of a gradient and a variable", _pairs)


class Applies:
    """What every optimizer does with its variables; the update itself is `stateless_apply`."""

    name: str | None
    built: bool
    skips_nonfinite: ClassVar[bool] = False
    """Whether gradients that are not finite are part of how it works, and change no weight."""
    _weights: list[Variable]

    @property
    def variables(self) -> list[Variable]:
        """The state in Keras's order."""
        raise NotImplementedError(f"{type(self).__name__} must define variables")

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these weights."""
        raise NotImplementedError(f"{type(self).__name__} must define build")

    def moves_rows(self, weight: Variable) -> bool:
        """Whether an update of a weight needs only the rows that have a gradient."""
        return False

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return the values of weights and state after one update, as a pure function."""
        raise NotImplementedError(f"{type(self).__name__} must define stateless_apply")

    @checked(grads=_GRADIENTS, trainable_variables=optional(VARIABLES))
    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Update weights by their gradients, at once.

        Args:
            grads: the gradient of each weight; one that is None leaves its weight alone.
            trainable_variables: the weights; by default those that the optimizer was built for.

        Raises:
            StateError: it was never told the weights, or was built for others.

        Example:
            >>> import jax.numpy as jnp
            >>> from everystep import Variable
            >>> from everystep.optimizers import SGD
            >>> weight = Variable([1.0, 2.0])
            >>> SGD(0.5).apply([jnp.ones(2)], [weight])
            >>> weight.numpy().tolist()
            [0.5, 1.5]
        """
        if not self.built and trainable_variables is not None:
            self.build(trainable_variables)
        chosen = self._weights if trainable_variables is None else list(trainable_variables)
        if len(chosen) != len(grads):
            raise StateError(
                f"optimizer '{self.name}' got {len(grads)} gradients for {len(chosen)} weights: "
                "give one for each, or name the weights as the second argument"
            )
        given = {id(weight): grad for weight, grad in zip(chosen, grads, strict=True)}
        known = [id(weight) for weight in self._weights]
        for weight in chosen:
            if id(weight) not in known:
                raise StateError(
                    f"Unknown variable: {weight.path}. Optimizer '{self.name}' was built for "
                    "other weights: build it for all weights at once, or make another"
                )
        self._refuse_missing(chosen, grads)
        values = [variable.value for variable in self.variables]
        weights, state = self.stateless_apply(
            values, [given.get(key) for key in known], [weight.value for weight in self._weights]
        )
        for variable, value in zip(
            [*self._weights, *self.variables], [*weights, *state], strict=True
        ):
            variable.assign(value)

    def _refuse_missing(self, weights: Sequence[Any], grads: Sequence[Any]) -> None:
        missing = [w.path for w, grad in zip(weights, grads, strict=True) if grad is None]
        if grads and len(missing) == len(grads):
            raise StateError(
                "No gradients provided for any variable: the loss depends on none of "
                f"{', '.join(missing)}"
            )
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss: they "
                "stay as they are",
                stacklevel=3,
            )

    @checked(grads_and_vars=_PAIRS)
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Update weights by pairs of gradient and weight; return the number of steps made."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [weight for _, weight in pairs])
        return self.variables[0]

    @checked(weights=LISTED)
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give all variables new values, in the order of `variables`.

        Raises:
            StateError: the optimizer is not built, or there are more or fewer variables.
        """
        if not self.built or len(weights) != len(self.variables):
            raise StateError(
                f"optimizer '{self.name}' has {len(self.variables)} variables and was given "
                f"{len(weights)} values: build it for the weights of the model first"
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the value of each variable into a mapping, under its number in `variables`."""
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote; the optimizer has been built.

        Raises:
            StateError: there are more or fewer variables.
        """
        self.set_weights([np.asarray(store[str(number)]) for number in range(len(store))])


def constrained(owners: Sequence[Variable], weights: Sequence[Any]) -> list[Any]:
    """Return new values of weights after their constraints."""
    return [
        weight if owner.constraint is None else owner.constraint(weight)
        for owner, weight in zip(owners, weights, strict=True)
    ]
