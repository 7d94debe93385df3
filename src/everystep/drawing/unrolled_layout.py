"""Where the steps of all layers stand in a picture of a model unrolled in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from everystep.drawing.explained import Explained, LayerRead
from everystep.drawing.places import over_what_is_read, shown_places, spread

PITCH: Final = 96

_COLUMN: Final = 54
_FEWEST_COLUMNS: Final = 3
_MOST_COLUMNS: Final = 12
_MOST_IN_ALL_LANES: Final = 18
_MOST_LANES: Final = 3
_RIGHT: Final = 8
_TOP: Final = 50
_BOTTOM: Final = 52
_BETWEEN_LANES: Final = 40


@dataclass(frozen=True)
class Row:
    """The steps of one layer or one input.

    Args:
        number: the number of the layer's call; -1 - k for input k, as in the layers' `sources`.
        steps: how many steps it has.
        left: where its caption begins.
        start: where its steps begin.
        y: how far down the middle of its steps is.
        places: what stands side by side, a step or several that are left out, and where.
    """

    number: int
    steps: int
    left: float
    start: float
    y: float
    places: list[tuple[range, float]]

    @property
    def shown(self) -> list[tuple[int, float]]:
        """The steps that are not left out, and where each stands."""
        return [(steps.start, x) for steps, x in self.places if len(steps) == 1]

    @property
    def complete(self) -> bool:
        """Whether no step is left out."""
        return len(self.shown) == self.steps


@dataclass(frozen=True)
class Unrolled:
    """All rows by their numbers, the layers that they stand for, and the size of the picture."""

    layers: list[LayerRead]
    rows: dict[int, Row]
    width: float
    height: float


def layers_of(data: Explained) -> list[LayerRead]:
    """Return a model's layers; what has none, a layer or a function, stands for itself.

    Args:
        data: what was found out.
    """
    return data["layers"] or [_whole(data, number) for number in range(len(data["outputs"]))]


def _whole(data: Explained, number: int) -> LayerRead:
    """Take all of a model for one layer with one of its outputs."""
    output = data["outputs"][number]
    maps = {(each["output"], each["input"]): each["depends"] for each in data["maps"]}
    first = sum(port["steps"] for port in data["outputs"][:number])
    uses = [weight["steps"][first : first + output["steps"]] for weight in data["weights"]]
    most = [weight["used_by"] for weight in data["weights"]]
    return LayerRead(
        path=data["name"],
        kind=data["kind"],
        parameters=data["parameters"],
        sources=[-1 - place for place in range(len(data["inputs"]))],
        input_shapes=[port["shape"] for port in data["inputs"]],
        output_shape=output["shape"],
        steps=output["steps"],
        depends=[maps[output["name"], port["name"]] for port in data["inputs"]],
        units=output["units"],
        weights=[weight["path"] for weight in data["weights"]],
        uses=uses,
        used_by=[min(sum(steps), few) for steps, few in zip(uses, most, strict=True)],
    )


def unroll(data: Explained, caption: float) -> Unrolled:
    """Place inputs at the bottom and every layer above what it reads.

    Args:
        data: what was found out.
        caption: how wide the words beside a row are.
    """
    layers = layers_of(data)
    steps = {-1 - number: port["steps"] for number, port in enumerate(data["inputs"])}
    steps |= {number: layer["steps"] for number, layer in enumerate(layers)}
    levels = list(_levels(layers, len(data["inputs"])))
    lanes = max(map(len, levels))
    most = min(_MOST_COLUMNS, _MOST_IN_ALL_LANES // lanes)
    columns = max(_FEWEST_COLUMNS, min(most, max(steps.values())))
    lane = caption + columns * _COLUMN + _BETWEEN_LANES
    rows: dict[int, Row] = {}
    for level, numbers in enumerate(levels):
        left = (lanes - len(numbers)) * lane / 2
        for place, number in enumerate(numbers):
            shown = shown_places(steps[number], most)
            layer = layers[number] if number >= 0 else None
            inside = _inside(layer, shown, rows, columns * _COLUMN)
            start = left + place * lane + caption
            places = [(at, start + x) for at, x in zip(shown, inside, strict=True)]
            y = _TOP + PITCH * (len(levels) - 1 - level)
            rows[number] = Row(number, steps[number], start - caption, start, y, places)
    bottom = _TOP + PITCH * (len(levels) - 1) + _BOTTOM
    return Unrolled(layers, rows, lanes * lane - _BETWEEN_LANES + _RIGHT, bottom)


def _levels(layers: list[LayerRead], inputs: int) -> Iterator[list[int]]:
    """Yield the rows that stand side by side, from the inputs on; too many take several levels."""
    level = {-1 - number: 0 for number in range(inputs)}
    for number, layer in enumerate(layers):
        level[number] = 1 + max((level[source] for source in layer["sources"]), default=0)
    for height in range(max(level.values()) + 1):
        # Inputs are numbered downwards.
        side_by_side = sorted((each for each in level if level[each] == height), key=abs)
        for first in range(0, len(side_by_side), _MOST_LANES):
            yield side_by_side[first : first + _MOST_LANES]


def _inside(
    layer: LayerRead | None, shown: list[range], rows: dict[int, Row], width: float
) -> list[float]:
    """Place shown steps, over what they read where that looks well."""
    even = spread(len(shown), width)
    if layer is None or len(shown) < layer["steps"]:
        return even
    for source, depends in zip(layer["sources"], layer["depends"], strict=True):
        read = rows[source]
        if not read.complete:
            continue
        middles = [x - read.start for _, x in read.places]
        if read.steps == layer["steps"]:
            return middles
        over = over_what_is_read(depends) if read.steps > layer["steps"] > 1 else None
        if over is not None:
            return [_at(middles, place) for place in over]
    return even


def _at(middles: list[float], place: float) -> float:
    """Return where a place between two steps is."""
    low = int(place)
    high = min(low + 1, len(middles) - 1)
    return middles[low] + (place - low) * (middles[high] - middles[low])
