"""The summary of a model: layers, output shapes and parameters, as plain data and as a table."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everystep.errors import StateError
from everystep.layers import Layer, symbolic

if TYPE_CHECKING:
    from rich.table import Table

    from everystep.models.model import Model


@dataclass(frozen=True)
class Line:
    """One layer of a summary.

    Args:
        name: the layer's name.
        kind: its class.
        output_shape: its output's shape, None where a size is not known, or None if not built.
        parameters: the number of elements of its weights, or None if not built.
        trainable: whether training changes it.
        depth: how many models it stands in, below the one that is summarised.
    """

    name: str
    kind: str
    output_shape: Any
    parameters: int | None
    trainable: bool
    depth: int


def lines(model: Model, expand_nested: bool = False) -> list[Line]:
    """Return the summary of a model as plain data."""
    shapes: dict[Layer, Any] = {}
    if model.built and model._built_for is not None:
        calls = symbolic.trace(model, model.input_shape).calls
        shapes = {layer: symbolic.shape_of(outputs) for layer, _, outputs in calls}
    return list(_lines(model, shapes, expand_nested, 0))


def _lines(
    model: Layer, shapes: dict[Layer, Any], expand_nested: bool, depth: int
) -> Iterator[Line]:
    for layer in getattr(model, "layers", model.sublayers()):
        yield Line(
            layer.name,
            type(layer).__name__,
            shapes.get(layer),
            layer.count_params() if layer.built else None,
            layer.trainable,
            depth,
        )
        if expand_nested and hasattr(layer, "layers"):
            yield from _lines(layer, shapes, expand_nested, depth + 1)


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


def _shape_in_words(shape: Any) -> str:
    return "?" if shape is None else str(shape)


def table_of(
    model: Model, expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None
) -> Table:
    """Return the summary as a table."""
    from rich import box
    from rich.table import Table

    table = Table(title=f'Model: "{model.name}"', title_justify="left", box=box.HEAVY_HEAD)
    table.title_style = "bold"
    table.add_column("Layer (type)")
    table.add_column("Output Shape")
    table.add_column("Param #", justify="right")
    if show_trainable:
        table.add_column("Trainable", justify="center")
    for line in _ranged(lines(model, expand_nested), layer_range):
        cells = [
            f"{'  ' * line.depth}{line.name} ({line.kind})",
            _shape_in_words(line.output_shape),
            "0 (unbuilt)" if line.parameters is None else f"{line.parameters:,}",
        ]
        table.add_row(*cells, *(["Y" if line.trainable else "N"] if show_trainable else []))
    return table


def _ranged(all_lines: list[Line], layer_range: Any) -> list[Line]:
    if layer_range is None:
        return all_lines
    names = [line.name for line in all_lines]
    first, last = layer_range
    for name in (first, last):
        if name not in names:
            raise StateError(f"layer_range names '{name}', but the layers are {', '.join(names)}")
    return all_lines[names.index(first) : names.index(last) + 1]


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
