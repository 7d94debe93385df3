"""Pictures of scores show the counts and values that they are made from."""

import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from everystep.drawing import confusion_svg, learning_svg
from everystep.drawing.figures import ConfusionMatrix
from everystep.errors import DataError

SVG = "{http://www.w3.org/2000/svg}"
MATRIX: ConfusionMatrix = {"labels": ["a<b", "c"], "counts": [[3, 1], [0, 12_345]]}


def cells(svg: str) -> dict[str, Element]:
    """The cells of a confusion matrix, by what is told of them."""
    found = {}
    for group in fromstring(svg).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and title.text:
            found[title.text] = group
    return found


def shade(cell: Element) -> tuple[Any, Any] | None:
    shaded = [rect for rect in cell.iter(f"{SVG}rect") if rect.get("class") != "grid"]
    return (shaded[0].get("class"), float(shaded[0].get("fill-opacity", 0))) if shaded else None


def test_a_cell_is_as_dark_as_its_share_of_the_row() -> None:
    found = cells(confusion_svg(MATRIX))
    assert shade(found["a<b, predicted a<b: 3 of 4"]) == ("share right", 0.75)
    assert shade(found["a<b, predicted c: 1 of 4"]) == ("share wrong", 0.25)
    assert shade(found["c, predicted a<b: 0 of 12,345"]) is None
    assert shade(found["c, predicted c: 12,345 of 12,345"]) == ("share right", 1.0)


def test_rows_go_down_and_columns_to_the_right() -> None:
    found = cells(confusion_svg(MATRIX))
    places = {}
    for told, cell in found.items():
        rect = next(cell.iter(f"{SVG}rect"))
        places[told] = float(rect.get("x", 0)), float(rect.get("y", 0))
    right, wrong = places["a<b, predicted a<b: 3 of 4"], places["a<b, predicted c: 1 of 4"]
    below = places["c, predicted a<b: 0 of 12,345"]
    assert wrong[0] > right[0] == below[0]
    assert wrong[1] == right[1] < below[1]


def test_counts_and_labels_are_written() -> None:
    texts = [text.text for text in fromstring(confusion_svg(MATRIX, "Roles")).iter(f"{SVG}text")]
    assert texts[0] == "Roles"
    assert texts.count("a<b") == texts.count("c") == 2
    assert {"3", "1", "12k"} <= set(texts)
    assert "12,348 of 12,349 steps have the right label" in str(texts[1])


def test_no_label_can_be_drawn() -> None:
    assert cells(confusion_svg({"labels": [], "counts": []})) == {}


def curve_kinds(svg: str) -> list[tuple[str | None, str | None]]:
    groups = fromstring(svg).iter(f"{SVG}g")
    curves = [group for group in groups if str(group.get("class")).startswith("curve")]
    return [(group.findtext(f"{SVG}text"), group.get("class")) for group in curves]


def test_a_name_has_one_colour_in_both_charts() -> None:
    svg = learning_svg({"dev": [0.5, 0.6]}, {"train": [2.0, 1.0], "dev": [2.0, 1.5]})
    assert curve_kinds(svg) == [("dev", "curve w0"), ("train", "curve w1"), ("dev", "curve w0")]
    assert re.search(r"\.curve\.w0 polyline\{stroke:#", svg)
    assert "Loss, train: 2, 1. Loss, dev: 2, 1.5." in svg


def test_names_that_share_a_colour_have_other_marks() -> None:
    svg = learning_svg({f"fold {number}": [0.5, 0.9] for number in range(8)})
    looks = set()
    for curve in fromstring(svg).iter(f"{SVG}g"):
        if "curve" in curve.get("class", ""):
            line, dot = list(curve)[:2]
            x, y = map(float, line.get("points", "").split()[0].split(","))
            corners = [each.split(",") for each in dot.get("points", "").split()]
            moved = tuple((round(float(a) - x, 1), round(float(b) - y, 1)) for a, b in corners)
            looks.add((curve.get("class"), moved))
    assert len(looks) == 8


def test_without_losses_there_is_one_chart() -> None:
    headings = [text.text for text in fromstring(learning_svg({"dev": [0.5]})).iter(f"{SVG}text")]
    assert "Score" in headings
    assert "Loss" not in headings


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "expected scores or losses to draw, got none"),
        ({"dev": []}, r"dev: expected one finite value an epoch, got \[\]"),
        ({"dev": [0.5, float("nan")]}, r"dev: .* got \[0.5, nan\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused(scores: dict[str, list[float]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        learning_svg(scores)
