"""The lines of an unrolled model: what each step of a layer reads, in rows below and along time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from everystep.drawing.marks import Mark, mark
from everystep.drawing.places import alone
from everystep.drawing.receptive_field import Chain
from everystep.drawing.unrolled_layout import PITCH, Row, Unrolled

HALF_HEIGHT: Final = 13
HALF_WIDTH: Final = 18

_LINES_A_PLACE: Final = 4
_HEAD: Final = 4.5
_APART: Final = 5
_BESIDE: Final = 27


@dataclass(frozen=True)
class Edges:
    """Draws the lines of one model.

    Args:
        unrolled: where everything stands.
        chains: how each layer hands on its state.
        field: the steps of each row whose lines are strong.
    """

    unrolled: Unrolled
    chains: list[Chain]
    field: dict[int, set[int]]

    def all(self) -> list[Mark]:
        """Draw all lines, areas first and the strong ones last."""
        made: list[Mark] = []
        for number, layer in enumerate(self.unrolled.layers):
            for place in range(len(layer["sources"])):
                made.extend(self._to_source(number, place))
            made.extend(self._along_time(number))
        return sorted(made, key=_rank)

    def _strong(self, *steps: tuple[int, range]) -> str:
        """Return the class of what joins steps that all have a part in the receptive field."""
        inside = all(self.field.get(row, set()).intersection(run) for row, run in steps)
        return " strong" if inside else ""

    def _to_source(self, number: int, place: int) -> Iterator[Mark]:
        layer = self.unrolled.layers[number]
        source = self.unrolled.rows[layer["sources"][place]]
        reader = self.unrolled.rows[number]
        depends = layer["depends"][place]
        if self.chains[number] and source.steps == reader.steps:
            # What the map says beyond its own step is handed on along time.
            depends = [[t == s for s in range(source.steps)] for t in range(reader.steps)]
        read = {
            step: [spot for spot in source.places if any(depends[step][s] for s in spot[0])]
            for step, _ in reader.shown
        }
        most = _LINES_A_PLACE * max(len(reader.places), len(source.places))
        many = sum(map(len, read.values())) > most
        for step, x in reader.shown:
            if many and len(read[step]) > 1 and _joined(read[step]):
                yield self._area(number, place, (step, x), read[step])
            else:
                for spot in read[step]:
                    yield self._line(number, place, (step, x), spot)

    def _area(
        self, number: int, place: int, end: tuple[int, float], read: list[tuple[range, float]]
    ) -> Mark:
        """Draw all that a step reads as one area, where lines would be too many."""
        step, x = end
        source = self.unrolled.rows[self.unrolled.layers[number]["sources"][place]]
        high = self.unrolled.rows[number].y + HALF_HEIGHT
        left, right = read[0][1] - HALF_WIDTH, read[-1][1] + HALF_WIDTH
        strong = self._strong((number, range(step, step + 1)))
        return mark(
            "path",
            d=f"M{x - 4:.1f},{high:.1f}L{left:.1f},{source.y - HALF_HEIGHT:.1f}"
            f"H{right:.1f}L{x + 4:.1f},{high:.1f}z",
            class_=f"area{strong}",
            data_layer=number,
            data_source=place,
            data_output=step,
        )

    def _line(
        self, number: int, place: int, end: tuple[int, float], spot: tuple[range, float]
    ) -> Mark:
        source = self.unrolled.rows[self.unrolled.layers[number]["sources"][place]]
        reader = self.unrolled.rows[number]
        step, x = end
        steps, below = spot
        strong = self._strong((number, range(step, step + 1)), (source.number, steps))
        beyond = "" if len(steps) == 1 else " beyond"
        return mark(
            "path",
            d=_way(source, below, reader, x),
            class_=f"edge{beyond}{strong}",
            data_layer=number,
            data_source=place,
            data_output=step,
            data_input=alone(steps),
        )

    def _along_time(self, number: int) -> Iterator[Mark]:
        """Draw how a recurrent layer's state goes from step to step."""
        chain = self.chains[number]
        row = self.unrolled.rows[number]
        directions = [each for each in ("forward", "backward") if chain in (each, "both")]
        for direction in directions:
            apart = 0 if len(directions) == 1 else _APART * (-1 if direction == "forward" else 1)
            for left, right in pairwise(row.places):
                strong = self._strong((number, left[0]), (number, right[0]))
                yield mark(
                    "path",
                    d=_arrow(left[1], right[1], row.y + apart, forward=direction == "forward"),
                    class_=f"edge chain{strong}",
                    data_layer=number,
                    data_chain=direction,
                    data_output=alone((right if direction == "forward" else left)[0]),
                )


def _rank(line: Mark) -> tuple[bool, bool]:
    classes = str(dict(line.attributes)["class"]).split()
    return "area" not in classes, "strong" in classes


def _joined(read: list[tuple[range, float]]) -> bool:
    """Say whether steps follow each other without a gap."""
    return all(one[0].stop == other[0].start for one, other in pairwise(read))


def _way(source: Row, below: float, reader: Row, x: float) -> str:
    """Go straight to the next row, and beside the steps of rows that stand between."""
    low, high = source.y - HALF_HEIGHT, reader.y + HALF_HEIGHT
    if low - high < PITCH:
        return f"M{below:.1f},{low:.1f}L{x:.1f},{high:.1f}"
    gap = below + _BESIDE
    bend = PITCH - 2 * HALF_HEIGHT
    return (
        f"M{below:.1f},{low:.1f}C{below:.1f},{low - bend / 2:.1f} {gap:.1f},{low - bend / 2:.1f} "
        f"{gap:.1f},{low - bend:.1f}V{high + bend:.1f}C{gap:.1f},{high + bend / 2:.1f} "
        f"{x:.1f},{high + bend / 2:.1f} {x:.1f},{high:.1f}"
    )


def _arrow(left: float, right: float, y: float, *, forward: bool) -> str:
    start, end = left + HALF_WIDTH, right - HALF_WIDTH
    if not forward:
        start, end = end, start
    end -= 2 if forward else -2
    back = end - _HEAD if forward else end + _HEAD
    return (
        f"M{start:.1f},{y:.1f}H{end:.1f}M{back:.1f},{y - _HEAD + 1:.1f}L{end:.1f},{y:.1f}"
        f"L{back:.1f},{y + _HEAD - 1:.1f}"
    )
