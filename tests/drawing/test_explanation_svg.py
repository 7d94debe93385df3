"""SVG files: well formed, light and dark, alone in the world, with words for every picture."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from everystep.drawing import comparison_svg, explanation_svg
from everystep.errors import SettingError
from tests.drawing import explanations as made

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = ("network", "map", "unrolled", "layers", "facts", "all")
ALL = explanation_svg(made.branches())
DESIGNS = comparison_svg(made.five_designs())


def words_of(text: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(text).itertext()).split())


@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_is_a_file_of_its_own_in_which_names_are_escaped(picture: str) -> None:
    text = explanation_svg(made.unproven(), picture)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert "<script" not in text


@pytest.mark.parametrize("text", [ALL, DESIGNS])
def test_a_file_asks_for_nothing_from_elsewhere(text: str) -> None:
    assert re.findall(r"https?:(?!//www\.w3\.org/2000/svg)|@import|href|<image|<script", text) == []
    assert set(re.findall(r"url\((.*?)\)", text)) == {"#may"}


@pytest.mark.parametrize("text", [ALL, DESIGNS])
def test_a_file_is_light_or_dark_and_needs_no_variables(text: str) -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in text
    assert "var(" not in text


@pytest.mark.parametrize("text", [ALL, DESIGNS])
def test_every_picture_has_words_for_those_who_cannot_see_it(text: str) -> None:
    root = ElementTree.fromstring(text)
    pictures = [each for each in root.iter(f"{SVG}svg") if each.get("role") == "img"]
    assert len(pictures) == (8 if text == ALL else 5)
    for each in [root, *pictures]:
        assert each.findtext(f"{SVG}title")
        assert each.findtext(f"{SVG}desc")


@pytest.mark.parametrize("picture", PICTURES)
def test_nothing_stands_outside_of_its_file(picture: str) -> None:
    root = ElementTree.fromstring(explanation_svg(made.tagger(7), picture))
    right, below = (float(size) for size in str(root.get("viewBox")).split()[2:])

    def check(element: ElementTree.Element, x: float, y: float) -> None:
        for child in element:
            if child.tag == f"{SVG}svg":
                left, top = x + float(child.get("x", 0)), y + float(child.get("y", 0))
                assert left + float(child.get("width", 0)) <= right + 1
                assert top + float(child.get("height", 0)) <= below + 1
                check(child, left, top)
            elif child.tag == f"{SVG}text" and "transform" not in child.attrib:
                assert 0 <= x + float(child.get("x", 0)) <= right
                assert 0 <= y + float(child.get("y", 0)) <= below
            elif child.tag == f"{SVG}g":
                check(child, x, y)

    check(root, 0, 0)


def test_a_picture_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        SettingError, match=r'"sculpture".*"network", "map".*"all"'.replace('"', ".")
    ):
        explanation_svg(made.dense(), "sculpture")


def test_all_facts_and_shapes_are_on_the_sheet() -> None:
    words = words_of(ALL)
    for said in ("shared by 6 or 7 steps", "step of signs", "GlobalMaxPooling1D", "(batch, 6, 5)"):
        assert said in words


def test_a_comparison_says_what_each_model_is_to_the_first() -> None:
    words = words_of(DESIGNS)
    assert words.count("= the same function as Dense") == 2
    assert words.count("\N{SUPERSET OF} wider than Dense") == 2
    assert "260 12 \N{MULTIPLICATION SIGN} 20 + 20" in words


def test_models_of_a_comparison_go_on_in_the_next_row() -> None:
    data = made.five_designs()
    data["models"] += data["models"]
    sizes = [
        float(ElementTree.fromstring(text).get("height", 0))
        for text in (DESIGNS, comparison_svg(data))
    ]
    assert sizes[1] > 1.7 * sizes[0]
