"""Charts put values where they belong."""

from itertools import pairwise

from everystep.drawing.charts import Curve, _ticks, curves_chart, histogram, share_bar
from everystep.drawing.marks import Mark


def attributes(tree: Mark, tag: str) -> list[dict[str, object]]:
    return [dict(mark.attributes) for mark in tree.every() if mark.tag == tag]


def test_a_higher_value_stands_higher() -> None:
    chart = curves_chart("t", [Curve("a", [0.5, 0.7, 0.6], "forward")], as_percent=True)
    points = str(attributes(chart, "polyline")[0]["points"]).split()
    xs, ys = zip(*(map(float, point.split(",")) for point in points), strict=True)
    assert list(xs) == sorted(xs)
    assert ys[0] > ys[2] > ys[1]


def test_one_epoch_of_one_value_can_be_drawn() -> None:
    chart = curves_chart("t", [Curve("a", [0.0], "forward")], as_percent=False)
    assert len(attributes(chart, "polyline")) == 1


def test_names_at_the_ends_do_not_cover_each_other() -> None:
    same = [Curve(name, [0.5, 0.9], "forward") for name in "abc"]
    chart = curves_chart("t", same, as_percent=True)
    places = [
        a["y"]
        for m in chart.every()
        if m.children[:1] in (("a",), ("b",), ("c",))
        for a in [dict(m.attributes)]
    ]
    ys = sorted(float(str(place)) for place in places)
    assert len(ys) == 3
    assert min(b - a for a, b in pairwise(ys)) >= 15


def test_bars_are_as_long_as_shares() -> None:
    bar = share_bar(0.25, "forward", reference=0.5)
    widths = {a["class"]: a["width"] for a in attributes(bar, "rect")}
    assert widths["fill forward"] == 50
    assert [a["x"] for a in attributes(bar, "rect")] == [0, 0, 99]


def test_a_histogram_has_a_bar_for_each_class() -> None:
    heights = [a["height"] for a in attributes(histogram("t", [3, 0, 6], 8), "rect")]
    assert heights == [42, 0, 84]
    assert histogram("t", [], 8).tag == "svg"


def test_ticks_are_round_and_hold_all_values() -> None:
    for low, high in ((0.0, 2.05), (0.956, 1.0), (0.0, 0.0), (1.0, 1.0), (-3.0, 7.0), (0.0, 4e-7)):
        ticks = _ticks(low, high)
        steps = {round(b - a, 9) for a, b in pairwise(ticks)}
        assert len(steps) == 1
        assert ticks[0] <= low <= high <= ticks[-1]
        assert 2 <= len(ticks) <= 8


def test_epochs_have_room_for_their_numbers() -> None:
    for epochs in (1, 2, 8, 9, 15, 16, 17, 100):
        chart = curves_chart("t", [Curve("a", [0.5] * epochs, "w0")], as_percent=True)
        named = [m for m in chart.every() if dict(m.attributes).get("text-anchor") == "middle"]
        assert named[0].children == ("epoch 1",)
        assert len(named) <= 8
