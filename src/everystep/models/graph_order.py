"""The order of the calls and layers of a graph: Keras's, as a model's weights follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from everystep.errors import SettingError
from everystep.layers.symbols import Connected, KerasTensor, Node
from everystep.models.mask_arithmetic import Vertex, vertices_of

T = TypeVar("T")


def walk(starts: list[T], sources: Callable[[T], list[T]]) -> Iterator[tuple[T, bool]]:
    """Go back from some places, and yield each place as it is met and again after its sources.

    Args:
        starts: where to start.
        sources: returns the places behind a place.

    Example:
        >>> behind = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
        >>> [place for place, done in walk(["d"], behind.get) if done]
        ['a', 'b', 'c', 'd']
    """
    met: set[T] = set()
    stack = [(place, False) for place in reversed(starts)]
    while stack:
        place, done = stack.pop()
        if done:
            yield place, True
        elif place not in met:
            met.add(place)
            yield place, False
            stack.append((place, True))
            stack.extend((source, False) for source in reversed(sources(place)))


def nodes_of(symbols: list[KerasTensor]) -> list[Node]:
    """Return the calls that symbols come from."""
    return [symbol.node for symbol in symbols if symbol.node is not None]


def ordered(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[list[Node], list[Connected]]:
    """Return nodes and layers in Keras's order: the farthest from an output first.

    A layer stands where the farthest of its calls does. Layers that are equally far stand in the
    order in which one meets them going back from the outputs, nodes in that of their discovery.

    Raises:
        SettingError: the outputs do not follow from the inputs.
    """
    nodes = [
        node for node, done in walk(nodes_of(outputs), lambda node: nodes_of(node.inputs)) if done
    ]
    _refuse_missing(nodes, inputs)
    vertices = vertices_of(nodes)
    met: dict[Any, int] = {}
    finished: list[Vertex] = []
    ends = [vertices[node] for node in nodes_of(outputs)]
    for vertex, done in walk(ends, lambda vertex: vertex.sources):
        if done:
            finished.append(vertex)
        else:
            met.setdefault(vertex.owner, len(met))
    depths, owner_depths = _depths(finished)
    for node in nodes_of(inputs):
        if node.layer not in owner_depths:
            depths[Vertex(node=node)] = owner_depths[node.layer] = 0
            met[node.layer] = -1
    owners = sorted(owner_depths, key=lambda owner: (-owner_depths[owner], met[owner]))
    in_order = sorted(depths, key=lambda vertex: -depths[vertex])
    return (
        [vertex.node for vertex in in_order if vertex.node is not None],
        [owner for owner in owners if not isinstance(owner, Vertex)],
    )


def _depths(finished: list[Vertex]) -> tuple[dict[Vertex, int], dict[Any, int]]:
    """Return how far each call, and each layer, is from the outputs."""
    depths: dict[Vertex, int] = {}
    owners: dict[Any, int] = {}
    for vertex in reversed(finished):
        depth = max(depths.get(vertex, 0), owners.get(vertex.owner, 0))
        depths[vertex] = owners[vertex.owner] = depth
        for source in vertex.sources:
            depths[source] = max(depth + 1, depths.get(source, 0))
    return depths, owners


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
