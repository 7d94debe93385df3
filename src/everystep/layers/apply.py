"""The one door to a model's arithmetic: a pure function of weights, inputs and noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from everystep.core.randomness import Noise
from everystep.core.scope import Scope, current_scope
from everystep.core.tables import Tables
from everystep.core.variables import Variable
from everystep.errors import DataError
from everystep.kinds import MAPPING, checked, instance_of
from everystep.layers.layer import Layer


class Result(NamedTuple):
    """What one run of a layer leaves.

    Args:
        outputs: its outputs.
        state: the new values of weights that training does not change.
        losses: what layers added to the loss.
        left: what layers left for losses that ask for more than outputs, with the layers' names.
    """

    outputs: Any
    state: dict[str, Any]
    losses: list[Any]
    left: list[tuple[str, Any]]


LAYER = instance_of("a layer or a model", Layer)


def run(
    layer: Layer,
    variables: Mapping[str, Variable],
    weights: Mapping[str, Any],
    inputs: Any,
    *,
    training: bool = False,
    noise: Noise | None = None,
    real_rows: Any = None,
    tables: Tables | None = None,
    **kwargs: Any,
) -> Result:
    """Run a layer as a pure function of `weights`, `inputs` and `noise`.

    Args:
        layer: the layer or model, built.
        variables: its variables by path, from `layer.named_weights()`.
        weights: a value for each of them.
        inputs: what the layer is called on.
        training: whether layers behave as in training.
        noise: where random numbers come from, if any are needed.
        real_rows: which rows of the batch are real, bool (batch,); by default as around this run.
        tables: where to note which rows are read of some tables.
        **kwargs: further arguments of the layer's `call`.
    """
    around = current_scope()
    if real_rows is None and around is not None:
        real_rows = around.real_rows
    scope = Scope(
        values={id(variable): weights[path] for path, variable in variables.items()},
        training=training,
        noise=noise,
        parent=around,
        real_rows=real_rows,
        tables=tables,
    )
    with scope.active():
        outputs = layer(inputs, training=training, **kwargs)
        trains = layer.owned_variables()
        state = {
            path: scope.value_of(variable)
            for path, variable in variables.items()
            if not trains[variable]
        }
    return Result(outputs, state, scope.losses, scope.left)


@checked(layer=LAYER, weights=MAPPING)
def apply(
    layer: Layer,
    weights: Mapping[str, Any],
    inputs: Any,
    *,
    training: bool = False,
    key: jax.Array | None = None,
    **kwargs: Any,
) -> tuple[Any, dict[str, Any]]:
    """Run a layer as a pure function, under any JAX transformation.

    Make a function that calls it once and give that to `jax.jit` once: JAX knows a program again by
    its function, and compiles for a function that is made anew at each call.

    Args:
        layer: the layer or model, built.
        weights: a value for each weight, by path, as `weights_of(layer)` gives them.
        inputs: what the layer is called on.
        training: whether layers behave as in training.
        key: a JAX random key, needed where a layer draws random numbers.
        **kwargs: further arguments of the layer's `call`.

    Returns:
        The outputs, and the new values of the weights that training does not change.

    Raises:
        DataError: a weight is missing, or there is one that the layer does not have.

    Example:
        >>> import everystep as es, jax, jax.numpy as jnp
        >>> layer = es.layers.Dense(2, name="dense")
        >>> x = jnp.ones((4, 3))
        >>> _ = layer(x)
        >>> loss = lambda weights: es.apply(layer, weights, x)[0].sum()
        >>> {path: g.shape for path, g in jax.grad(loss)(es.weights_of(layer)).items()}
        {'dense/bias': (2,), 'dense/kernel': (3, 2)}
    """
    variables = layer.named_weights()
    if variables.keys() != weights.keys():
        missing = sorted(variables.keys() - weights.keys())
        extra = sorted(weights.keys() - variables.keys())
        raise DataError(
            f"the weights do not belong to layer '{layer.path}': missing {missing}, unknown "
            f"{extra}. Take them from everystep.weights_of(layer)"
        )
    noise = None if key is None else Noise(key, 0)
    result = run(layer, variables, weights, inputs, training=training, noise=noise, **kwargs)
    return result.outputs, result.state


@checked(layer=LAYER)
def weights_of(layer: Layer) -> dict[str, Any]:
    """Return the value of each weight of a layer or model, by path."""
    return {path: variable.value for path, variable in layer.named_weights().items()}
