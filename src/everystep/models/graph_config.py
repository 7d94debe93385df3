"""The configuration of a graph, as Keras writes it: layers, and for each the calls that reach it.

A symbol is written as the layer that gives it, the number of that layer's call, and the number of
the symbol among what the call gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from everystep.core.registry import deserialize, serialize
from everystep.errors import SettingError
from everystep.layers.symbols import Connected, KerasTensor, Node, replaced, symbols_in
from everystep.models.graph import Graph
from everystep.models.written_graph import Place, WrittenGraph, is_written_symbol, place_of
from everystep.sequences import Steps


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """Return the layers, inputs and outputs of a graph as plain data."""
    own = set(graph.nodes)
    calls = {layer: [node for node in layer.nodes if node in own] for layer in graph.layers}
    numbers = {node: number for nodes in calls.values() for number, node in enumerate(nodes)}
    symbols = {
        symbol: _symbol_to_config(symbol, node, number)
        for node, number in numbers.items()
        for symbol in node.outputs
    }
    layers = []
    for layer, nodes in calls.items():
        data = serialize(layer)
        data["name"] = layer.name
        data["inbound_nodes"] = [_node_to_config(node, symbols) for node in nodes if node.inputs]
        layers.append(data)

    def place(symbol: KerasTensor) -> list[Any]:
        name, number, position = symbols[symbol]["config"]["keras_history"]
        return [name, number + _layer_of(symbol).first_call, position]

    return {
        "layers": layers,
        "input_layers": jax.tree.map(place, graph.inputs),
        "output_layers": jax.tree.map(place, graph.outputs),
    }


def _layer_of(symbol: KerasTensor) -> Connected:
    assert symbol.node is not None, "a symbol of a graph comes from a call"
    return symbol.node.layer


def _symbol_to_config(symbol: KerasTensor, node: Node, number: int) -> dict[str, Any]:
    history = [node.layer.name, number, symbol.position]
    config = {"shape": list(symbol.shape), "dtype": symbol.dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def _node_to_config(node: Node, symbols: Mapping[KerasTensor, Any]) -> dict[str, Any]:
    args, kwargs = replaced((node.args, node.kwargs), symbols)
    if kwargs.get("mask") is False:
        kwargs["mask"] = None
    return {"args": serialize(args), "kwargs": serialize(kwargs)}


def graph_from_config(config: Mapping[str, Any]) -> tuple[Any, Any, list[str]]:
    """Return the symbols of inputs and outputs, and the names of the layers in their order.

    Raises:
        SettingError: the configuration is not that of a graph, or names a class that is in no
            table.
    """
    reader = _Reader(WrittenGraph.of(config))
    inputs = reader.symbols_at(config["input_layers"])
    outputs = reader.symbols_at(config["output_layers"])
    return inputs, outputs, list(reader.written.layers)


class _Reader:
    """Makes the calls of a written graph again, each after those whose results it takes."""

    def __init__(self, written: WrittenGraph) -> None:
        self.written = written
        self.layers: dict[str, Connected] = {}
        self.calls: dict[tuple[str, int], Node] = {}

    def symbols_at(self, data: Any) -> Any:
        """Return the symbols for a tree of places."""
        if isinstance(data, list | tuple) and len(data) == 3 and isinstance(data[0], str):
            place = place_of(data)
            first_call = self._layer(place.layer).first_call
            return self._symbol(Place(place.layer, place.call - first_call, place.position))
        if isinstance(data, dict):
            return {name: self.symbols_at(item) for name, item in data.items()}
        if isinstance(data, list | tuple):
            return type(data)(self.symbols_at(item) for item in data)
        raise SettingError(f"the configuration of a model has {data!r} where a symbol must stand")

    def _symbol(self, place: Place) -> KerasTensor:
        self._make(place.layer, place.call)
        outputs = self.calls[place.layer, place.call].outputs
        if not 0 <= place.position < len(outputs):
            raise SettingError(
                f"the configuration of a model takes output {place.position} of layer "
                f"'{place.layer}', which gives {len(outputs)}"
            )
        return outputs[place.position]

    def _make(self, layer: str, call: int) -> None:
        """Make a call, and before it all those that it needs, without recursion."""
        stack, begun = [(layer, call)], set()
        while stack:
            wanted = stack[-1]
            if wanted not in self.calls:
                missing = [one for one in self._needed(*wanted) if one not in self.calls]
                if missing and wanted in begun:
                    raise SettingError(
                        "Invalid Functional model configuration: the graph has a loop through "
                        f"layer '{wanted[0]}'"
                    )
                begun.add(wanted)
                stack.extend(missing)
                if missing:
                    continue
                self._call(*wanted)
            stack.pop()

    def _needed(self, layer: str, call: int) -> list[tuple[str, int]]:
        """Return the calls that must come before this one."""
        places = self.written.places_in(layer, call)
        earlier = [(layer, call - 1)] if call > 0 else []
        return [*earlier, *((place.layer, place.call) for place in places)]

    def _call(self, name: str, call: int) -> None:
        layer = self._layer(name)
        data = self.written.arguments(name, call)
        if data is not None:
            args, kwargs = self._read(data["args"]), self._read(data["kwargs"])
            if "mask" in kwargs and kwargs["mask"] is None and _has_steps(args):
                kwargs["mask"] = False
            layer(*args, **kwargs)  # type: ignore[operator]
        self.calls[name, call] = layer.nodes[-1]

    def _layer(self, name: str) -> Connected:
        if name not in self.layers:
            layer = deserialize(self.written.layer(name))
            if not isinstance(layer, Connected):
                raise SettingError(
                    f"the configuration of a model has '{name}', which is no layer but {layer!r}"
                )
            self.layers[name] = layer
        return self.layers[name]

    def _read(self, data: Any) -> Any:
        """Return the arguments that plain data stands for."""
        if isinstance(data, list):
            return [self._read(item) for item in data]
        if is_written_symbol(data):
            return self._symbol(place_of(data["config"]["keras_history"]))
        if isinstance(data, dict) and "class_name" not in data:
            return {name: self._read(item) for name, item in data.items()}
        return deserialize(data)


def _has_steps(args: Any) -> bool:
    """Whether a symbol carries a mask, where the file says that the layer was given none."""
    return any(isinstance(symbol.spec, Steps) for symbol in symbols_in(args))
