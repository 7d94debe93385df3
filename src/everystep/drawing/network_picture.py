"""The network picture: input steps below, output steps above, and who reads what by which weights.

Weights that make several steps have one colour and one name, and a strip that joins them; a step's
own weights have their own. One output unit's connections are drawn strong, all others faint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from everystep.drawing.explained import Connected, Map
from everystep.drawing.marks import Mark, mark
from everystep.drawing.network_layout import Column, Network, lay_out, port_name
from everystep.drawing.places import numbered
from everystep.drawing.weight_sets import WeightSet, sets_in_words, weight_sets

_RADIUS: Final = 4.2
_PILL_BELOW: Final = 34
_LINE: Final = 16
_MANY: Final = 100
_NO_WEIGHTS: Final = WeightSet("", "none", (), "", own=False, common=False)


@dataclass(frozen=True)
class _Plan:
    """What is drawn, and where."""

    data: Connected
    network: Network

    @cached_property
    def sets(self) -> dict[tuple[int, int], WeightSet]:
        """The weights of each output step, by the numbers of output and step."""
        by_place = {place: each for each in weight_sets(self.data) for place in each.places}
        steps = [
            (port, step)
            for port, each in enumerate(self.data["outputs"])
            for step in range(each["steps"])
        ]
        return {step: by_place.get(place, _NO_WEIGHTS) for place, step in enumerate(steps)}

    @cached_property
    def maps(self) -> dict[tuple[int, int], Map]:
        """Each map by the numbers of its output and its input."""
        outputs = [port["name"] for port in self.data["outputs"]]
        inputs = [port["name"] for port in self.data["inputs"]]
        return {
            (outputs.index(each["output"]), inputs.index(each["input"])): each
            for each in self.data["maps"]
        }

    @cached_property
    def shown(self) -> tuple[Column, int]:
        """The unit whose connections are strong: about the middle, and one that reads something."""
        steps = [each for each in self.network.outputs if each.port == 0 and each.step is not None]
        reading = [each for each in steps if any(self.seen(each, below) for below in self.below)]
        middle = steps[len(steps) // 2].middle
        chosen = min(reading or steps, key=lambda each: abs(each.middle - middle))
        units = [unit for unit, _ in chosen.unit_places if unit is not None]
        return chosen, units[len(units) // 2]

    @property
    def below(self) -> list[Column]:
        """The columns of the inputs."""
        return self.network.inputs

    def seen(self, above: Column, below: Column) -> str:
        """Say whether an output step reads an input step: "witnessed", "may" or "" for not."""
        if above.step is None:
            return ""
        read = self.maps[above.port, below.port]
        if any(read["witnessed"][above.step][step] for step in below.steps):
            return "witnessed"
        return "may" if any(read["depends"][above.step][step] for step in below.steps) else ""


def network_picture(data: Connected) -> Mark:
    """Draw which units of which steps read which others, and by which weights.

    A connection is a `path` of the class `wire`, from one output unit to all shown units of one
    input step, with `data-output` and `data-unit`, `data-input`, `data-weights` and the numbers of
    its ports, `data-output-port` and `data-input-port`. A unit is a `circle` with `data-side`,
    `data-port`, `data-step` and `data-unit`. Steps that are left out have dots.

    Args:
        data: what was found out.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`.
    """
    plan = _Plan(data, lay_out(data))
    words = sets_in_words(data)
    network = plan.network
    first_line = network.input_y + 50 + (_LINE if len(data["inputs"]) > 1 else 0)
    height = first_line + _LINE * (len(words) - 1) + 8
    return mark(
        "svg",
        mark("title", f"{data['name']}: which output steps read which input steps"),
        mark("desc", _described(data, words)),
        _wire_group(sorted(_wires(plan), key=_is_strong)),
        _pills(plan),
        [_column(plan, each) for each in (*network.outputs, *network.inputs)],
        _port_names(plan),
        [
            _text(line, network.width / 2, first_line + _LINE * place, "note")
            for place, line in enumerate(words)
        ],
        viewBox=f"0 0 {network.width:.0f} {height:.0f}",
        role="img",
        class_="picture network",
    )


def _described(data: Connected, words: list[str]) -> str:
    inputs, outputs = (
        ", ".join(f"{port['name']}, {port['steps']} steps of {port['units']}" for port in ports)
        for ports in (data["inputs"], data["outputs"])
    )
    return f"Inputs, below: {inputs}. Outputs, above: {outputs}. Weights: {'; '.join(words)}."


def _text(words: str, x: float, y: float, class_: str) -> Mark:
    return mark("text", words, x=x, y=y, text_anchor="middle", class_=class_)


def _wires(plan: _Plan) -> Iterator[Mark]:
    for above in plan.network.outputs:
        for below in plan.below:
            if seen := plan.seen(above, below):
                for unit, x in above.unit_places:
                    if unit is not None:
                        yield _wire(plan, above, unit, x, below, seen)


def _wire_group(wires: list[Mark]) -> Mark:
    # Many faint lines add up: the more there are, the fainter is each.
    return mark("g", wires, class_="wires many" if len(wires) > _MANY else "wires")


def _wire(plan: _Plan, above: Column, unit: int, x: float, below: Column, seen: str) -> Mark:
    weights = plan.sets[above.port, above.step or 0]
    ends = [end for number, end in below.unit_places if number is not None]
    if below.step is None:
        ends = [below.middle]
    low, high = plan.network.input_y, plan.network.output_y
    classes = ["wire", weights.class_]
    classes += ["may"] if seen == "may" else []
    classes += ["beyond"] if below.step is None else []
    classes += ["strong"] if (above, unit) == plan.shown else []
    return mark(
        "path",
        d="".join(f"M{end:.1f},{low:.0f}L{x:.1f},{high:.0f}" for end in ends),
        class_=" ".join(classes),
        data_output_port=above.port,
        data_output=above.step,
        data_unit=unit,
        data_input_port=below.port,
        data_input=below.step,
        data_weights=weights.name or None,
    )


def _is_strong(wire: Mark) -> bool:
    return "strong" in str(dict(wire.attributes)["class"]).split()


def _pills(plan: _Plan) -> Mark:
    """Draw the name of each step's weights, and a strip that joins those that are one."""
    y = plan.network.output_y + _PILL_BELOW
    made = [
        (column, plan.sets[column.port, column.step])
        for column in plan.network.outputs
        if column.step is not None and plan.sets[column.port, column.step].name
    ]
    ends: dict[str, list[float]] = {}
    for column, weights in made:
        ends.setdefault(weights.name, []).append(column.middle)
    strips = [
        mark(
            "rect",
            x=ends[weights.name][0],
            y=y - 3.5,
            width=ends[weights.name][-1] - column.middle,
            height=7,
            class_=f"strip {weights.class_}",
            data_weights=weights.name,
        )
        for column, weights in made
        if column.middle == ends[weights.name][0] != ends[weights.name][-1]
    ]
    return mark("g", strips, [_pill(column, weights, y) for column, weights in made])


def _pill(column: Column, weights: WeightSet, y: float) -> Mark:
    width = 19 + 7.5 * (len(weights.name) - 1)
    return mark(
        "g",
        mark("rect", x=column.middle - width / 2, y=y - 9.5, width=width, height=19, rx=9.5),
        _text(weights.name, column.middle, y + 4.2, "name"),
        class_=f"pill {weights.class_}",
        data_port=column.port,
        data_step=column.step,
        data_weights=weights.name,
    )


def _column(plan: _Plan, column: Column) -> Mark:
    """Draw the units of one step in a box, with the step's name, or dots for steps left out."""
    above = column.side == "output"
    y = plan.network.output_y if above else plan.network.input_y
    if column.step is None:
        return _text("···", column.middle, y + 4, "dots")
    weights = plan.sets[column.port, column.step] if above else _NO_WEIGHTS
    ports = plan.data["outputs" if above else "inputs"]
    letter = "y" if above else "x"
    name = numbered(letter, column.step) if ports[column.port]["timed"] else letter
    half = column.width / 2
    return mark(
        "g",
        mark("rect", x=column.middle - half, y=y - 9, width=2 * half, height=18, rx=6),
        [_unit(plan, column, unit, x, y) for unit, x in column.unit_places],
        _text(name, column.middle, y - 16 if above else y + 26, "step"),
        class_=f"column {column.side} {weights.class_}",
        data_side=column.side,
        data_port=column.port,
        data_step=column.step,
        data_weights=weights.name or None,
    )


def _unit(plan: _Plan, column: Column, unit: int | None, x: float, y: float) -> Mark:
    """Draw a unit, filled where it is the shown one or read by it, or dots for units left out."""
    if unit is None:
        return _text("··", x, y + 3.5, "dots small")
    shown, shown_unit = plan.shown
    is_shown = column is shown and unit == shown_unit
    lit = is_shown or (column.side == "input" and plan.seen(shown, column) != "")
    colour = plan.sets[shown.port, shown.step or 0].class_
    return mark(
        "circle",
        cx=x,
        cy=y,
        r=_RADIUS,
        class_=f"unit lit {colour}" if lit else "unit",
        data_side=column.side,
        data_port=column.port,
        data_step=column.step,
        data_unit=unit,
    )


def _port_names(plan: _Plan) -> list[Mark]:
    """Name inputs and outputs, on a side that has several of them."""
    sides = (
        (plan.data["inputs"], plan.network.inputs, plan.network.input_y + 42),
        (plan.data["outputs"], plan.network.outputs, plan.network.output_y - 32),
    )
    names = []
    for ports, columns, y in sides:
        for number, port in enumerate(ports if len(ports) > 1 else ()):
            middles = [each.middle for each in columns if each.port == number]
            names.append(_text(port_name(port), (middles[0] + middles[-1]) / 2, y, "port"))
    return names
