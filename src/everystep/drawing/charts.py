"""Small charts as marks: learning curves, a histogram, and the bars of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from everystep.drawing.marks import Mark, mark

_WIDTH, _HEIGHT = 540, 270
_ROUNDING, _PLACES = 1e-9, 9
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 150, 14, 40
_EPOCHS_NAMED = 8
_TICKS = 5
_SQUARES = frozenset(["forward", "w1", "w3"])
_POLYGONS = (
    (),
    ((-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)),
    ((0, -5), (5, 3.5), (-5, 3.5)),
    ((0, -5), (5, 0), (0, 5), (-5, 0)),
)
"""The marks of curves: a circle, a square, a triangle and a diamond."""


@dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Args:
        name: what stands at its end.
        values: one an epoch.
        kind: the CSS class of its model.
        again: how many curves of this kind come before it in the chart.
        dashed: whether it is a line of minor interest.
    """

    name: str
    values: Sequence[float]
    kind: str
    again: int = 0
    dashed: bool = False


@dataclass(frozen=True)
class _Scale:
    """From values to places in the chart."""

    low: float
    high: float
    epochs: int

    def x(self, epoch: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (epoch / max(1, self.epochs - 1))

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def curves_chart(title: str, curves: Sequence[Curve], *, as_percent: bool) -> Mark:
    """Draw curves over epochs, each named at its end.

    Args:
        title: what is drawn, for those who cannot see it.
        curves: the lines, all of as many epochs.
        as_percent: whether values are shares, whose upper end is 1.

    Returns:
        An `svg` mark.
    """
    values = [value for curve in curves for value in curve.values]
    low, high = (min(values), 1.0) if as_percent else (min(0.0, *values), max(0.0, *values))
    ticks = _ticks(low, high)
    scale = _Scale(ticks[0], ticks[-1], max(len(curve.values) for curve in curves))
    names = _apart([scale.y(curve.values[-1]) for curve in curves])
    return mark(
        "svg",
        mark("title", title),
        _axes(scale, ticks, as_percent),
        [_curve(curve, scale, y) for curve, y in zip(curves, names, strict=True)],
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        class_="chart",
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round values from below the lowest to above the highest, some five or six.

    >>> _ticks(0.0, 2.1), _ticks(0.75, 1.0), _ticks(1.0, 1.0)
    ([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [0.75, 0.8, 0.85, 0.9, 0.95, 1.0],
     [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    if low == high:
        low, high = 0.0, 1.0
    least = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(least))
    step = next(
        size * part for part in (1, 2, 2.5, 5, 10) if size * part >= least * (1 - _ROUNDING)
    )
    first, last = math.floor(low / step + _ROUNDING), math.ceil(high / step - _ROUNDING)
    return [round(number * step, _PLACES) for number in range(first, last + 1)]


def _axes(scale: _Scale, ticks: Sequence[float], as_percent: bool) -> Mark:
    lines, words = [], []
    for tick in ticks:
        y = scale.y(tick)
        lines.append(mark("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        text = f"{100 * tick:g} %" if as_percent else f"{tick:g}"
        words.append(mark("text", text, x=_LEFT - 8, y=y + 4, text_anchor="end"))
    for epoch in range(0, scale.epochs, math.ceil(scale.epochs / _EPOCHS_NAMED)):
        place = {"x": scale.x(epoch), "y": _HEIGHT - _BOTTOM + 18}
        text = f"{epoch + 1}" if epoch else "epoch 1"
        words.append(mark("text", text, text_anchor="middle", **place))
    return mark("g", lines, words, class_="axes")


def _curve(curve: Curve, scale: _Scale, name_y: float) -> Mark:
    points = [(scale.x(epoch), scale.y(value)) for epoch, value in enumerate(curve.values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [] if curve.dashed else [_dot(curve, x, y) for x, y in points]
    end = points[-1][0]
    return mark(
        "g",
        mark("polyline", points=path, class_="dashed" if curve.dashed else None),
        dots,
        mark("text", curve.name, x=end + 10, y=name_y + 4),
        class_=f"curve {curve.kind}",
    )


def _dot(curve: Curve, x: float, y: float) -> Mark:
    # Another shape, so that the lines can be told apart without their colours.
    corners = _POLYGONS[(2 * curve.again + (curve.kind in _SQUARES)) % len(_POLYGONS)]
    if not corners:
        return mark("circle", cx=x, cy=y, r=4)
    return mark("polygon", points=" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners))


def _apart(places: list[float], gap: float = 15) -> list[float]:
    """Move labels down until none covers another.

    >>> _apart([10, 12, 50])
    [10, 25, 50]
    """
    moved = list(places)
    order = sorted(range(len(places)), key=lambda index: places[index])
    for above, below in pairwise(order):
        moved[below] = max(moved[below], moved[above] + gap)
    return moved


def histogram(title: str, counts: Sequence[int], width: int) -> Mark:
    """Draw how many things have about which size.

    Args:
        title: what is drawn.
        counts: how many there are in each class.
        width: how many sizes a class has; the first class starts at size 1.

    Returns:
        An `svg` mark.
    """
    step = 360 / max(1, len(counts))
    tallest = max(counts, default=1) or 1
    bars = [
        mark(
            "rect",
            mark("title", f"{index * width + 1} to {(index + 1) * width}: {count:,}"),
            x=index * step,
            y=90 - 84 * count / tallest,
            width=step - 1.5,
            height=84 * count / tallest,
        )
        for index, count in enumerate(counts)
    ]
    longest = len(counts) * width
    words = [
        mark("text", str(1 + round(part * (longest - 1))), x=360 * part, y=106, text_anchor=anchor)
        for part, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    ]
    return mark(
        "svg", mark("title", title), bars, words, viewBox="0 0 360 112", role="img", class_="bars"
    )


def share_bar(share: float, kind: str, reference: float | None = None) -> Mark:
    """Draw a share as a bar, with a tick where something else stands.

    Args:
        share: from 0 to 1.
        kind: the CSS class of the bar.
        reference: where the tick stands, from 0 to 1; no tick if None.
    """
    tick = None
    if reference is not None:
        tick = mark("rect", x=200 * reference - 1, y=0, width=2, height=12, class_="tick")
    return mark(
        "svg",
        mark("rect", x=0, y=2, width=200, height=8, class_="track"),
        mark("rect", x=0, y=2, width=200 * share, height=8, class_=f"fill {kind}"),
        tick,
        viewBox="0 0 200 12",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="share",
    )
