"""What is printed, what is written into files, and which wishes cannot be met."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import typer

from everystep.cli.shapes import read_axes, read_input
from everystep.cli.showing import Wanted
from everystep.errors import SettingError


class Found:
    """What a command has found."""

    def to_text(self, width: int, encoding: str) -> str:
        return f"text {width} {encoding.lower()}\n"

    def to_json(self) -> str:
        return '{"a": 1}'

    def to_svg(self) -> str:
        return "<svg>é</svg>"

    def to_html(self) -> str:
        return "<html></html>"


def wanted(
    *, as_json: bool = False, svg: str | None = None, html: str | None = None, opened: bool = False
) -> Wanted:
    return Wanted(as_json=as_json, svg=svg, html=html, open_page=opened)


@pytest.mark.parametrize(
    ("wish", "printed"),
    [
        (wanted(), "text 90 utf-8\n"),
        (wanted(as_json=True), '{"a": 1}\n'),
        (wanted(svg="-"), "<svg>é</svg>\n"),
        (wanted(html="-"), "<html></html>\n"),
    ],
)
def test_one_thing_is_printed(
    wish: Wanted,
    printed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    wish.drawn(Found()).give()
    assert capsys.readouterr() == (printed, "")


def test_files_hold_the_picture_and_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, page = tmp_path / "a.svg", tmp_path / "a.html"
    wanted(as_json=True, svg=str(picture), html=str(page)).drawn(Found()).give()
    assert picture.read_text("utf-8") == "<svg>é</svg>"
    assert page.read_text("utf-8") == "<html></html>"
    assert capsys.readouterr().out == '{"a": 1}\n'


@pytest.mark.parametrize("named", [True, False])
def test_an_opened_page_is_a_file_that_stays(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(typer, "launch", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    wanted(html=str(tmp_path / "a b.html") if named else None, opened=True).drawn(Found()).give()
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.read_text("utf-8") == "<html></html>"
    assert [unquote(urlparse(address).path) for address in opened] == [str(file)]


def test_a_page_that_cannot_be_kept_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match=r"No space left on device: '.*page\.html'"):
        wanted(opened=True).drawn(Found()).give()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"as_json": True, "svg": "-"}, "--json and --svg -"),
        ({"svg": "-", "html": "-"}, "--svg - and --html -"),
        ({"svg": "no/such/folder/a.svg"}, "--svg no/such/folder/a.svg: there is no folder"),
        ({"html": "."}, "--html .: is a folder"),
    ],
)
def test_wishes_that_cannot_be_met_are_wrong_use(wish: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        wanted(**wish)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "4x3", "None,,3", "None,0", "None,-1", "None,1.5", "a,b"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="is no size"):
        read_input(text)


def test_shells_may_write_none_small() -> None:
    assert read_input("(none, 4)") == (None, 4)


def test_what_is_no_dtype_is_refused() -> None:
    with pytest.raises(SettingError, match="no dtype 'ids'"):
        read_input("None,4:ids")


def test_what_is_no_axis_is_refused() -> None:
    with pytest.raises(SettingError, match="--input-axis time: an axis"):
        read_axes("--input-axis", ["time"])
