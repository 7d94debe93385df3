"""The commands: wrong use ends with 2, a file that cannot be used with 1 or 2, each in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from everystep.cli import main
from tests.errors.bad import RAW

# What a command is given, with a place for the file that is bad and for a folder to write to.
COMMANDS: dict[str, list[str]] = {
    "compare": ["compare", "one={bad}", "two={bad}"],
    "evaluate": ["evaluate", "{bad}", "{bad}"],
    "explain": ["explain", "{bad}"],
    "info": ["info", "{bad}"],
    "predict": ["predict", "{bad}", "{bad}"],
    "train": ["train", "{bad}", "--out", "{out}"],
    "train with dev": ["train", "{good}", "--dev", "{bad}", "--out", "{out}"],
    "train with settings": ["train", "{good}", "--config", "{bad}", "--out", "{out}"],
    "train with vectors": ["train", "{good}", "--vectors", "{bad}", "--out", "{out}"],
}
# A file that cannot be used, made in a folder, by its name there.
FILES: dict[str, Callable[[Path], object]] = {
    "missing.everystep": lambda place: None,
    "folder.everystep": Path.mkdir,
    "empty.everystep": Path.touch,
    "text.everystep": lambda place: place.write_text("these are words\n", "utf-8"),
    "bytes.everystep": lambda place: place.write_bytes(bytes(range(256)) * 9),
    "missing.conllu": lambda place: None,
    "folder.conllu": Path.mkdir,
    "empty.conllu": Path.touch,
    "bytes.conllu": lambda place: place.write_bytes(bytes(range(256)) * 9),
    "text.keras": lambda place: place.write_text("these are words\n", "utf-8"),
    "text.csv": lambda place: place.write_text("a,b\n1\n", "utf-8"),
    "bytes.npy": lambda place: place.write_bytes(b"\x93NUMPY" + bytes(64)),
    "bytes.parquet": lambda place: place.write_bytes(b"PAR1" + bytes(64)),
    "broken.jsonl": lambda place: place.write_text('{"tokens": [1, 2\n', "utf-8"),
    "without an end": lambda place: place.write_text("words\n", "utf-8"),
}
WRONG_USE: dict[str, list[str]] = {
    "no such command": ["nothing"],
    "no command": [],
    "no such option": ["train", "--nothing"],
    "a file is missing": ["info"],
    "too many files": ["info", "one", "two"],
    "a number is text": ["demo", "--epochs", "many"],
    "a number is too small": ["demo", "--epochs", "0"],
    "a number is a fraction": ["explain", "m.everystep", "--steps", "2.5"],
    "a number is not one": ["demo", "--learning-rate", "nan"],
    "an option without its value": ["train", "corpus.conllu", "--out"],
    "a shape is text": ["explain", "m:model", "--input", "four"],
    "no such reader": ["train", "corpus.conllu", "--reader", "nothing"],
    "a rate below zero": ["train", "s.csv", "--rate", "-1"],
}
# Settings may be none at all.
USABLE = {("train with settings", name) for name in ("empty.everystep", "empty.conllu")}


def ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Run a command; return its exit code and the one line that it says."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("everystep: ")
    assert said.err.count("\n") == 1, said.err
    assert not RAW.search(said.err.rstrip("\n")), said.err
    return caught.value.code, said.err


@pytest.mark.parametrize("what", WRONG_USE)
def test_wrong_use_ends_with_2_in_one_line(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(WRONG_USE[what], capsys)[0] == 2


@pytest.mark.parametrize(
    ("command", "name"),
    # Each command has files of its own of those that it has in common with the others.
    [
        (command, name)
        for place, command in enumerate(COMMANDS)
        for name in [*FILES][place % 2 :: 2]
        if (command, name) not in USABLE
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_line(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FILES[name](tmp_path / name)
    good = tmp_path / "good.jsonl"
    good.write_text('{"tokens": ["a"], "labels": ["b"]}\n', "utf-8")
    places = {"bad": tmp_path / name, "good": good, "out": tmp_path / "out.everystep"}
    code, said = ended([word.format(**places) for word in COMMANDS[command]], capsys)
    assert code in (1, 2)
    assert name in said
    assert not (tmp_path / "out.everystep").exists()
