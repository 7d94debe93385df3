"""What a command line can name, and what it says where there is no such thing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import everystep as es
from everystep.cli.targets import load_target
from everystep.errors import DataError, EverystepError, FormatError, SettingError

CODE = """
import beside

print("loading")
taken = beside.double

def made():
    return beside.double

def fails():
    return 1 / 0

class Other:
    def __init__(self):
        self.inner = taken

kept = Other()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with some code, in which we stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "some_code.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("x = 1\n\nx.y\n")
    (tmp_path / "half.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "needs.py").write_text("import nothing_of_that_name\n")
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("code", ["some_code", "some_code.py"])
@pytest.mark.parametrize("name", ["taken", "made", "kept.inner"])
def test_an_object_is_taken_and_a_function_without_parameters_is_called(
    code: str, name: str
) -> None:
    assert load_target(f"{code}:{name}")(4) == 8


def test_a_file_is_found_from_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load_target(f"{folder / 'some_code.py'}:taken")(4) == 8


def test_what_code_prints_does_not_mix_with_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    load_target("some_code:taken")
    assert capsys.readouterr() == ("", "loading\n")


def test_a_file_of_a_model_is_loaded(folder: Path) -> None:
    es.Sequential([es.layers.Dense(5, input_shape=(4, 3))]).save(folder / "dense.everystep")
    assert load_target(str(folder / "dense.everystep")).count_params() == 20


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        ("", SettingError, "names neither a file"),
        ("some_code", SettingError, "names neither a file"),
        ("some_code:", SettingError, "names neither a file"),
        (":taken", SettingError, "names neither a file"),
        ("m.weights.h5", SettingError, "weights alone"),
        ("no.keras", SettingError, "no such file"),
        ("no.py:taken", SettingError, "no such file: no.py"),
        ("no.such.module:taken", SettingError, "no module named 'no'"),
        ("some_code:taker", SettingError, "did you mean 'taken'?"),
        ("some_code:Other", SettingError, "is a class"),
        ("some_code:fails", DataError, "some_code.py, line 11: ZeroDivisionError"),
        ("broken:x", DataError, "broken.py, line 3: AttributeError"),
        ("broken.py:x", DataError, "broken.py, line 3: AttributeError"),
        ("half:x", DataError, "half.py, line 1: SyntaxError"),
        ("leaves:x", DataError, "leaves.py, line 2: SystemExit: 3"),
        ("needs:x", DataError, "needs.py, line 1: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_taken_says_why(target: str, kind: type[EverystepError], words: str) -> None:
    with pytest.raises(kind) as caught:
        load_target(target)
    assert words in str(caught.value)


def test_a_damaged_file_is_failed_work(folder: Path) -> None:
    (folder / "damaged.keras").write_bytes(b"PK")
    with pytest.raises(FormatError):
        load_target("damaged.keras")
