"""A model as a graph of symbols: made of inputs and outputs, run, written and copied."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import jax

from everystep.core.registry import serialize
from everystep.core.scope import current_scope
from everystep.core.sharing import sharing
from everystep.errors import StateError
from everystep.kinds import checked
from everystep.layers import Layer, symbolic
from everystep.layers.symbols import KerasTensor
from everystep.models.arranging import arranged, paired
from everystep.models.graph import Graph, HasLayers
from everystep.models.graph_config import graph_from_config, graph_to_config
from everystep.models.graph_state import GraphState, without_symbols

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_OPEN = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
_GRAPH_KEYS = {"layers", "input_layers", "output_layers"}


class OfSymbols(HasLayers, Layer, fills_settings=True):
    """A layer that may be made of symbols: of its inputs, and of the outputs that follow.

    It is that if it is given them; without them it is a layer with a `call` of its own.
    """

    composite = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not names_graph(args, kwargs):
            super().__init__(*args, **kwargs)
            return
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
        graph = Graph.between(given.pop("inputs"), given.pop("outputs"))
        super().__init__(**{name: value for name, value in given.items() if value is not None})
        if self._own_init:
            self._given = without_symbols(self._given)
        self._graph, self._members_of_graph = graph, graph.layers
        # In Keras's files the making of a functional model counts as a call.
        self.first_call = 1
        self._built_for = jax.tree.map(lambda symbol: symbol.shape, graph.inputs)
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layers between inputs and outputs, each intermediate result once."""
        if self._graph is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call` method implemented"
            )
        return _alone_or_all(self._graph.run(arranged(self, args[0]), _call_in_mode))

    @property
    def is_graph(self) -> bool:
        """Whether the model is made of symbols."""
        return self._graph is not None

    @property
    def called_by_graph(self) -> bool:
        """Whether the graph says all that a call does, and not code of a subclass."""
        return self.is_graph and type(self).call is OfSymbols.call

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbols of the inputs, in order.

        Raises:
            StateError: the model is not made of symbols.
        """
        return self._in_graph("inputs").input_symbols

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbols of the outputs, in order."""
        return self._in_graph("outputs").output_symbols

    @property
    def input(self) -> Any:
        """The symbols of the inputs, in the tree in which they were given."""
        return self._in_graph("input").inputs

    @property
    def output(self) -> Any:
        """The symbols of the outputs, in the tree in which they were given."""
        return self._in_graph("output").outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in order."""
        return [symbol.name for symbol in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs, in order."""
        return [symbol.node.layer.name for symbol in self.outputs if symbol.node is not None]

    def _in_graph(self, what: str) -> Graph:
        if self._graph is None:
            raise StateError(
                f"model '{self.name}' ({type(self).__name__}) has no defined {what}: it is not "
                "made of symbols. Make it with Model(inputs, outputs), or a Sequential with an "
                "Input first"
            )
        return self._graph

    @property
    def input_dtype(self) -> Any:
        """The dtype of the input that the model expects, or a list with one for each."""
        if self._graph is None:
            return super().input_dtype
        dtypes = [symbol.dtype for symbol in self.inputs]
        return dtypes[0] if len(dtypes) == 1 else dtypes

    def check_values(self, inputs: Any) -> None:
        """Let the layers that read the inputs check concrete values."""
        if self._graph is not None:
            values = paired(self, inputs)
            for node in self._graph.nodes:
                first = node.args[0] if node.args else None
                value = values.get(first) if isinstance(first, KerasTensor) else None
                if value is not None and isinstance(node.layer, Layer):
                    node.layer.check_values(value)

    @property
    def layers(self) -> list[Layer]:
        """The layers that the model is made of."""
        if self._graph is not None:
            return [layer for layer in self._graph.layers if isinstance(layer, Layer)]
        return [layer for layer in self.sublayers() if isinstance(layer, Layer)]

    @property
    def input_shape(self) -> Any:
        """The input's shape, None where a size is not known; a list for several inputs.

        Raises:
            StateError: the model has not been built.
        """
        if self._graph is not None:
            return _one_or_all([symbol.shape for symbol in self.inputs])
        if self._built_for is None:
            raise StateError(
                f"model '{self.name}' is not built, so its shapes are not known: call it on data, "
                "call build with a shape, or put an Input first"
            )
        return symbolic.known(self._built_for)

    @property
    def output_shape(self) -> Any:
        """The output's shape, None where a size is not known; a list for several outputs."""
        if self._graph is not None:
            return _one_or_all([symbol.shape for symbol in self.outputs])
        return self.compute_output_shape(self.input_shape)

    @checked(input_shape=symbolic.SHAPES)
    def compute_output_shape(self, input_shape: Any, *shapes: Any, **named: Any) -> Any:
        """Return the output shape for an input shape, call by call.

        Args:
            input_shape: the input's shape, or a tree of shapes, None where a size is not known.
            *shapes: taken by layers whose call has further arguments; none here.
            **named: the same by name.
        """
        if self._graph is None:
            return super().compute_output_shape(input_shape, *shapes, **named)
        given, tree = jax.tree.flatten(input_shape, is_leaf=symbolic.is_shape)
        dtypes = symbolic.input_dtypes(self, len(given))
        specs = jax.tree.unflatten(tree, list(map(symbolic.struct, given, dtypes)))
        return symbolic.shape_of(self.output_specs((specs,), {}))

    def output_specs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the shapes and dtypes of the outputs, call by call.

        So sizes that the data alone decide are in the way in no call, as in none of the graph.
        """
        if self._graph is None or len(args) != 1 or kwargs:
            return super().output_specs(args, kwargs)
        return _alone_or_all(
            self._graph.run(
                arranged(self, args[0]),
                lambda layer, *args, **kwargs: layer.output_specs(args, kwargs),
            )
        )

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain data, and of a model of symbols its layers and calls."""
        if self._graph is None or not self.takes_symbols():
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable} | graph_to_config(self._graph)

    @classmethod
    @checked
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new model from what `get_config` gave, here or in Keras."""
        if not (config.keys() >= _GRAPH_KEYS and cls.takes_symbols()):
            return super().from_config(config)
        inputs, outputs, order = graph_from_config(config)
        rest = {name: value for name, value in config.items() if name not in _GRAPH_KEYS}
        return cls(inputs=inputs, outputs=outputs, **rest).in_order_of(order)

    def in_order_of(self, names: list[str]) -> Self:
        """Let the layers of the graph stand in the order of these names, and return the model.

        Names that are missing, because the layers are others, leave the order as it is.
        """
        graph = self._in_graph("layers")
        if {layer.name for layer in graph.layers} <= set(names):
            ordered = sorted(graph.layers, key=lambda layer: names.index(layer.name))
            self._graph, self._members_of_graph = replace(graph, layers=ordered), ordered
        return self

    @classmethod
    def takes_symbols(cls) -> bool:
        """Whether the class is made of inputs, outputs and a name, so that a graph says it all."""
        if not cls._own_init:
            return True
        parameters = inspect.signature(cls.__init__).parameters.values()
        names = [parameter.name for parameter in parameters if parameter.kind in _BY_PLACE]
        given = {parameter.kind for parameter in parameters}
        return names[1:] == ["inputs", "outputs", "name"] or given >= _OPEN

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return state | {"_graph": None if self._graph is None else GraphState.of(self._graph)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        written = state["_graph"]
        vars(self).update(state | {"_graph": None if written is None else written.graph()})

    def to_json(self, **kwargs: Any) -> str:
        """Return the model's class and configuration as JSON, without weights.

        Args:
            **kwargs: arguments of `json.dumps`.
        """
        with sharing():
            return json.dumps(serialize(self), **kwargs)


def names_graph(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the arguments of a model are symbols of inputs and outputs."""
    return len(args) > 1 or ("outputs" in kwargs and (len(args) == 1 or "inputs" in kwargs))


def _one_or_all(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


def _alone_or_all(outputs: Any) -> Any:
    """Return what a list of one output holds, as Keras does."""
    alone = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if alone else outputs


def _call_in_mode(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer in the mode of the run, where it was asked for, else in the layer's own."""
    scope = current_scope()
    if scope is not None and scope.training is not None:
        kwargs.pop("training", None)
    return layer(*args, **kwargs)
