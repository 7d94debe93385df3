"""Where the units of a network picture stand: inputs in a row below, outputs in one above."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from everystep.drawing.explained import Connected, Port
from everystep.drawing.places import alone, over_what_is_read, shown_places, spread

UNIT: Final = 10.6
"""From one unit of a step to the next."""

MOST_UNITS: Final = 5
MOST_STEPS: Final = 12

_NARROWEST_STEP: Final = 40
_BETWEEN_PORTS: Final = 26
_MARGIN: Final = 10
_OUTPUT_Y: Final = 32
_PORT_NAME: Final = 18


@dataclass(frozen=True)
class Column:
    """One step of an input or output, or the steps that are left out between two others.

    Args:
        side: whether it is one of the inputs or of the outputs.
        port: the number of the input or output.
        steps: the step of it, or those that are left out.
        middle: where its middle is.
        units: how many units a step has.
    """

    side: Literal["input", "output"]
    port: int
    steps: range
    middle: float
    units: int

    @property
    def step(self) -> int | None:
        """The one step that it is, or None."""
        return alone(self.steps)

    @cached_property
    def unit_places(self) -> list[tuple[int | None, float]]:
        """Which units are shown, and where each stands; None for those that are left out."""
        shown = shown_places(self.units, MOST_UNITS)
        start = self.middle - UNIT * (len(shown) - 1) / 2
        return [(alone(units), start + UNIT * place) for place, units in enumerate(shown)]

    @property
    def width(self) -> float:
        """How wide its box is."""
        return UNIT * len(self.unit_places) + 6


@dataclass(frozen=True)
class Network:
    """The columns of a network picture.

    Args:
        inputs: the columns of all inputs, from left to right.
        outputs: the columns of all outputs.
        width: how wide the picture is.
        output_y: how far down the outputs are.
        input_y: how far down the inputs are.
    """

    inputs: list[Column]
    outputs: list[Column]
    width: float
    output_y: float
    input_y: float


def lay_out(data: Connected) -> Network:
    """Place the units of all inputs and outputs.

    Args:
        data: what was found out.
    """
    ports = [*data["inputs"], *data["outputs"]]
    widest = max(min(port["units"], MOST_UNITS) for port in ports)
    step = max(_NARROWEST_STEP, UNIT * widest + 9)
    sides = [[_slots(port, len(side)) for port in side] for side in _sides(data)]
    widths = [
        sum(len(slots) for slots in side) * step + _BETWEEN_PORTS * (len(side) - 1)
        for side in sides
    ]
    width = max(widths)
    inputs, outputs = (
        _columns(data, number, sides[number], step, width, widths[number]) for number in (0, 1)
    )
    if len(sides[0]) == len(sides[1]) == 1 and widths[0] > widths[1]:
        outputs = _above_what_they_read(data, outputs, step)
    height = min(260.0, max(128.0, 0.24 * width))
    top = _OUTPUT_Y + (_PORT_NAME if len(data["outputs"]) > 1 else 0)
    return Network(inputs, outputs, width + 2 * _MARGIN, top, top + height)


def _sides(data: Connected) -> tuple[list[Port], list[Port]]:
    return data["inputs"], data["outputs"]


def _slots(port: Port, ports: int) -> list[range]:
    return shown_places(port["steps"], max(4, MOST_STEPS // ports))


def _columns(
    data: Connected,
    side: int,
    slots: list[list[range]],
    step: float,
    width: float,
    own_width: float,
) -> list[Column]:
    """Put one side's inputs or outputs beside each other, over the whole width if there is one."""
    name: Literal["input", "output"] = "output" if side else "input"
    columns = []
    left = _MARGIN + (width - own_width) / 2
    for number, port in enumerate(_sides(data)[side]):
        steps = slots[number]
        room = len(steps) * step if len(slots) > 1 else width
        start = left if len(slots) > 1 else _MARGIN
        columns += [
            Column(name, number, at, start + middle, port["units"])
            for at, middle in zip(steps, spread(len(steps), room), strict=True)
        ]
        left += room + _BETWEEN_PORTS
    return columns


def _above_what_they_read(data: Connected, outputs: list[Column], step: float) -> list[Column]:
    steps = data["inputs"][0]["steps"]
    places = over_what_is_read(data["maps"][0]["depends"]) if steps <= MOST_STEPS else None
    if places is None:
        return outputs
    return [
        Column(each.side, each.port, each.steps, _MARGIN + step * (place + 0.5), each.units)
        for each, place in zip(outputs, places, strict=True)
    ]
