"""The command line: help, version, exit codes, and errors of one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from everystep import __version__
from everystep.cli import application, main
from everystep.errors import CorpusError, SettingError
from tests.cli.conftest import Command


def code_of(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["demo", "--help"]])
def test_help_says_what_there_is(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(arguments) == 0
    assert "demo" in capsys.readouterr().out


def test_the_module_is_the_command(everystep: Command) -> None:
    done = everystep("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"everystep {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["demo", "--nothing"],
        ["demo", "surplus"],
        ["demo", "--epochs", "0"],
        ["demo", "--epochs", "many"],
        ["demo", "--seed", "-1"],
        ["demo", "--steps", "1"],
        ["demo", "--out"],
    ],
)
def test_wrong_use_ends_with_2_and_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("everystep: ")
    assert shown.err.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_wrong_use_and_is_found_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert code_of(["demo", "--out", str(tmp_path / "file" / "folder")]) == 2
    shown = capsys.readouterr().err
    assert "--out" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingError("a\nb"), 2),
        (CorpusError("a\nb"), 1),
        (OSError("a\nb"), 1),
        (MemoryError("a\nb"), 1),
    ],
)
def test_errors_end_with_their_code_and_one_line(
    error: Exception,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("everystep.cli.demonstration.run.run", fail)
    assert code_of(["demo", "--json", "--out", str(tmp_path)]) == code
    assert capsys.readouterr() == ("", "everystep: a b\n")


def test_an_interrupt_ends_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("everystep.cli.demonstration.run.run", interrupt)
    assert code_of(["demo", "--json", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.strip() == "everystep: interrupted"


def test_sigterm_ends_with_143_as_an_interrupt_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = []

    def terminate(*_: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            left.append("in order")

    # A process of the tests that is told to end here must not.
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr("everystep.cli.demonstration.run.run", terminate)
    try:
        assert code_of(["demo", "--json", "--out", str(tmp_path)]) == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.strip() == "everystep: terminated"
    assert left == ["in order"]


def test_a_fault_of_ours_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("everystep.cli.demonstration.run.run", fail)
    with pytest.raises(AssertionError):
        main(["demo", "--json", "--out", str(tmp_path)])


def test_heavy_imports_wait_for_their_command() -> None:
    program = "import sys, everystep.cli; sys.exit('jax' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_command_has_help() -> None:
    commands = application.registered_commands
    assert commands
    assert all(command.callback and command.callback.__doc__ for command in commands)


def test_nothing_is_left_of_the_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everystep.cli.demonstration.run.run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["demo", "--json", "--out", str(tmp_path / "new")])
    assert os.listdir(tmp_path / "new") == []
