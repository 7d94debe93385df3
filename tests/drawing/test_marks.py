"""Marks become text that HTML and XML read alike."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.drawing import mark, write
from everystep.drawing.marks import data_mark
from everystep.errors import DataError


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_text_comes_is_read_back(text: str, value: str) -> None:
    root = ElementTree.fromstring(write(mark("p", text, title=value)))
    forbidden = {ord(char) for char in text + value if char < " " or "\ud800" <= char <= "\udfff"}
    kept = {code: " " for code in forbidden if chr(code) not in "\t\n"}
    assert (root.text or "") == text.translate(kept).replace("\ufffe", " ").replace("\uffff", " ")
    assert "<" not in write(mark("p", title=value))[3:].split(">")[0]


def test_attributes_without_a_value_are_left_out() -> None:
    assert write(mark("p", a=None, b=False, c=True, d=0, e=1.5)) == '<p c="c" d="0" e="1.5"></p>'


def test_children_may_be_lists_and_gaps() -> None:
    assert write(mark("ul", [mark("li", "a"), None], None, "b")) == "<ul><li>a</li>b</ul>"


def test_a_style_sheet_cannot_break_out() -> None:
    with pytest.raises(DataError, match="style sheet"):
        write(mark("style", "a{} </style><script>"))
    assert write(mark("style", "a > b {}")) == "<style>a > b {}</style>"


@given(st.recursive(st.text(max_size=12) | st.integers() | st.none(), st.lists, max_leaves=4))
def test_data_in_a_page_is_read_back_and_ends_no_script(value: object) -> None:
    text = write(data_mark({"<!--</script>": value}))
    inside = text.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert json.loads(inside) == {"<!--</script>": value}
    assert json.loads(ElementTree.fromstring(text).text or "") == {"<!--</script>": value}
    assert not set("<>&") & set(inside)


@pytest.mark.parametrize("ending", ["</script>", "<!--", "<ScRipt", "]]>"])
def test_a_script_cannot_break_out(ending: str) -> None:
    with pytest.raises(DataError, match="script"):
        write(mark("script", f"a < '{ending}'"))


def test_a_script_says_the_same_in_html_and_xml() -> None:
    text = write(mark("script", "a = b < c && d;"))
    assert "a = b < c && d;" in text
    assert "a = b < c && d;" in (ElementTree.fromstring(text).text or "")
