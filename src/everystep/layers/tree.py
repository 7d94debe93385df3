"""A layer as a tree: its settings, the layers inside, and the weights of all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from everystep import kinds
from everystep.core.dtypes import DTYPE, DTypePolicy
from everystep.core.naming import path_of
from everystep.core.settings import Configurable, setting
from everystep.core.variables import Variable, VariableHolder
from everystep.errors import ShapeError, StateError
from everystep.kinds import LISTED, checked
from everystep.regularizers import REGULARIZER


class LayerSettings(Configurable):
    """The settings that every layer has."""

    name: str = setting(kinds.optional(kinds.NAME), default=None, kw_only=True)
    trainable: bool = setting(kinds.BOOLEAN, default=True, kw_only=True, attribute="_trainable")
    dtype: Any = setting(DTYPE, default=None, kw_only=True, attribute="_dtype_policy")
    activity_regularizer: Any = setting(
        REGULARIZER, default=None, kw_only=True, in_config="where given"
    )
    autocast: bool = setting(kinds.BOOLEAN, default=True, kw_only=True, in_config=False)
    input_shape: Any = setting(
        kinds.optional(kinds.SHAPE),
        default=None,
        kw_only=True,
        in_config=False,
        attribute="_input_shape",
    )
    batch_input_shape: Any = setting(
        kinds.optional(kinds.SHAPE),
        default=None,
        kw_only=True,
        in_config=False,
        attribute="_batch_input_shape",
    )

    _trainable: bool
    _input_shape: tuple[int | None, ...] | None
    _batch_input_shape: tuple[int | None, ...] | None
    _dtype_policy: DTypePolicy


class LayerTree(LayerSettings):
    """The weights of a layer and of the layers inside it, found where its attributes hold them."""

    built: bool
    _path: str | None

    @property
    def path(self) -> str:
        """Where the layer stands: the names of the layers around it, and its own."""
        return self._path or path_of(self.name)

    def __setattr__(self, name: str, value: Any) -> None:
        # What comes in the place of a None comes after what the layer got in between, as in Keras.
        if isinstance(value, Variable | LayerTree | list | dict) and vars(self).get(name) is None:
            vars(self).pop(name, None)
        super().__setattr__(name, value)

    def sublayers(self) -> list[LayerTree]:
        """Return the layers that this one holds, in the order in which it got them."""
        return _members(self).layers

    def held_variables(self) -> list[Variable]:
        """Return the variables that this layer itself holds, those made trainable first."""
        return _in_order(_members(self).variables)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the layer and the layers inside hold."""
        own = [holder for holder in _members(self).holders if holder.measures]
        return own + [metric for layer in self.sublayers() for metric in layer.metrics]

    def owned_variables(self, trainable: bool = True) -> dict[Variable, bool]:
        """Return all variables, and whether training changes each.

        A layer's own come first, of them the trainable ones, each in the order in which they were
        made; then those of its metrics and random generators, and those of the layers inside.

        Args:
            trainable: whether training changes anything in the layers around.
        """
        trainable = trainable and self._trainable
        members = _members(self)
        owned = {own: trainable and own.trainable for own in _in_order(members.variables)}
        for holder in members.holders:
            owned |= dict.fromkeys(holder.variables, False)
        for layer in members.layers:
            for variable, trains in layer.owned_variables(trainable).items():
                owned.setdefault(variable, trains)
        return owned

    @property
    def variables(self) -> list[Variable]:
        """All weights and states: the layer's own, trainable ones first, then its sublayers'.

        Those of metrics that the layer holds are not among them.
        """
        counted = {variable for metric in self.metrics for variable in metric.variables}
        return [variable for variable in self.owned_variables() if variable not in counted]

    @property
    def weights(self) -> list[Variable]:
        """All variables but the states that last from call to call only."""
        return [variable for variable in self.variables if not variable.temporary]

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer's weights; setting it sets all layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        members = _members(self)
        for variable in members.variables:
            variable.trainable = bool(value) and variable.made_trainable
        for layer in members.layers:
            layer.trainable = value

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [variable for variable, trains in self.owned_variables().items() if trains]

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights and states that training leaves alone."""
        trained = self.owned_variables()
        return [variable for variable in self.variables if not trained[variable]]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [variable for variable in self.non_trainable_variables if not variable.temporary]

    def named_weights(self) -> dict[str, Variable]:
        """Return all variables by path, metrics' too; a path that comes twice gets a number."""
        named: dict[str, Variable] = {}
        for variable in self.owned_variables():
            path, number = variable.path, 0
            while path in named:
                number += 1
                path = f"{variable.path}_{number}"
            named[path] = variable
        return named

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of all weights, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    @checked(weights=LISTED)
    def set_weights(self, weights: Any) -> None:
        """Give all weights new values, in the order of `weights`.

        Raises:
            StateError: the layer has no weights yet.
            ShapeError: the number of arrays or the shape of one does not fit.
        """
        weights, variables = list(weights), self.weights
        if weights and not variables and not self.built:
            raise StateError(
                f"layer '{self.path}' has no weights yet: call it on data, or build it with a "
                "shape, before you set its weights"
            )
        if len(weights) != len(variables):
            raise ShapeError(
                f"You called `set_weights(weights)` on layer '{self.path}', which has "
                f"{len(variables)} weights, but was given {len(weights)}; "
                f"it expects {[variable.shape for variable in variables]}"
            )
        for variable, value in zip(variables, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ShapeError(
                    f"weight '{variable.path}' has shape {variable.shape} and cannot take a value "
                    f"of shape {np.shape(value)}"
                )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Return the number of elements of all weights.

        Raises:
            StateError: the layer is not built, so the number is not known.
        """
        if not self.built:
            raise StateError(
                f"You tried to call `count_params` on layer '{self.path}', but it is not built, so "
                "its parameters cannot be counted: call it on data, or give it an input_shape"
            )
        return sum(variable.size for variable in self.weights)


class _Members(NamedTuple):
    """What a layer's attributes hold, each thing once."""

    variables: list[Variable]
    layers: list[LayerTree]
    holders: list[VariableHolder]


def _in_order(variables: list[Variable]) -> list[Variable]:
    return sorted(variables, key=lambda own: (not own.made_trainable, own.number))


_PLAIN = {bool, bytes, float, int, str, type(None)}
"""Types of most attributes, which hold nothing: asked first, as every call of a model looks."""


def _members(layer: LayerTree) -> _Members:
    found: list[Any] = []
    for name, value in vars(layer).items():
        if type(value) not in _PLAIN and name != "_given":
            _collect(value, found)
    members = dict.fromkeys(found)
    return _Members(
        [member for member in members if isinstance(member, Variable)],
        [member for member in members if isinstance(member, LayerTree)],
        [member for member in members if isinstance(member, VariableHolder)],
    )


def _collect(value: Any, found: list[Any]) -> None:
    """Add what an attribute holds of variables and layers, in lists, tuples and dicts too."""
    if isinstance(value, (Variable, LayerTree, VariableHolder)):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, found)
