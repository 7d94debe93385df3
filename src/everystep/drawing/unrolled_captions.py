"""The words beside the rows of an unrolled model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from everystep.drawing.explained import Explained, LayerRead
from everystep.drawing.layer_weights import (
    LayerWeights,
    layer_name,
    shapes_in_words,
    weights_in_words,
)
from everystep.drawing.marks import Mark, mark
from everystep.drawing.places import shortened

_LONGEST: Final = 42
_LONGEST_KIND: Final = 22
_LETTER: Final = 6.3
_LINE: Final = 16
_BESIDE: Final = 26


@dataclass(frozen=True)
class Caption:
    """What is said of a row.

    Args:
        name: the name of the layer or input.
        kind: what it is.
        lines: what else is said.
    """

    name: str
    kind: str
    lines: list[str]

    @property
    def width(self) -> float:
        """How much room it takes."""
        heading = 1.08 * len(f"{self.name}  {self.kind}")
        return _LETTER * max(heading, *map(len, self.lines)) + _BESIDE

    def drawn(self, x: float, y: float) -> list[Mark]:
        """Draw it, its middle at a place."""
        top = y + 4 - _LINE * len(self.lines) / 2
        heading = mark(
            "text",
            mark("tspan", self.name, class_="layer-name"),
            mark("tspan", self.kind, class_="note", dx=7),
            x=x,
            y=top,
        )
        lines = [
            mark("text", line, x=x, y=top + _LINE * (place + 1), class_="note")
            for place, line in enumerate(self.lines)
        ]
        return [heading, *lines]


def captions(
    data: Explained, layers: list[LayerRead], weights: list[LayerWeights]
) -> dict[int, Caption]:
    """Say what each layer and each input is, by its number; inputs have -1 - k.

    Args:
        data: what was found out.
        layers: the layers that are drawn.
        weights: how the weights of each are shown.
    """
    said = {
        -1 - number: _caption(port["name"], "input", [f"{port['shape']} {port['dtype']}"])
        for number, port in enumerate(data["inputs"])
    }
    for number, layer in enumerate(layers):
        shapes = shapes_in_words(layer)
        line = " ".join(shapes)
        lines = [line] if len(line) <= _LONGEST else list(shapes)
        lines.append(weights_in_words(layer, weights[number]))
        said[number] = _caption(layer_name(layer), layer["kind"], lines)
    return said


def _caption(name: str, kind: str, lines: list[str]) -> Caption:
    kind = shortened(kind, _LONGEST_KIND)
    room = _LONGEST - len(kind) - 4
    return Caption(shortened(name, room), kind, [shortened(line, _LONGEST) for line in lines])
