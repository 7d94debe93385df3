"""Sequential: layers in a row, each reading what the one before it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import jax

from everystep.core.registry import deserialize, serialize
from everystep.errors import SettingError, StateError
from everystep.kinds import checked, optional, shown
from everystep.layers import Input, InputLayer, Layer, symbolic
from everystep.layers.symbols import KerasTensor, symbols_in
from everystep.models.graph import Graph
from everystep.models.model import Model


class Sequential(Model, fills_settings=True):
    """Layers in a row.

    Equation: `y = layers[-1](... layers[1](layers[0](x)))`.

    The weights come into being at the first call, or at once where the input shape is known: from
    an `Input` at the start, or from `input_shape` of the first layer.

    Args:
        layers: the layers, in order; an `Input` may stand first.
        trainable: whether training changes the weights.
        name: the model's name.
        dtype: a dtype or policy.

    Raises:
        SettingError: something in the list is not a layer, or two layers have one name.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential()
        >>> model.add(es.layers.Dense(5, input_shape=(50, 10)))
        >>> model.output_shape, model.count_params()
        ((None, 50, 5), 55)
    """

    one_input = True

    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        self._row: list[Layer] = []
        # The input, and what each layer gives for the one before.
        self._symbols: list[Any] = []
        super().__init__(trainable=trainable, name=name, **settings)
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without an `Input` at the start."""
        return [layer for layer in self._row if not isinstance(layer, InputLayer)]

    @checked
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Args:
            layer: the layer; an `Input` only as the first.
            rebuild: whether to build it at once, where the shape of its input is known.

        Raises:
            SettingError: it is not a layer, or a layer of that name is in the model.
            ShapeError: it does not fit the output of the layer before it.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None and not layer.node.inputs:
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise SettingError(
                f"model '{self.name}' takes layers, such as Dense(5), not {shown(layer)}"
            )
        if isinstance(layer, InputLayer) and self._row:
            raise SettingError(f"model '{self.name}': an Input can only stand first")
        if any(layer.name == other.name for other in self._row):
            raise SettingError(
                f"model '{self.name}' has a layer named '{layer.name}' already: give each layer of "
                "a model a name of its own"
            )
        self._row.append(layer)
        try:
            if rebuild:
                self._extend(layer)
        except Exception:
            self._row.pop()
            self._changed()
            raise

    def _extend(self, layer: Layer) -> None:
        """Build a layer that was put at the end, or all, if the shape is known only now."""
        if not self._symbols:
            self._changed()
            return
        self.forget_programs()
        with self._standing():
            self._symbols.append(layer(self._symbols[-1]))

    @checked
    def pop(self, rebuild: bool = True) -> Layer | None:
        """Take the last layer away and return it; None if there is none."""
        layer = self._row.pop() if self._row else None
        if rebuild:
            self._changed()
        return layer

    def _changed(self) -> None:
        """Build what can be built, now that the row is another one."""
        self._disconnect()
        self.built = False
        self._built_for = None
        self.forget_programs()
        if self.given_shape is not None and self.layers:
            self.build(self.given_shape)

    @checked(input_shape=optional(symbolic.SHAPES))
    def build(self, input_shape: Any) -> None:
        """Build the layers, each for what the one before it gives.

        Args:
            input_shape: the shape of the input, None where a size is not known; it may be left out
                where the model starts with an `Input`.
        """
        start = self._row[0] if self._row else None
        if isinstance(start, InputLayer) and symbolic.known(start.batch_shape) == input_shape:
            self._connect(start.output)
            return
        self._connect(
            jax.tree.map(
                lambda shape: Input(batch_shape=shape), input_shape, is_leaf=symbolic.is_shape
            )
        )

    def _ensure_built(self, values: Any, further: dict[str, Any]) -> None:
        """Build the layers for arrays of these shapes and dtypes."""
        if not self.built:
            self._built_for = symbolic.raw_shape_of(values)
            self._connect(
                jax.tree.map(
                    lambda array: Input(
                        batch_shape=symbolic.known(tuple(array.shape)), dtype=array.dtype
                    ),
                    values,
                )
            )
            self.built = True

    def _connect(self, inputs: Any) -> None:
        """Call each layer on the symbols that the one before it gives."""
        self._disconnect()
        self._symbols = [inputs]
        for layer in self.layers:
            self._symbols.append(layer(self._symbols[-1]))

    def _disconnect(self) -> None:
        """Forget the symbols between the layers, and that the layers were called on them."""
        for symbol in symbols_in(self._symbols[1:]):
            if symbol.node is not None and symbol.node in symbol.node.layer.nodes:
                symbol.node.layer.nodes.remove(symbol.node)
        self._symbols = []

    def _in_graph(self, what: str) -> Graph:
        if not self._symbols and self._built_for is not None:
            self.build(symbolic.known(self._built_for))
        if not self._symbols:
            raise StateError(
                f"Sequential model '{self.name}' has no defined {what} yet: put an Input first, "
                "give its first layer an input_shape, or call it on data"
            )
        return Graph.between(self._symbols[0], self._symbols[-1])

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_symbols": []}

    @property
    def given_shape(self) -> tuple[int | None, ...] | None:
        """The input shape that the first layer was given, or the one that the model was."""
        if self._row and isinstance(self._row[0], InputLayer):
            return tuple(self._row[0].batch_shape)
        own = self._row[0].given_shape if self._row else None
        return own or super().given_shape

    @property
    def input_dtype(self) -> str:
        """The dtype that was given with the `Input`, or what the first layer expects."""
        for layer in self._row:
            if not isinstance(layer, InputLayer) or layer.given_dtype:
                return layer.input_dtype
        return self.compute_dtype

    def check_values(self, inputs: Any) -> None:
        """Let the first layer check concrete values."""
        for layer in self.layers[:1]:
            layer.check_values(inputs)

    @property
    def called_by_graph(self) -> bool:
        """Whether the layers say all that a call does, and not code of a subclass."""
        return type(self).call is Sequential.call

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Run the layers one after the other."""
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the model's settings and those of its layers, as plain data."""
        config = super().get_config() | {"layers": [serialize(layer) for layer in self._row]}
        if self._built_for is not None:
            config["build_input_shape"] = list(self.input_shape)
        return config

    @classmethod
    @checked
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new model with the layers that `get_config` gave, built for the same shape."""
        settings = dict(config)
        shape = settings.pop("build_input_shape", None)
        model = cls(deserialize(settings.pop("layers", [])), **settings)
        if shape is not None and not model.built and model.layers:
            model.build(tuple(shape))
        return model
