"""A graph without its symbols, for copies and pickles: which layers are called on what, in order.

Symbols and calls hold each other, one behind the other; to follow them would take as many levels
of recursion as a model is deep. So a copy is told the calls, and makes them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax

from everystep.layers.symbols import KerasTensor, replaced
from everystep.models.graph import Graph


class Result(NamedTuple):
    """What stands for a symbol: the number of the call that gives it, and of its output."""

    call: int
    position: int


@dataclass(frozen=True)
class GraphState:
    """The calls of a graph.

    Args:
        inputs: a `Result` for each input, in their tree.
        outputs: likewise for the outputs.
        calls: the layer of each call, and its arguments with `Result` in place of symbols.
        layers: the layers in their order.
    """

    inputs: Any
    outputs: Any
    calls: list[tuple[Any, Any, Any]]
    layers: list[Any]

    @classmethod
    def of(cls, graph: Graph) -> GraphState:
        """Write down the calls of a graph."""
        results = {
            symbol: Result(number, position)
            for number, node in enumerate(graph.nodes)
            for position, symbol in enumerate(node.outputs)
        }
        calls = [(node.layer, *replaced((node.args, node.kwargs), results)) for node in graph.nodes]
        inputs, outputs = replaced((graph.inputs, graph.outputs), results)
        return cls(inputs, outputs, calls, graph.layers)

    def graph(self) -> Graph:
        """Make the calls, and return the graph of them."""
        nodes: list[Any] = []

        def symbol(leaf: Any) -> Any:
            return nodes[leaf.call].outputs[leaf.position] if isinstance(leaf, Result) else leaf

        def symbols(tree: Any) -> Any:
            return jax.tree.map(symbol, tree, is_leaf=lambda leaf: isinstance(leaf, Result))

        for layer, args, kwargs in self.calls:
            if args or kwargs:
                layer(*symbols(args), **symbols(kwargs))
            nodes.append(layer.nodes[-1])
        return Graph(symbols(self.inputs), symbols(self.outputs), nodes, self.layers)


def without_symbols(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
    """Return the arguments that a model was made with, without symbols, which no copy may hold."""
    return jax.tree.map(lambda leaf: None if isinstance(leaf, KerasTensor) else leaf, arguments)
