"""Keras's way of calling a layer as a pure function, of lists of values in the layer's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from everystep.core.scope import EagerNoise, Scope, current_scope
from everystep.core.variables import Variable
from everystep.errors import DataError, StateError
from everystep.kinds import LISTED, checked
from everystep.layers import symbolic
from everystep.layers.losses import LayerLosses


class LayerStateless(LayerLosses):
    """The part of a layer that calls it on values of its weights, and leaves the weights alone."""

    @checked(trainable_variables=LISTED, non_trainable_variables=LISTED)
    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Call the layer as a pure function of its weights; `everystep.apply` is the same by path.

        Args:
            trainable_variables: a value for each of `self.trainable_variables`.
            non_trainable_variables: a value for each of `self.non_trainable_variables`.
            *args: what the layer is called on.
            return_losses: whether to return what the call and the weights add to the loss.
            **kwargs: further arguments of the layer's `call`.

        Returns:
            The outputs, the new values of the variables that training does not change, and the
            losses if they are asked for.

        Raises:
            StateError: the layer is not built, or needs random numbers while JAX traces it, where
                `everystep.apply` takes a key.
            DataError: there is not one value for each variable.

        Example:
            >>> import everystep as es, jax.numpy as jnp
            >>> layer = es.layers.Dense(2, use_bias=False)
            >>> _ = layer(jnp.ones((1, 3)))
            >>> outputs, rest = layer.stateless_call([jnp.ones((3, 2))], [], jnp.ones((1, 3)))
            >>> outputs.tolist(), rest
            ([[3.0, 3.0]], [])
        """
        if not self.built:
            raise StateError(
                f"To call stateless_call, layer '{self.path}' ({type(self).__name__}) must be "
                "built: call it on data first"
            )
        rest = self.non_trainable_variables
        values = _paired("trainable_variables", self.trainable_variables, trainable_variables)
        values |= _paired("non_trainable_variables", rest, non_trainable_variables)
        around = current_scope()
        noise = None if around is None else around.noise
        if around is None and not symbolic.is_traced((values, args, kwargs)):
            noise = EagerNoise()
        scope = Scope(values=values, noise=noise, parent=around)
        called: Any = self
        with scope.active():
            outputs = called(*args, **kwargs)
            state = [scope.value_of(variable) for variable in rest]
            return (outputs, state, self.losses) if return_losses else (outputs, state)


def _paired(name: str, variables: Sequence[Variable], values: Sequence[Any]) -> dict[int, Any]:
    if len(values) != len(variables):
        raise DataError(
            f"Argument `{name}` must be a list of tensors corresponding 1:1 to those of the layer: "
            f"received {len(values)}, but expected {len(variables)}, namely "
            f"{[variable.path for variable in variables]}"
        )
    return {id(variable): value for variable, value in zip(variables, values, strict=True)}
