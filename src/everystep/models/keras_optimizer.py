"""The state of an optimizer in Keras's files: its variables in their order, after the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everystep.core.variables import Variable
from everystep.core.warning import warn_user
from everystep.models.rebuilding import Tensors, set_weights
from everystep.optimizers import LossScaleOptimizer, Optimizer

if TYPE_CHECKING:
    from everystep.models.model import Model

PLACE = "optimizer/"
_KINDS = (Optimizer, LossScaleOptimizer)


def optimizer_places_of(model: Model) -> dict[str, Variable]:
    """Return the state of a model's optimizer by place; nothing where Keras has none like it."""
    optimizer = model.optimizer
    if not isinstance(optimizer, _KINDS):
        return {}
    optimizer.build(model.trainable_variables)
    return _numbered(optimizer)


def _numbered(optimizer: Any, place: str = PLACE) -> dict[str, Variable]:
    """Return the variables by number; those of an optimizer inside stand under its own name too."""
    found = {f"{place}vars/{number}": each for number, each in enumerate(optimizer.variables)}
    if isinstance(optimizer, LossScaleOptimizer):
        found |= _numbered(optimizer.inner_optimizer, f"{place}inner_optimizer/")
    return found


def set_optimizer(model: Model, state: Tensors, where: str) -> None:
    """Give a model's optimizer the state that a file holds, or none of it with a warning.

    Args:
        model: the model; without an optimizer that Keras has nothing is done.
        state: the arrays that the file has of it, by place; there may be none.
        where: the file, for error messages.

    Raises:
        FormatError: a variable holds another kind of numbers.
    """
    if not state or not isinstance(model.optimizer, _KINDS):
        return
    # Keras makes the slots of weights at the first step; before it only what all weights share.
    variables = {} if model.optimizer.built else _numbered(model.optimizer)
    if variables.keys() != state.keys():
        variables = optimizer_places_of(model)
    shapes = {place: variable.shape for place, variable in variables.items()}
    if shapes == {place: array.shape for place, array in state.items()}:
        set_weights(variables, state, where)
        return
    warn_user(
        f"{where}: the state of the optimizer is left out: it is not that of "
        f"{type(model.optimizer).__name__} for this model, with {len(variables)} variables, but "
        f"has {len(state)} or other shapes"
    )
