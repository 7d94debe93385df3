"""The summary of a model: layers, output shapes and parameters, as plain data and as a table."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax

from everystep.errors import SettingError, StateError
from everystep.kinds import shown
from everystep.layers import Layer, symbolic
from everystep.models.graph import Graph, HasLayers

if TYPE_CHECKING:
    from rich.table import Table

    from everystep.models.model import Model


@dataclass(frozen=True)
class Line:
    """One layer, or operation, of a summary.

    Args:
        name: the layer's name.
        kind: its class.
        output_shapes: the shape of its output, None where a size is not known: one for each of its
            calls that gives another shape, none if it has not been called.
        parameters: the number of elements of its weights, or None if not built.
        trainable: whether training changes it, or None if it has no weights.
        depth: how many models it stands in, below the one that is summarised.
        sources: where its inputs come from: `lstm[0][1]` is what the first call of `lstm` gives
            second.
    """

    name: str
    kind: str
    output_shapes: list[Any]
    parameters: int | None
    trainable: bool | None
    depth: int
    sources: list[str]


def lines(model: Model, expand_nested: bool = False) -> list[Line]:
    """Return the summary of a model as plain data."""
    return list(_lines(model, {}, expand_nested, 0))


def _lines(
    model: Layer, around: dict[Any, list[Any]], expand_nested: bool, depth: int
) -> Iterator[Line]:
    """Yield a line for each layer of a model.

    Args:
        model: the model.
        around: the output shapes of layers that are known from the model around.
        expand_nested: whether to go into models inside.
        depth: how many models stand around.
    """
    graph = model._graph if isinstance(model, HasLayers) else None
    shapes = _shapes_in_graph(graph) if graph else _shapes_in_calls(model) or around
    for layer in graph.layers if graph else _parts(model):
        weighted = isinstance(layer, Layer) and (not layer.built or bool(layer.weights))
        yield Line(
            layer.name,
            type(layer).__name__,
            shapes.get(layer, []),
            _parameters(layer),
            layer.trainable if weighted else None,
            depth,
            _sources(graph, layer) if graph else [],
        )
        if expand_nested and isinstance(layer, Layer) and _parts(layer):
            yield from _lines(layer, shapes, expand_nested, depth + 1)


def _parts(layer: Layer) -> list[Any]:
    """Return the layers of a model; those inside other layers are their own business."""
    return layer.layers if isinstance(layer, HasLayers) else []


def _parameters(layer: Any) -> int | None:
    if not isinstance(layer, Layer):
        return 0
    return layer.count_params() if layer.built else None


def _shapes_in_graph(graph: Graph) -> dict[Any, list[Any]]:
    """Return the shapes that the calls of each layer of a graph give."""
    found: dict[Any, list[Any]] = {}
    for node in graph.nodes:
        shape = jax.tree.map(lambda symbol: symbol.shape, node.result)
        _add_new(found.setdefault(node.layer, []), shape)
    return found


def _shapes_in_calls(model: Layer) -> dict[Any, list[Any]]:
    """Return the shapes that the layers of a model give while it runs on shapes alone."""
    found: dict[Any, list[Any]] = {}
    if model.built and model._built_for is not None:
        shape = symbolic.known(model._built_for)
        for call in symbolic.trace(model, shape).calls:
            _add_new(found.setdefault(call.layer, []), symbolic.shape_of(call.outputs))
    return found


def _add_new(shapes: list[Any], shape: Any) -> None:
    if shape not in shapes:
        shapes.append(shape)


def _sources(graph: Graph, layer: Any) -> list[str]:
    """Return where the inputs of all calls of a layer come from."""
    return [
        f"{symbol.node.layer.name}[{graph.call_number(symbol.node)}][{symbol.position}]"
        for node in graph.calls_of(layer)
        for symbol in node.inputs
        if symbol.node is not None
    ]


def size_in_words(count: int) -> str:
    """Return a number of bytes as Keras writes it.

    >>> size_in_words(220), size_in_words(2048)
    ('220.00 B', '2.00 KB')
    """
    size, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.2f} {units[0]}"


def totals(model: Layer) -> dict[str, tuple[int, int]]:
    """Return the number of parameters and of their bytes: all, trainable, and not trainable."""
    groups = {
        "Total": model.weights,
        "Trainable": model.trainable_weights,
        "Non-trainable": model.non_trainable_weights,
    }
    return {
        name: (sum(v.size for v in variables), sum(v.nbytes for v in variables))
        for name, variables in groups.items()
    }


def _shapes_in_words(shapes: list[Any]) -> str:
    """Return the shapes of a layer's calls, each of one output or of several."""
    return "; ".join(str(shape) for shape in shapes) or "?"


def _is_row(graph: Graph | None) -> bool:
    """Whether the layers of a graph follow one another, so that one need not say which."""
    if graph is None:
        return True
    taken = [symbol.node for node in graph.nodes for symbol in node.inputs]
    once = len(set(taken)) == len(taken) and len(graph.nodes) == len(graph.layers)
    return once and all(len(node.inputs) < 2 for node in graph.nodes)


def table_of(
    model: Model, expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None
) -> Table:
    """Return the summary as a table."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f'Model: "{model.name}"', title_justify="left", box=box.HEAVY_HEAD)
    table.title_style = "bold"
    connected = not _is_row(model._graph)
    table.add_column("Layer (type)")
    table.add_column("Output Shape")
    table.add_column("Param #", justify="right")
    if connected:
        table.add_column("Connected to")
    if show_trainable:
        table.add_column("Trainable", justify="center")
    for line in _ranged(lines(model, expand_nested), layer_range):
        nested = f"{'   ' * line.depth}└ " if line.depth else ""
        cells = [
            f"{nested}{line.name} ({line.kind})",
            _shapes_in_words(line.output_shapes),
            "0 (unbuilt)" if line.parameters is None else f"{line.parameters:,}",
            *([", ".join(line.sources) or "-"] if connected else []),
            *([_TRAINABLE[line.trainable]] if show_trainable else []),
        ]
        table.add_row(*map(escape, cells))
    return table


_TRAINABLE = {True: "Y", False: "N", None: "-"}


def _ranged(all_lines: list[Line], layer_range: Any) -> list[Line]:
    if layer_range is None:
        return all_lines
    names = [line.name for line in all_lines]
    if len(layer_range) != 2:
        raise SettingError(
            f"layer_range must name the first and the last layer to list, not {shown(layer_range)}"
        )
    first, last = (
        [number for number, name in enumerate(names) if re.match(pattern, name)]
        for pattern in layer_range
    )
    if not first or not last:
        raise StateError(f"layer_range names {layer_range}, but the layers are {', '.join(names)}")
    if first[0] > last[-1]:
        first, last = last, first
    return all_lines[first[0] : last[-1] + 1]


def print_summary(
    model: Model,
    line_length: int | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Any,
) -> None:
    """Print the summary, or hand it to `print_fn` as one string."""
    from rich.console import Console

    text = io.StringIO()
    console = (
        Console(width=line_length)
        if print_fn is None
        else Console(file=text, width=line_length or 80)
    )
    console.print(table_of(model, expand_nested, show_trainable, layer_range))
    for name, (count, size) in totals(model).items():
        console.print(f" {name} params: {count:,} ({size_in_words(size)})", highlight=False)
    if print_fn is not None:
        print_fn(text.getvalue())
