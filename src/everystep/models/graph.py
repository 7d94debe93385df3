"""The graph of a functional model: which calls of layers lead from its inputs to its outputs.

The order of layers and calls is Keras's, because the order of a model's weights follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from everystep.errors import SettingError
from everystep.kinds import shown
from everystep.layers import Input
from everystep.layers.symbols import Connected, KerasTensor, Node, replaced, symbols_in
from everystep.models.graph_order import nodes_of, ordered, walk


@dataclass(frozen=True)
class Graph:
    """The calls between inputs and outputs.

    Args:
        inputs: the symbols of the inputs, in the tree in which the model was given them.
        outputs: the symbols of the outputs, likewise.
        nodes: the calls, each after those whose results it takes.
        layers: the layers and operations that are called, in Keras's order.
    """

    inputs: Any
    outputs: Any
    nodes: list[Node]
    layers: list[Any]

    @classmethod
    def between(cls, inputs: Any, outputs: Any) -> Graph:
        """Return the graph from inputs to outputs.

        An input that some layer gave is cut off from it: the graph starts there, with an Input of
        its own.

        Raises:
            SettingError: something is not a symbol, an output does not follow from the inputs, or
                two layers have one name.
        """
        _refuse_others("inputs", inputs)
        _refuse_others("outputs", outputs)
        if any(symbol.node is None or symbol.node.inputs for symbol in symbols_in(inputs)):
            inputs, outputs = _copied(inputs, outputs)
        nodes, layers = ordered(symbols_in(inputs), symbols_in(outputs))
        names = [layer.name for layer in layers]
        for name in names:
            if names.count(name) > 1:
                raise SettingError(
                    f'The name "{name}" is used {names.count(name)} times in the model. All layers '
                    "and operations of a model need names of their own: give one another name"
                )
        return cls(inputs, outputs, nodes, layers)

    @property
    def input_symbols(self) -> list[KerasTensor]:
        """The symbols of the inputs, in the order of their tree."""
        return symbols_in(self.inputs)

    @property
    def output_symbols(self) -> list[KerasTensor]:
        """The symbols of the outputs, in the order of their tree."""
        return symbols_in(self.outputs)

    def calls_of(self, layer: Connected) -> list[Node]:
        """Return the calls of a layer that belong to the graph, in the order they were made."""
        own = set(self.nodes)
        return [node for node in layer.nodes if node in own]

    def call_number(self, node: Node) -> int:
        """Return which of its layer's calls in the graph a node is."""
        return self.calls_of(node.layer).index(node)

    def run(self, values: dict[KerasTensor, Any], call: Callable[..., Any]) -> Any:
        """Return the outputs for a value of each input.

        Args:
            values: what each input symbol stands for; what is computed is added.
            call: calls a layer on its arguments: `call(layer, *args, **kwargs)`.
        """
        for node in self.nodes:
            if node.inputs:
                args, kwargs = node.filled(values)
                outputs = node.listed(call(node.layer, *args, **kwargs))
                values |= zip(node.outputs, outputs, strict=True)
        return replaced(self.outputs, values)


class HasLayers:
    """What one can look into: a model, made of symbols or not."""

    _graph: Graph | None = None

    @property
    def layers(self) -> list[Any]:
        """The layers, in order."""
        raise NotImplementedError


def _refuse_others(what: str, tree: Any) -> None:
    leaves = jax.tree.leaves(tree)
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise SettingError(
                f"All `{what}` values must be KerasTensors, such as Input(shape) and what layers "
                f"give for it, not {shown(leaf)} of type {type(leaf).__name__}"
            )
    if not leaves:
        raise SettingError(f"`{what}` argument cannot be empty: {tree!r}")


def _copied(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return inputs that are all made by `Input`, and outputs that follow from those."""
    copies = {
        symbol: symbol
        if _is_start(symbol)
        else Input(batch_shape=symbol.shape, dtype=symbol.dtype, name=symbol.name)
        for symbol in symbols_in(inputs)
    }
    starts = set(copies)

    def behind(symbols: list[KerasTensor]) -> list[Node]:
        return nodes_of([symbol for symbol in symbols if symbol not in starts])

    for node, done in walk(behind(symbols_in(outputs)), lambda node: behind(node.inputs)):
        if done and any(copies.get(symbol, symbol) is not symbol for symbol in node.inputs):
            args, kwargs = node.filled(copies)
            specs = jax.tree.map(lambda symbol: symbol.spec, node.result)
            copies |= zip(node.outputs, Node(node.layer, args, kwargs, specs).outputs, strict=True)
    return replaced(inputs, copies), replaced(outputs, copies)


def _is_start(symbol: KerasTensor) -> bool:
    return symbol.node is not None and not symbol.node.inputs
