"""A picture of one design: input steps below, output steps above, and who reads what by which W.

Weights that are used by several steps have one colour and one name; a step's own weights have its
own. One output unit's connections are drawn strong, all others faint.
"""

from __future__ import annotations

from dataclasses import dataclass

from everystep.drawing.marks import Mark, mark
from everystep.drawing.report import Design, Designs
from everystep.drawing.words import most_uses, reading, sharing

_STEP = 62
_UNIT = 10.6
_RADIUS = 4.2
_MARGIN = 2
_OUTPUT_Y = 30
_INPUT_Y = 158
_HEIGHT = 190
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

WEIGHT_COLOURS = 4
"""How many colours of weights a page has; further steps begin again with the first."""


@dataclass(frozen=True)
class _Plan:
    """Where units stand."""

    steps: int
    features: int
    units: int

    def middle(self, step: int) -> float:
        return _MARGIN + _STEP * (step + 0.5)

    def input_x(self, step: int, feature: int) -> float:
        return self.middle(step) + _UNIT * (feature - (self.features - 1) / 2)

    def output_x(self, step: int, unit: int) -> float:
        return self.middle(step) + _UNIT * (unit - (self.units - 1) / 2)


def design_picture(design: Design, found: Designs) -> Mark:
    """Draw one design.

    Args:
        design: what was measured of it.
        found: the sizes of input and output.

    Returns:
        An `svg` mark; its colours are those of the page's style.
    """
    plan = _Plan(found["steps"], found["features"], found["units"])
    shown = plan.steps // 2, plan.units // 2
    return mark(
        "svg",
        mark(
            "title", f"{design['words']}: weights {sharing(design)}, a step reads {reading(design)}"
        ),
        mark("g", _faint(design, plan), class_="faint"),
        mark("g", _strong(design, plan, shown), class_="strong"),
        [_step(plan, design, step, shown) for step in range(plan.steps)],
        viewBox=f"0 0 {2 * _MARGIN + _STEP * plan.steps} {_HEIGHT}",
        role="img",
        class_="design",
    )


def _weights_of(design: Design, step: int) -> int:
    """Return the number of the weights that make an output step."""
    return 0 if most_uses(design) > 1 else step % WEIGHT_COLOURS


def _line(plan: _Plan, design: Design, out: tuple[int, int], source: tuple[int, int]) -> Mark:
    return mark(
        "line",
        x1=plan.input_x(*source),
        y1=_INPUT_Y,
        x2=plan.output_x(*out),
        y2=_OUTPUT_Y,
        class_=f"w{_weights_of(design, out[0])}",
    )


def _reads(design: Design, plan: _Plan, out: tuple[int, int]) -> list[Mark]:
    return [
        _line(plan, design, out, (source, feature))
        for source, does in enumerate(design["depends"][out[0]])
        if does
        for feature in range(plan.features)
    ]


def _faint(design: Design, plan: _Plan) -> list[Mark]:
    every = [(step, unit) for step in range(plan.steps) for unit in range(plan.units)]
    return [line for out in every for line in _reads(design, plan, out)]


def _strong(design: Design, plan: _Plan, shown: tuple[int, int]) -> list[Mark]:
    return _reads(design, plan, shown)


def _step(plan: _Plan, design: Design, step: int, shown: tuple[int, int]) -> Mark:
    weights = _weights_of(design, step)
    read = design["depends"][shown[0]][step]
    number = str(step + 1).translate(_SUBSCRIPTS)
    name = "W" if most_uses(design) > 1 else f"W{number}"
    outputs = [
        _unit(plan.output_x(step, unit), _OUTPUT_Y, (step, unit) == shown, weights)
        for unit in range(plan.units)
    ]
    inputs = [
        _unit(plan.input_x(step, feature), _INPUT_Y, read, _weights_of(design, shown[0]))
        for feature in range(plan.features)
    ]
    middle = plan.middle(step)
    return mark(
        "g",
        _box(middle, _OUTPUT_Y, plan.units, f"box w{weights}"),
        _box(middle, _INPUT_Y, plan.features, "box"),
        outputs,
        inputs,
        mark("text", f"y{number}", x=middle, y=_OUTPUT_Y - 14, text_anchor="middle"),
        mark("text", f"x{number}", x=middle, y=_INPUT_Y + 25, text_anchor="middle"),
        mark("rect", x=middle - 14, y=68, width=28, height=17, rx=8.5, class_=f"pill w{weights}"),
        mark("text", name, x=middle, y=80.5, text_anchor="middle", class_="weights"),
    )


def _box(middle: float, y: float, units: int, class_: str) -> Mark:
    width = _UNIT * units + 5
    return mark(
        "rect", x=middle - width / 2, y=y - 8.5, width=width, height=17, rx=6, class_=class_
    )


def _unit(x: float, y: float, strong: bool, weights: int) -> Mark:
    return mark("circle", cx=x, cy=y, r=_RADIUS, class_=f"unit w{weights}" if strong else "unit")
