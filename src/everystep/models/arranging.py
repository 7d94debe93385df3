"""What a functional model is called on, brought into the order and form of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from everystep.core.dtypes import is_float
from everystep.core.scope import current_scope
from everystep.errors import DataError
from everystep.layers.spec import InputSpec
from everystep.layers.symbolic import is_spec
from everystep.layers.symbols import KerasTensor
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.models.of_symbols import OfSymbols


def arranged(model: OfSymbols, given: Any) -> dict[KerasTensor, Any]:
    """Return the value of each input symbol, in its form.

    Args:
        model: the model, of a graph.
        given: one array, a list of them in the order of the inputs, or a dict by the inputs' names,
            or the tree of the model's own inputs.

    Raises:
        DataError: there are fewer or more arrays than inputs, or one has no name of an input.
        ShapeError: an array does not have the rank or a size of its input.
    """
    values = {}
    for number, (symbol, value) in enumerate(paired(model, given).items()):
        values[symbol] = _fitted(model, symbol, value)
        _spec(symbol).check(model, [values[symbol].shape], first=number)
    return values


def paired(model: OfSymbols, given: Any) -> dict[KerasTensor, Any]:
    """Return what is given for each input symbol, whatever its shape.

    Raises:
        DataError: there are fewer or more arrays than inputs, or one has no name of an input.
    """
    symbols = model.inputs
    if isinstance(given, dict):
        leaves = _by_name(model, given)
    else:
        leaves = jax.tree.leaves(given, is_leaf=_is_steps)
    if len(leaves) != len(symbols):
        raise DataError(
            f"Layer '{model.path}' ({type(model).__name__}) expects {len(symbols)} input(s), but "
            f"it received {len(leaves)} input tensors. Give one array for each of its inputs "
            f"{model.input_names}: a list in that order, or a dict of these names"
        )
    return dict(zip(symbols, leaves, strict=True))


def _by_name(model: OfSymbols, given: dict[str, Any]) -> list[Any]:
    """Return the arrays of a dict in the order of the inputs."""
    tree = model.input
    names = sorted(tree) if isinstance(tree, dict) else model.input_names
    missing = [name for name in names if name not in given]
    if missing:
        raise DataError(
            f"model '{model.name}' was given the inputs {sorted(given)}, but has {names}: "
            f"missing {missing}"
        )
    return jax.tree.leaves([given[name] for name in names], is_leaf=_is_steps)


def _fitted(model: OfSymbols, symbol: KerasTensor, value: Any) -> Any:
    """Return a value with the rank and the kind of numbers of its input.

    As in Keras, a last axis of size 1 may be missing, or be there in vain.
    """
    if value.ndim == symbol.ndim + 1 and value.shape[-1] == 1:
        value = _on_values(value, lambda array: array[..., 0])
    elif value.ndim == symbol.ndim - 1 and symbol.shape[-1] == 1:
        value = _on_values(value, lambda array: array[..., None])
    given = symbol.node.layer.given_dtype  # type: ignore[union-attr]
    if given is None or not is_float(value) or value.dtype == given:
        return value
    if jnp.issubdtype(jnp.dtype(given), jnp.integer):
        raise DataError(
            f"model '{model.name}' takes {given} as its input '{symbol.name}', not {value.dtype}: "
            f"convert it with x.astype('{given}')"
        )
    return _on_values(value, lambda array: array.astype(given))


def _on_values(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to the array of a value, or to a shape and dtype that stand for one."""
    if _is_steps(value):
        return value.replace(values=_on_values(value.values, function))
    return jax.eval_shape(function, value) if is_spec(value) else function(value)


def _spec(symbol: KerasTensor) -> InputSpec:
    """Return the rank and sizes that a value of a symbol must have, whatever the batch.

    Whatever the number of steps, too, in a run that asks what the layers take.
    """
    scope = current_scope()
    free = 2 if scope is not None and scope.any_steps and symbol.ndim > 1 else 1
    axes = {a: s for a, s in enumerate(symbol.shape) if a >= free and s is not None}
    return InputSpec(ndim=symbol.ndim, axes=axes)


def _is_steps(value: Any) -> bool:
    return isinstance(value, Steps)
