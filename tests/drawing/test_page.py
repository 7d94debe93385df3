"""The page shows what the report holds, and needs nothing from elsewhere."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from everystep.drawing import demonstration_page
from everystep.drawing.looks import FAMILIES
from everystep.drawing.page_style import page_style
from everystep.drawing.palette import DARK, LIGHT
from tests.drawing.explanations import HOSTILE
from tests.drawing.reports import small_report

PAGE = demonstration_page(small_report())
ROOT = ElementTree.fromstring(PAGE.partition("\n")[2])


def words_of(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


class Balanced(HTMLParser):
    """Fails on an element that is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag: str, attributes: object) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_html_and_xml() -> None:
    parser = Balanced()
    parser.feed(PAGE)
    assert parser.open == []
    assert "script" not in parser.seen


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    assert re.findall(r"https?:|//[a-z]|@import|src=|<link|<iframe", PAGE) == []
    assert set(re.findall(r"url\((.*?)\)", PAGE)) == {"#stripes", "#may"}


def test_text_from_outside_is_escaped() -> None:
    assert HOSTILE not in PAGE
    assert HOSTILE in words_of(ROOT)


@pytest.mark.parametrize(
    "words",
    [
        "45.0 % always say",
        "75.0 % the forward one",
        "100 % the bidirectional one",
        "50 called names",
        "260 parameters",
        "= the same function as Dense",
        "⊃ wider than Dense",
        "each step's own",
        "the forward one each step reads itself and earlier; proven",
        "the bidirectional one each step reads every step; proven",
        "function called (+50.0)",
        "says variable read, is function called",
        "17 sequences",
    ],
)
def test_the_page_says(words: str) -> None:
    assert words.replace(" ", "") in words_of(ROOT).replace(" ", "")


def test_wrong_labels_can_be_reached_by_keyboard_and_say_what_is_wrong() -> None:
    wrong = [each for each in ROOT.iter("span") if "wrong" in each.get("class", "").split()]
    # Two samples, each with two mistakes of the forward model and one of the other.
    assert len(wrong) == 6
    assert {each.get("tabindex") for each in wrong} == {"0"}
    assert "g: says variable read, is function called" in {each.get("aria-label") for each in wrong}


def test_pictures_have_names() -> None:
    pictures = [each for each in ROOT.iter("svg") if each.get("role") == "img"]
    assert len(pictures) == 10
    assert all(each.find("title") is not None for each in pictures)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme: str) -> None:
    colours = LIGHT if scheme == "light" else DARK
    inks = {name: colours[name] for name in ("ink", "soft", "forward", "both", "wrong", "right")}
    inks |= {f.name: f.light if scheme == "light" else f.dark for f in FAMILIES}
    weak = {
        (name, back): round(contrast(ink, colours[back]), 2)
        for name, ink in inks.items()
        for back in ("paper", "panel")
        if contrast(ink, colours[back]) < 4.5
    }
    assert weak == {}


def test_every_class_of_a_label_has_a_style() -> None:
    style = page_style()
    assert all(f".token.{family.name}{{" in style for family in FAMILIES)


def test_a_report_with_nothing_found_can_be_drawn() -> None:
    report = small_report()
    report["samples"] = []
    report["parenthesis"]["examples"] = []
    report["parenthesis"]["confusions"] = []
    report["labels"] = []
    ElementTree.fromstring(demonstration_page(report))
