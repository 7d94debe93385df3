"""The graph of a functional model: which calls of layers lead from its inputs to its outputs.

The order of layers and calls is Keras's, because the order of a model's weights follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

import jax

from everystep.errors import SettingError
from everystep.layers import Input
from everystep.layers.symbols import Connected, KerasTensor, Node, replaced, symbols_in


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
        nodes, layers = _ordered(symbols_in(inputs), symbols_in(outputs))
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
                f"give for it, not {leaf!r} of type {type(leaf).__name__}"
            )
    if not leaves:
        raise SettingError(f"`{what}` argument cannot be empty: {tree!r}")


def _walk(outputs: list[KerasTensor], ends: Container[KerasTensor]) -> Iterator[tuple[Node, bool]]:
    """Go back from the outputs, and yield each node as it is met and again after its sources.

    Args:
        outputs: where to start.
        ends: symbols behind which the graph does not go on.
    """
    met: set[Node] = set()
    stack = _sources(outputs, ends)
    while stack:
        node, done = stack.pop()
        if done:
            yield node, True
        elif node not in met:
            met.add(node)
            yield node, False
            stack.append((node, True))
            stack.extend(_sources(node.inputs, ends))


def _sources(symbols: list[KerasTensor], ends: Container[KerasTensor]) -> list[tuple[Node, bool]]:
    """Return the nodes that give these symbols, the first one last."""
    nodes = [(s.node, False) for s in symbols if s.node is not None and s not in ends]
    return nodes[::-1]


def _copied(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return inputs that are all made by `Input`, and outputs that follow from those."""
    copies = {
        symbol: symbol
        if _is_start(symbol)
        else Input(batch_shape=symbol.shape, dtype=symbol.dtype, name=symbol.name)
        for symbol in symbols_in(inputs)
    }
    for node, done in _walk(symbols_in(outputs), copies):
        if done and any(copies.get(symbol, symbol) is not symbol for symbol in node.inputs):
            args, kwargs = node.filled(copies)
            specs = jax.tree.map(lambda symbol: symbol.spec, node.result)
            copies |= zip(node.outputs, Node(node.layer, args, kwargs, specs).outputs, strict=True)
    return replaced(inputs, copies), replaced(outputs, copies)


def _is_start(symbol: KerasTensor) -> bool:
    return symbol.node is not None and not symbol.node.inputs


def _ordered(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[list[Node], list[Connected]]:
    """Return nodes and layers in Keras's order: the farthest from an output first.

    A layer stands where the farthest of its calls does. Layers that are equally far stand in the
    order in which one meets them going back from the outputs, nodes in that of their discovery.
    """
    met: dict[Connected, int] = {}
    finished = []
    for node, done in _walk(outputs, ()):
        if done:
            finished.append(node)
        else:
            met.setdefault(node.layer, len(met))
    _refuse_missing(finished, inputs)
    depths: dict[Node, int] = {}
    layer_depths: dict[Connected, int] = {}
    for node in reversed(finished):
        depth = max(depths.get(node, 0), layer_depths.get(node.layer, 0))
        depths[node] = layer_depths[node.layer] = depth
        for symbol in node.inputs:
            if symbol.node is not None:
                depths[symbol.node] = max(depth + 1, depths.get(symbol.node, 0))
    for symbol in inputs:
        if symbol.node is not None and symbol.node.layer not in layer_depths:
            depths[symbol.node] = layer_depths[symbol.node.layer] = 0
            met[symbol.node.layer] = -1
    nodes = sorted(depths, key=lambda node: -depths[node])
    return nodes, sorted(layer_depths, key=lambda layer: (-layer_depths[layer], met[layer]))


def _refuse_missing(nodes: list[Node], inputs: list[KerasTensor]) -> None:
    """Raise an error if a node takes a symbol that does not follow from the inputs."""
    computed = set(inputs)
    accessed: list[str] = []
    for node in nodes:
        for symbol in node.inputs or node.outputs:
            if symbol not in computed:
                raise SettingError(
                    f"Graph disconnected: cannot find parent for tensor {symbol} at operation "
                    f"'{node.layer.name}'. The following previous operations were accessed without "
                    f"issue: {accessed}. Put the Input that it comes from into the model's inputs"
                )
        accessed.append(node.layer.name)
        computed |= set(node.outputs)
