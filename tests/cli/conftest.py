"""A library that is read in seconds, small models, and the command line as a user has it."""

import contextlib
import io
import os
import pty
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from everystep.cli.demo import demonstrate
from everystep.cli.demonstration.settings import Settings

Command = Callable[..., "subprocess.CompletedProcess[str]"]

# By the split of seed 0: a few modules to train on, some of dev, some of test.
MODULES = (
    *("calendar", "code", "copy", "csv", "getopt", "glob", "heapq", "netrc", "numbers", "pprint"),
    *("queue", "reprlib", "sched", "shlex", "textwrap", "timeit"),
    *("bisect", "cmd", "string"),
    *("fileinput", "hashlib", "hmac", "modulefinder"),
)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that a few modules and small models make quick."""
    library = tmp_path_factory.mktemp("library")
    for name in MODULES:
        source = Path(sysconfig.get_paths()["stdlib"], f"{name}.py")
        (library / source.name).write_bytes(source.read_bytes())
    return Settings(
        root=library,
        steps=20_000,
        epochs=2,
        units=8,
        embedding=8,
        batch_size=16,
        learning_rate=0.05,
    )


@dataclass(frozen=True)
class Run:
    """One run of the demonstration: its folder, and what was shown."""

    folder: Path
    shown: str


@pytest.fixture(scope="session")
def piped(small: Settings, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run into a pipe."""
    folder = tmp_path_factory.mktemp("piped") / "made" / "by the demo"
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        demonstrate(small, folder, as_json=False, open_page=False)
    return Run(folder, shown.getvalue())


@pytest.fixture(scope="session")
def on_terminal(small: Settings, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the same on a terminal."""
    folder = tmp_path_factory.mktemp("terminal")
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        # The end of a terminal is an error.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                shown.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with (
        pytest.MonkeyPatch.context() as patch,
        open(theirs, "w", encoding="utf-8") as stream,
        contextlib.redirect_stdout(stream),
    ):
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", "110")
        patch.delenv("NO_COLOR", raising=False)
        demonstrate(small, folder, as_json=False, open_page=False)
    reader.join(timeout=10)
    os.close(ours)
    return Run(folder, b"".join(shown).decode())


@pytest.fixture
def everystep(tmp_path: Path) -> Command:
    """Run the command in a process of its own, in an empty folder."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "everystep", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    return run
