"""The picture of a map shows each pair in one of three forms, whatever the map's size."""

import xml.etree.ElementTree as ElementTree

import pytest

from everystep.drawing.explained import Map
from everystep.drawing.map_picture import map_picture
from everystep.drawing.marks import write
from tests.drawing import explanations as made


def pairs_drawn(each: Map) -> dict[str, set[tuple[int, int]]]:
    drawn: dict[str, set[tuple[int, int]]] = {"seen": set(), "may": set(), "never": set()}
    for mark in map_picture(each).every():
        attributes = {name: str(value) for name, value in mark.attributes}
        if mark.tag == "path" and attributes["class"].startswith("cell"):
            row, first, last = (
                int(attributes[name]) for name in ("data-output", "data-input", "data-last")
            )
            cells = {(row, column) for column in range(first, last + 1)}
            drawn[attributes["class"].split()[1]] |= cells
    return drawn


@pytest.mark.parametrize("shape", [(1, 1), (4, 9), (40, 40), (3, 60), (100, 100)])
def test_every_pair_is_drawn_as_what_it_is(shape: tuple[int, int]) -> None:
    depends = made.grid(*shape, lambda t, s: s <= t + 1)
    witnessed = made.grid(*shape, lambda t, s: s <= t and (s + t) % 5 > 0)
    drawn = pairs_drawn(made.read_map(depends, witnessed))
    seen = {(t, s) for t, row in enumerate(witnessed) for s, does in enumerate(row) if does}
    may = {(t, s) for t, row in enumerate(depends) for s, does in enumerate(row) if does} - seen
    never = {(t, s) for t in range(shape[0]) for s in range(shape[1])} - seen - may
    assert drawn == {"seen": seen, "may": may, "never": never}


def test_the_legend_names_the_forms_that_occur() -> None:
    full = write(map_picture(made.tagger(5, "Bidirectional")["maps"][0]))
    assert "reads it: seen" in full
    assert "cannot read it" not in full
    assert "may read it" not in full
    both = write(map_picture(made.unproven()["maps"][0]))
    assert "may read it" in both
    assert "cannot read it" in both


def test_names_from_outside_are_escaped() -> None:
    text = write(map_picture(made.unproven()["maps"][0]))
    assert "<script" not in text
    words = " ".join(ElementTree.fromstring(text).itertext())
    assert made.HOSTILE in words


def test_what_is_drawn_is_told_in_words_too() -> None:
    words = write(map_picture(made.convolution()["maps"][0]))
    assert "step 1 reads 2 to 4; step 2 reads 4 to 6" in words
