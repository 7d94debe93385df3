"""Bidirectional: a recurrent layer once from the left and once from the right."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.core.registry import custom_object_scope
from everystep.core.settings import setting
from everystep.errors import SettingError, ShapeError
from everystep.kinds import shown
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.layers.wrappers import LAYER, Wrapper
from everystep.sequences import Steps

MERGES: dict[str | None, Callable[[Any, Any], Any]] = {
    "concat": lambda forward, backward: jnp.concatenate([forward, backward], -1),
    "sum": lambda forward, backward: forward + backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "mul": lambda forward, backward: forward * backward,
    None: lambda forward, backward: (forward, backward),
}


@runtime_checkable
class Directed(Protocol):
    """What Bidirectional asks of a layer: to say how it reads and what it returns."""

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool


class Bidirectional(Wrapper):
    """A recurrent layer that reads forward, and one that reads backward, merged at every step.

    Equation: `y_t = merge(forward(x)_t, backward(x)_t)`, where `backward` reads from the last step
    to the first and its output is turned round again, so that both speak of the same step (of the
    last step first, if it is the forward layer that has `go_backwards`). In a packed row each
    sequence is read backward from its own end. Padding gives zeros.

    Shapes: `(batch, steps, features)` -> `(batch, steps, 2 * units)` for `merge_mode="concat"`,
    `(batch, steps, units)` for the other modes, two such outputs for None; without the steps where
    the layer returns the last one alone. With `return_state` the states of both follow.

    Args:
        layer: a recurrent layer, or one of your own with `return_sequences`, `return_state`,
            `go_backwards` and `stateful`; a copy of it reads backward.
        merge_mode: `"concat"`, `"sum"`, `"ave"`, `"mul"`, or None for two outputs.
        weights: values to start from, as `set_weights` takes them.
        backward_layer: the layer that reads backward, instead of a copy.

    Raises:
        SettingError: the layer is not recurrent, or the two do not fit together.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.Bidirectional(es.layers.LSTM(4, return_sequences=True))
        >>> layer(np.zeros((2, 5, 3), "float32")).shape
        (2, 5, 8)

    Source: Schuster and Paliwal 1997, "Bidirectional recurrent neural networks".
    """

    merge_mode: str | None = setting(kinds.one_of(*MERGES), default="concat")
    weights: Any = setting(
        kinds.optional(kinds.LISTED), default=None, in_config=False, attribute="_first_weights"
    )
    backward_layer: Any = setting(
        kinds.optional(LAYER), default=None, attribute="_given_backward_layer"
    )

    composite = True
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")
    _first_weights: Any
    _given_backward_layer: Any

    def after_settings(self) -> None:
        """Make the two layers from the one that was given."""
        if not isinstance(self.layer, Directed):
            raise SettingError(
                f"Bidirectional takes a recurrent layer, such as LSTM(64), not {shown(self.layer)}"
            )
        name = self.layer.name.removeprefix("forward_")
        backwards = not self.layer.go_backwards
        self.backward_layer = self._given_backward_layer or _copied(
            self.layer, name=f"backward_{name}", go_backwards=backwards
        )
        self.forward_layer = self.layer = _copied(self.layer, name=f"forward_{name}")
        self._check_pair()
        self.return_sequences = self.forward_layer.return_sequences
        self.return_state = self.forward_layer.return_state
        self.stateful = self.forward_layer.stateful
        for layer in (self.forward_layer, self.backward_layer):
            # As in Keras: at padding neither direction has anything to say.
            layer.zero_output_for_mask = layer.return_sequences

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Why the layer does not stream: one of the two reads backward."""
        return (
            "reads from the last step to the first, and in a stream the last step is never there: "
            f"train the model with the forward layer alone, {type(self.layer).__name__}(...)"
        )

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(forward, name) != getattr(backward, name, None):
                raise SettingError(f"Bidirectional: both layers must have the same {name}")
        if forward.go_backwards == backward.go_backwards:
            raise SettingError(
                "Bidirectional: one layer must read forward and the other backward: give the "
                "backward_layer go_backwards=True"
            )

    def build(self, input_shape: Any) -> None:
        """Build both layers, and give them the first weights where there are some."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(input_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(self, sequences: Any, initial_state: Any = None, training: bool = False) -> Any:
        """Run both layers, turn the one that reads backward round, and merge."""
        outputs, states = [], []
        layers = (self.forward_layer, self.backward_layer)
        for layer, first in zip(layers, _halves(self, initial_state), strict=True):
            given = {} if first is None else {"initial_state": first}
            output, *state = _listed(layer(sequences, training=training, **given))
            outputs.append(output)
            states.extend(state)
        forward, backward = (
            output.values if isinstance(output, Steps) else output for output in outputs
        )
        if self.forward_layer.return_sequences:
            backward = jnp.flip(backward, 1)
        merged = MERGES[self.merge_mode](forward, backward)
        if isinstance(outputs[0], Steps):
            merged = jax.tree.map(outputs[0].with_values, merged)
        if not self.forward_layer.return_state:
            return merged
        return (*(merged if self.merge_mode is None else (merged,)), *states)

    def reset_state(self) -> None:
        """Set the states that last from call to call to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state


def _copied(layer: Any, **changes: Any) -> Any:
    """Return a new layer with the settings of one, whose classes and functions no table needs."""
    named: dict[str, Any] = {}
    for one in _with_sublayers(layer):
        functions = [value for value in vars(one).values() if inspect.isfunction(value)]
        named |= {function.__name__: function for function in functions}
        named[type(one).__name__] = type(one)
    with custom_object_scope(named):
        return type(layer).from_config(layer.get_config() | changes)


def _with_sublayers(layer: Any) -> list[Any]:
    return [layer, *(inner for one in layer.sublayers() for inner in _with_sublayers(one))]


def _listed(outputs: Any) -> list[Any]:
    """Return a layer's outputs as a list."""
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


def _halves(layer: Layer, initial_state: Any) -> tuple[Any, Any]:
    """Return the states for the forward and for the backward layer."""
    if initial_state is None:
        return None, None
    half, odd = divmod(len(initial_state), 2)
    if odd:
        raise ShapeError(
            f"layer '{layer.path}' (Bidirectional) needs as many initial states for each direction,"
            f" but was given {len(initial_state)}"
        )
    return initial_state[:half], initial_state[half:]
