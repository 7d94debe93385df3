"""`everystep explain` and `everystep compare`: what they print, write and refuse."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import everystep as es
from tests.cli.test_application import code_of

CODE = """
import jax.numpy as jnp
import everystep as es

def sums(x):
    return jnp.cumsum(x, axis=1)

def doubled(x):
    return 2 * x

def last(x):
    return x[:, -1]

def broken(x):
    return jnp.concatenate([x, missing], axis=1)

def dense():
    return es.Sequential([es.layers.Dense(5, input_shape=(4, 3))])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with code and a model, in which we stand."""
    made = tmp_path_factory.mktemp("code")
    (made / "net.py").write_text(CODE)
    es.Sequential([es.layers.Dense(5, input_shape=(None, 3))]).save(made / "dense.keras")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        yield made


def printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert code_of(arguments) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_explain_prints_the_plain_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["net.py:sums", "--input", "None,4,3", "--steps", "3", "--json"]
    data = json.loads(printed(["explain", *wanted], capsys))
    assert data["maps"][0]["depends"] == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert (data["steps"], data["maps"][0]["exact"]) == (3, True)


def test_explain_prints_a_picture_and_writes_two(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--svg", "a.svg", "--html", "a.html"]
    shown = printed(["explain", "dense.keras", "--steps", "2", *files], capsys)
    assert "dense" in shown
    assert "\x1b" not in shown
    assert (folder / "a.svg").read_text("utf-8").startswith("<svg")
    assert (folder / "a.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_axes_can_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axes = ["--input-axis", "1", "--output-axis", "none"]
    wanted = ["net.py:last", "--input", "None,3,2", *axes, "--json"]
    data = json.loads(printed(["explain", *wanted], capsys))
    assert data["maps"][0]["depends"] == [[0, 0, 1]]


def test_compare_prints_the_plain_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["net.py:dense", "file=dense.keras", "--steps", "2", "--json"]
    data: Any = json.loads(printed(["compare", *wanted], capsys))
    assert [each["name"] for each in data["models"]] == ["dense", "file"]
    assert [each["relation"] for each in data["models"]] == ["same", "same"]


def test_compare_prints_a_table_and_writes_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--svg", "b.svg", "--html", "b.html"]
    wanted = ["net.py:sums", "net.py:doubled", "--input", "None,3,2", *files]
    shown = printed(["compare", *wanted], capsys)
    assert "sums" in shown
    assert "doubled" in shown
    assert (folder / "b.svg").read_text("utf-8").startswith("<svg")
    assert (folder / "b.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain"], "TARGET"),
        (["explain", "no.keras"], "no such file"),
        (["explain", "net.py:no"], "has no 'no'"),
        (["explain", "net.py:sums", "--input", "4x3"], "is no size"),
        (["explain", "net.py:sums", "--input", "None,4", "--steps", "0"], "--steps"),
        (["explain", "net.py:sums", "--input", "None,4", "--input-axis", "x"], "--input-axis"),
        (["explain", "net.py:sums"], "--input"),
        (["explain", "net.py:sums", "--input", "None,4", "--input", "None,4"], "2 examples"),
        (["explain", "net.py:dense", "--input", "None,4,7"], "7"),
        (["explain", "net.py:sums", "--json", "--svg", "-"], "--json and --svg -"),
        (["explain", "net.py:sums", "--html", "no/folder.html"], "there is no folder"),
        (["compare"], "TARGET"),
        (["compare", "net.py:sums"], "at least two"),
        (["compare", "net.py:sums", "net.py:sums"], "two models have the name 'sums'"),
        (["compare", "net.py:sums", "=net.py:sums"], "NAME=TARGET"),
        (["compare", "net.py:sums", "a=no.keras"], "no such file"),
    ],
)
def test_wrong_use_ends_with_2_and_one_line(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("everystep: ")
    assert shown.err.count("\n") == 1
    assert words in shown.err


@pytest.mark.parametrize("command", [["explain"], ["compare", "net.py:sums"]])
def test_code_that_fails_is_failed_work(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of([*command, "net.py:broken", "--input", "None,4,3"]) == 1
    shown = capsys.readouterr()
    assert "net.py:broken: net.py, line 15: NameError" in shown.err
    assert shown.err.count("\n") == 1
