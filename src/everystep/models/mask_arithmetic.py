"""What Keras computes with masks in a graph, as far as the order of its layers depends on it.

In Keras a mask on its way from layer to layer is arithmetic of the graph: operations that make the
way from an input to an output longer. Here segments need none. But the order of layers, and with it
that of a model's weights, follows from those lengths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from everystep.layers import Layer
from everystep.layers.symbols import Connected, KerasTensor, Node, symbols_in

_PASSES = frozenset(
    (
        "Activation",
        "ActivityRegularization",
        "AdditiveAttention",
        "AlphaDropout",
        "Attention",
        "BatchNormalization",
        "Dense",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "GroupNormalization",
        "GroupQueryAttention",
        "Identity",
        "LayerNormalization",
        "LeakyReLU",
        "MultiHeadAttention",
        "PReLU",
        "ReLU",
        "Softmax",
        "SpatialDropout1D",
        "TimeDistributed",
        "UnitNormalization",
    )
)
"""The layers that hand their first input's mask on."""

_TAKES = frozenset(
    (
        "BatchNormalization",
        "Bidirectional",
        "Functional",
        "GRU",
        "GlobalAveragePooling1D",
        "LSTM",
        "RNN",
        "Sequential",
        "SimpleRNN",
        "Softmax",
        "TimeDistributed",
    )
)
"""The layers to which Keras hands a mask by name, so that its arithmetic is behind them."""

_RECURRENT = frozenset(["Bidirectional", "GRU", "LSTM", "RNN", "SimpleRNN"])
_MERGES = frozenset(["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"])


@dataclass(eq=False)
class Vertex:
    """A call in Keras's graph: one of ours, or an operation on masks.

    Args:
        sources: the calls whose results it takes, in order.
        node: our call, if it is one.
    """

    sources: list[Vertex] = field(default_factory=list)
    node: Node | None = None

    @property
    def owner(self) -> Connected | Vertex:
        """What is called: a layer, or an operation that is called once."""
        return self if self.node is None else self.node.layer


def vertices_of(nodes: Iterable[Node]) -> dict[Node, Vertex]:
    """Return the vertex of each node of a graph.

    Args:
        nodes: the nodes, each after those whose results it takes.
    """
    found: dict[Node, Vertex] = {}
    masks: dict[KerasTensor, Vertex | None] = {}
    for node in nodes:
        given = [found[symbol.node] for symbol in node.inputs if symbol.node is not None]
        found[node] = Vertex(given + _taken(node, masks), node)
        inside = [found[symbol.node] for symbol in _first(node) if symbol.node is not None]
        masks |= zip(node.outputs, _given_on(node, inside, masks), strict=False)
    return found


def _first(node: Node) -> list[KerasTensor]:
    """Return the symbols of a call's input."""
    if not isinstance(node.layer, Layer):
        return []
    return symbols_in(
        node.args[0] if node.args else node.kwargs.get(node.layer.call_signature.first)
    )


def _taken(node: Node, masks: Mapping[KerasTensor, Vertex | None]) -> list[Vertex]:
    """Return the masks that a layer is handed: those of its input, if that is all it is given."""
    arguments = (*node.args, *node.kwargs.values())
    alone = sum(bool(symbols_in(argument)) for argument in arguments) == 1
    if not alone or not isinstance(node.layer, Layer):
        return []
    if type(node.layer).__name__ not in _TAKES:
        return []
    return [mask for symbol in _first(node) if (mask := masks.get(symbol)) is not None]


def _given_on(
    node: Node, inputs: list[Vertex], masks: Mapping[KerasTensor, Vertex | None]
) -> list[Vertex | None]:
    """Return the masks of a layer's outputs."""
    layer: Any = node.layer
    name = type(layer).__name__ if isinstance(layer, Layer) else ""
    given = [masks.get(symbol) for symbol in _first(node)]
    known = [mask for mask in given if mask is not None]
    if name == "Embedding" and layer.mask_zero:
        return [Vertex(inputs)]
    if name == "Masking":
        return [Vertex([Vertex(inputs)])]
    if not known:
        return []
    if name in _MERGES:
        return [_any_of(known)] if len(known) == len(given) else []
    if name == "Concatenate":
        sides = zip(inputs, given, strict=True)
        return [Vertex([Vertex([_spread(*side) for side in sides])])]
    if name in _RECURRENT:
        reads = layer.forward_layer if name == "Bidirectional" else layer
        count = 2 if name == "Bidirectional" and layer.merge_mode is None else 1
        return given[:1] * count if reads.return_sequences else []
    return given[:1] if name in _PASSES else []


def _any_of(masks: list[Vertex]) -> Vertex:
    """Return the mask by which a step is real where one of these says so, two at a time."""
    first, *rest = masks
    for other in rest:
        first = Vertex([first, other])
    return first


def _spread(array: Vertex, mask: Vertex | None) -> Vertex:
    """Return a mask with the shape of its array."""
    return Vertex([array]) if mask is None else Vertex([Vertex([mask]), Vertex([array])])
