"""The page of an explanation holds all that it needs, and says what was found out."""

import json
import re
import xml.etree.ElementTree as ElementTree
from importlib import resources

import pytest

from everystep.drawing import (
    comparison_fragment,
    comparison_page,
    explanation_fragment,
    explanation_page,
)
from everystep.drawing.explanation_parts import call_names, parts_of
from everystep.errors import DataError
from tests.drawing.explanations import (
    HOSTILE,
    branches,
    dense,
    five_designs,
    grid,
    own,
    tagger,
    unproven,
)

PAGES = {
    "branches": explanation_page([branches()], 6),
    "unproven": explanation_page([unproven()], 4),
    "several": explanation_page([tagger(4), tagger(3)], 4),
    "comparison": comparison_page(five_designs()),
}
PIECES = {
    "explanation": explanation_fragment(unproven()),
    "comparison": comparison_fragment(five_designs()),
}


def root_of(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page.partition("\n")[2])


def words_of(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    assert re.findall(r"https?:|@import|src=|<link|<iframe|\son\w+=\"", page) == []
    assert "default-src &#x27;none&#x27;" in page


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_picture_has_words(page: str) -> None:
    pictures = [
        each for each in root_of(page).iter("svg") if "picture" in each.get("class", "").split()
    ]
    assert len(pictures) >= 3
    assert all(words_of(each.find("title") or each) for each in pictures)
    assert all(each.find("title") is not None for each in pictures)
    assert all(each.find("desc") is not None for each in pictures)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_no_two_marks_have_one_name(page: str) -> None:
    names = [each.get("id") for each in root_of(page).iter() if each.get("id")]
    assert len(names) == len(set(names))


def test_without_a_script_the_first_pictures_are_seen() -> None:
    root = root_of(PAGES["several"])
    seen = [each for each in root.iter("div") if each.get("class") == "panel"]
    assert [each.get("data-panel") for each in seen] == ["4/0", "4/calls"]
    # The whole and three layers for each of two numbers, and the other unrolled model.
    assert len(list(root.iter("template"))) == 2 * 4 + 2 - 2
    hidden = [each.tag for each in root.iter() if each.get("hidden")]
    assert hidden == ["form", "p"]


def test_text_from_outside_stays_text() -> None:
    assert HOSTILE not in PAGES["unproven"]
    assert HOSTILE in words_of(root_of(PAGES["unproven"]))


def test_the_script_is_in_the_package_and_the_only_one_allowed() -> None:
    room = resources.files("everystep.drawing")
    for name in ("explanation_answers.js", "explanation_page.js"):
        assert room.joinpath(name).read_text(encoding="utf-8") in PAGES["several"]
    data = [
        json.loads(each.text or "")
        for each in root_of(PAGES["several"]).iter("script")
        if each.get("type") == "application/json"
    ]
    assert data[0]["maps"][0]["depends"] == tagger(4)["maps"][0]["depends"]
    assert PAGES["several"].count("script-src &#x27;sha256-") == 1


def test_a_number_of_steps_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(DataError, match=r"show 7 steps, but is given \[4\]"):
        explanation_page([dense()], 7)


def test_parts_are_the_whole_and_each_layer() -> None:
    parts = parts_of(branches())
    assert [part.name for part in parts][:3] == [
        "whole model",
        "1. words (LSTM)",
        "2. signs (Dense)",
    ]
    whole, join = parts[0], parts[3]
    assert (whole.ends, whole.starts) == ([3, 4], [-1, -2])
    assert (join.ends, join.starts) == ([2], [0, 1])
    assert [each["input"] for each in join.read["maps"]] == ["words", "signs"]
    assert len(parts_of(dense())) == 1


def test_outputs_are_found_by_their_names_whatever_their_order() -> None:
    model = branches()
    model["outputs"].reverse()
    assert parts_of(model)[0].ends == [4, 3]
    model["outputs"][0]["name"] = "outputs[0]"
    assert parts_of(model)[0].ends == [None, 3]
    assert parts_of(tagger())[0].ends == [2]


def test_calls_of_one_layer_and_inputs_have_names_of_their_own() -> None:
    model = branches()
    model["layers"][1]["path"] = model["layers"][0]["path"]
    names = {-2: "signs", -1: "words (input)", 0: "words #1", 1: "words #2", 2: "join"}
    assert names.items() <= call_names(model).items()
    maps = parts_of(model)[3].read["maps"]
    assert [each["input"] for each in maps] == ["words #1", "words #2"]
    explanation_page([model], 6)


def test_a_source_that_is_given_twice_counts_once() -> None:
    model = branches()
    join = model["layers"][2]
    join["sources"] = [0, 0]
    join["depends"] = [grid(6, 6, own), grid(6, 6, lambda t, s: s == 0)]
    part = parts_of(model)[3]
    assert part.starts == [0]
    assert part.read["maps"][0]["depends"] == grid(6, 6, lambda t, s: s in (0, t))


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_pieces_of_a_notebook_can_stand_beside_each_other(piece: str) -> None:
    root = ElementTree.fromstring(piece)
    assert [each.tag for each in root.iter() if each.get("id") or each.tag == "script"] == []
    assert "url(" not in piece.replace("url(#may)", "")
    style = words_of(next(root.iter("style")))
    rules = [each for each in re.findall(r"([^{}]+)\{", style) if "@" not in each]
    assert len(rules) > 30
    assert all(".everystep-fragment" in each for rule in rules for each in rule.split(","))


def test_hostile_names_stay_text_in_a_notebook() -> None:
    assert HOSTILE not in PIECES["explanation"]
    assert HOSTILE in words_of(ElementTree.fromstring(PIECES["explanation"]))


def test_a_comparison_says_what_each_model_is_to_the_first() -> None:
    rows = [words_of(each) for each in root_of(PAGES["comparison"]).iter("tr")]
    assert rows[4].endswith("widera block-diagonal kernel of equal blocks")
    assert len(list(root_of(PAGES["comparison"]).iter("article"))) == 5
