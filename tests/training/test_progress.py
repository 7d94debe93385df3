"""A terminal sees a bar, a pipe sees plain lines or nothing."""

import io
import os
import pty
import re
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from everystep.errors import SettingError
from everystep.training import progress
from everystep.training.progress import Bar, Line, Progress, progress_for

PROGRAM = """
    import sys, time
    from everystep.training.progress import progress_for
    verbose = sys.argv[1]
    for epoch in (1, 2):
        with progress_for(verbose if verbose == "auto" else int(verbose), f"Epoch {epoch}/2") as p:
            p.start(20)
            for number in range(20):
                time.sleep(0.02)
                p.advance({"loss": 0.5, "accuracy": number / 32}, 1000)
                if number == 10:
                    print("a callback speaks")
            p.finish({"loss": 0.5, "accuracy": 0.59375, "val_loss": 0.25, "val_accuracy": 0.00001})
    assert ("rich" in sys.modules) == (sys.argv[2] == "rich"), "rich"
"""


def on_a_pipe(verbose: str) -> str:
    program = textwrap.dedent(PROGRAM)
    environment = os.environ | {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, verbose, "plain"],
        capture_output=True,
        check=True,
        env=environment,
    )
    assert done.stderr == b""
    return done.stdout.decode()


def on_a_terminal(verbose: str, loads: str, **environment: str) -> str:
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), verbose, loads],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm-256color", "COLUMNS": "120"} | environment,
    ) as child:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # The terminal says so when the other side is gone.
                break
            if not piece:
                break
            seen += piece
        os.close(ours)
    assert child.returncode == 0, seen.decode()
    return seen.decode()


def visible(output: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)


def test_a_bar_appears_on_a_terminal() -> None:
    output = on_a_terminal("auto", "rich")
    drawings = [line for line in visible(output).split("\r") if "ETA" in line]
    # Two epochs of 0.4 s: more than a few drawings, far fewer than the 40 batches.
    assert 6 <= len(drawings) <= 20
    for part in ("Epoch 1/2", "━", "0/20", "20/20", "ETA 0:00", "loss 0.5000", "steps/s"):
        assert part in "".join(drawings)
    speeds = [int(speed.replace(",", "")) for speed in re.findall(r"([\d,]+) steps/s", output)]
    # A thousand steps each 0.02 s, or slower on a busy machine.
    assert 5_000 < speeds[-1] <= 50_000


def test_the_last_state_of_the_bar_stays_as_one_line() -> None:
    lines = visible(on_a_terminal("auto", "rich")).split("\n")
    last = [line.split("\r")[-2 if line.endswith("\r") else -1] for line in lines]
    kept = [line for line in last if "val_loss" in line]
    assert len(kept) == 2
    for epoch, line in enumerate(kept, 1):
        for part in (
            f"Epoch {epoch}/2",
            "20/20",
            "loss 0.5000  accuracy 0.5938  val_loss 0.2500  val_accuracy 1.0000e-05",
            "steps/s",
        ):
            assert part in line


def test_what_callbacks_say_stands_above_the_bar() -> None:
    output = visible(on_a_terminal("1", "rich"))
    assert len(re.findall(r"(?m)(?:^|\r)a callback speaks\s*$", output)) == 2


@pytest.mark.parametrize("verbose", ["auto", "0"])
def test_a_pipe_gets_nothing(verbose: str) -> None:
    assert on_a_pipe(verbose) == "a callback speaks\n" * 2


@pytest.mark.parametrize("verbose", ["1", "2"])
def test_a_pipe_gets_plain_lines_where_they_are_asked_for(verbose: str) -> None:
    spoken, first, again, second = on_a_pipe(verbose).splitlines()
    assert spoken == again == "a callback speaks"
    for epoch, line in ((1, first), (2, second)):
        assert re.fullmatch(
            rf"Epoch {epoch}/2 - 20/20 - 0:0\d - loss 0\.5000 - accuracy 0\.5938 - "
            r"val_loss 0\.2500 - val_accuracy 1\.0000e-05 - [\d,]+ steps/s",
            line,
        )
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", on_a_pipe(verbose))


def test_a_terminal_gets_plain_lines_for_2() -> None:
    output = on_a_terminal("2", "plain")
    assert "\x1b" not in output
    assert output.count("Epoch") == 2


def test_a_terminal_that_cannot_redraw_gets_no_bar() -> None:
    assert "Epoch" not in on_a_terminal("auto", "plain", TERM="dumb")


@pytest.mark.parametrize("verbose", [3, -1, "loud", None, 0.5])
def test_other_settings_are_refused(verbose: Any) -> None:
    with pytest.raises(SettingError, match="verbose must be 0, 1, 2 or 'auto'"):
        progress_for(verbose, "Epoch 1/1")


def test_a_notebook_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(progress_for("auto", "Epoch 1/1")) is Progress
    assert type(progress_for(1, "Epoch 1/1")) is Line
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert type(progress_for("auto", "Epoch 1/1")) is Bar


class Slow:
    """A number on the device: counts how often somebody waits for it."""

    waits = 0

    def __float__(self) -> float:
        self.waits += 1
        return 0.5


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_a_bar_waits_for_the_device_only_when_it_redraws(
    monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    value = Slow()
    with Bar("Epoch 1/1") as bar:
        bar.start(1000)
        for _ in range(500):
            clock.now += 0.01
            bar.advance({"loss": value}, 1)
    # Five seconds at ten drawings a second.
    assert 40 <= value.waits <= 50


def test_silence_never_waits_for_the_device() -> None:
    value = Slow()
    with progress_for(0, "Epoch 1/1") as silent:
        silent.start(1)
        silent.advance({"loss": value}, 1)
        silent.finish({"loss": value})
    assert value.waits == 0


def test_the_speed_of_a_bar_leaves_out_compilation_and_validation(
    monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with Bar("Epoch 1/1") as bar:
        bar.start(11)
        clock.now += 30  # The compilation.
        for _ in range(11):
            bar.advance({"loss": 0.5}, 500)
            clock.now += 1
        clock.now += 60  # The validation.
        bar.finish({"loss": 0.5, "val_loss": 0.25})
    last = visible(terminal.getvalue()).strip().splitlines()[-1]
    assert "500 steps/s" in last
    assert "1:41" in last


def test_the_speed_of_a_line_leaves_out_compilation_and_validation(
    capsys: pytest.CaptureFixture[str], clock: Any
) -> None:
    with Line("Epoch 1/1") as line:
        line.start(3)
        clock.now += 30  # The compilation.
        for _ in range(3):
            line.advance({"loss": 0.5}, 500)
            clock.now += 1
        clock.now += 60  # The validation.
        line.finish({"loss": 0.5})
    assert capsys.readouterr().out == "Epoch 1/1 - 3/3 - 1:33 - loss 0.5000 - 500 steps/s\n"


def test_the_speed_of_one_batch_is_all_that_there_is(
    capsys: pytest.CaptureFixture[str], clock: Any
) -> None:
    with Line("Epoch 1/1") as line:
        line.start(1)
        clock.now += 2
        line.advance({"loss": 0.5}, 500)
        line.finish({"loss": 0.5})
    assert capsys.readouterr().out.endswith(" 250 steps/s\n")


def test_an_error_gives_the_screen_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")

    def interrupted() -> None:
        with Bar("Epoch 1/1") as bar:
            bar.start(3)
            assert sys.stdout is not terminal
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert sys.stdout is terminal
    assert terminal.getvalue().endswith("\x1b[?25h")
