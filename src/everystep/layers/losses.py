"""The losses of a layer: those that its calls add, and those of its weights' regularizers."""

from __future__ import annotations

from typing import Any

import jax

from everystep.core.scope import Scope, current_scope
from everystep.errors import SettingError, StateError
from everystep.layers.activity import activity_losses
from everystep.layers.weights import LayerWeights


class LayerLosses(LayerWeights):
    """A layer as something that adds to the loss."""

    # Which run the layer was in last, and the losses that it added there, where they have values.
    _last_run: Any
    _added: list[Any]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or several in a list, to the loss of the run that we are in.

        Raises:
            StateError: there is no run.
            SettingError: it is not a scalar.
        """
        scope = current_scope()
        if scope is None:
            raise StateError("`add_loss()` can only be called from inside a layer's call")
        for value in jax.tree.leaves(loss):
            if getattr(value, "ndim", 0) != 0:
                raise SettingError(
                    f"layer '{self.path}': add_loss takes scalars, not an array of shape "
                    f"{value.shape}; take its sum or mean"
                )
            scope.losses.append(value)
            if not isinstance(value, jax.core.Tracer):
                self._added.append(value)

    def _note_run(self, scope: Scope) -> None:
        if self._last_run is not scope.token:
            self._last_run, self._added = scope.token, []

    @property
    def losses(self) -> list[Any]:
        """What the layer and those inside added in its last call, and its weights' penalties."""
        scope = current_scope()
        added = self._added_in(self._last_run) if scope is None else list(scope.losses)
        return added + [
            variable.regularizer(variable.peek() if scope is None else variable.value)
            for variable in self.trainable_weights
            if variable.regularizer is not None
        ]

    def _added_in(self, run: Any) -> list[Any]:
        own = list(self._added) if self._last_run is run else []
        layers = [layer for layer in self.sublayers() if isinstance(layer, LayerLosses)]
        return own + [loss for layer in layers for loss in layer._added_in(run)]

    def _regularize_activity(self, outputs: Any) -> None:
        if self.activity_regularizer is not None:
            self.add_loss(activity_losses(self.activity_regularizer, outputs))
