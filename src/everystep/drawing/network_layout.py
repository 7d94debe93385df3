"""Where the units of a network picture stand: inputs in a row below, outputs in one above."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from everystep.drawing.explained import Connected, Port
from everystep.drawing.places import alone, over_what_is_read, shortened, shown_places, spread

UNIT: Final = 10.6
"""From one unit of a step to the next."""

MOST_UNITS: Final = 5
MOST_STEPS: Final = 12

_NARROWEST_STEP: Final = 40
_BETWEEN_PORTS: Final = 26
_MARGIN: Final = 10
_OUTPUT_Y: Final = 32
_PORT_NAME: Final = 18
_LONGEST_NAME: Final = 26
_LETTER: Final = 7.6


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
    below, above = _Side("input", data["inputs"], step), _Side("output", data["outputs"], step)
    width = max(below.width, above.width)
    outputs = above.columns(width)
    if len(ports) == 2 and below.width > above.width:
        outputs = _above_what_they_read(data, outputs, step)
    height = min(260.0, max(128.0, 0.24 * width))
    top = _OUTPUT_Y + (_PORT_NAME if len(data["outputs"]) > 1 else 0)
    return Network(below.columns(width), outputs, width + 2 * _MARGIN, top, top + height)


def port_name(port: Port) -> str:
    """Return what an input or output is called where there are several."""
    return shortened(port["name"], _LONGEST_NAME)


@dataclass(frozen=True)
class _Side:
    """All inputs, or all outputs, beside each other.

    Args:
        name: which of the two.
        ports: the inputs or outputs.
        step: how wide a step is.
    """

    name: Literal["input", "output"]
    ports: list[Port]
    step: float

    @cached_property
    def places(self) -> list[list[range]]:
        """What is shown of each."""
        most = min(MOST_STEPS, max(4, MOST_STEPS * 3 // 2 // len(self.ports)))
        return [shown_places(port["steps"], most) for port in self.ports]

    @cached_property
    def rooms(self) -> list[float]:
        """How wide each is, with its name where there are several."""
        named = len(self.ports) > 1
        return [
            max(len(places) * self.step, _LETTER * len(port_name(port)) if named else 0)
            for port, places in zip(self.ports, self.places, strict=True)
        ]

    @property
    def width(self) -> float:
        """How wide all are together."""
        return sum(self.rooms) + _BETWEEN_PORTS * (len(self.rooms) - 1)

    def columns(self, width: float) -> list[Column]:
        """Place all in the middle of the picture; a single one has the whole width."""
        left = _MARGIN + (width - self.width) / 2
        columns = []
        for number, (port, places) in enumerate(zip(self.ports, self.places, strict=True)):
            middle = left + self.rooms[number] / 2
            room = len(places) * self.step if len(self.ports) > 1 else width
            columns += [
                Column(self.name, number, place, middle - room / 2 + x, port["units"])
                for place, x in zip(places, spread(len(places), room), strict=True)
            ]
            left += self.rooms[number] + _BETWEEN_PORTS
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
