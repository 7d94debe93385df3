"""Two trainings in one folder, and what one that was killed left there."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from everystep.errors import StateError
from tests.faults.tally import Tally, expect
from tests.faults.training import BATCHES, EPOCHS, Training

LEFT_BEHIND = {
    "lock": {".lock": b"12345"},
    "part of a checkpoint": {".0000000004.checkpoint.0123456789abcdef.part": b"half"},
    "part of the best": {".best.checkpoint.fedcba9876543210.part": b""},
    "all of these": {
        ".lock": b"",
        ".0000000004.checkpoint.0123456789abcdef.part": b"\0" * 5000,
        ".0000000008.checkpoint.0123456789abcdef.part": b"half",
    },
}
"""What stands in a folder when a training takes it over; its parts must go."""
OTHERS = {"notes.txt": b"mine", ".model.everystep.0123456789abcdef.part": b"of another writer"}
"""What stands there and must stay."""

HOLDS = """
import sys, time
from pathlib import Path
from everystep.callbacks.checkpoints import _taken
with _taken(Path(sys.argv[1])):
    print("taken", flush=True)
    time.sleep(60)
"""


def _held(training: Training, folder: Path, number: int) -> None:
    """Let another process have the folder; it is refused, and free again once that is dead."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", HOLDS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        assert other.stdout is not None
        expect(other.stdout.readline() == b"taken\n", "the other process did not get the folder")
        before = sorted(path.name for path in folder.iterdir())
        error: Exception | None = None
        try:
            training.run(folder)
        except StateError as raised:
            error = raised
        os.kill(other.pid, number)
    expect("another training writes" in str(error), f"heard was {error!r}")
    expect(sorted(path.name for path in folder.iterdir()) == before, "something was changed")
    training.goes_on(folder)


def _left(training: Training, folder: Path, files: dict[str, bytes]) -> None:
    """Go on in a folder in which a process was killed."""
    training.run(folder, epochs=1)
    for name, contents in {**files, **OTHERS}.items():
        (folder / name).write_bytes(contents)
    expect(training.run(folder) == training.wanted, "the bits at the end are others")
    names = {path.name for path in folder.iterdir()}
    last = [f"{EPOCHS * BATCHES - back:010d}.checkpoint" for back in range(3)]
    expect(names == {".lock", *OTHERS, *last}, f"there is {sorted(names)}")


def made(quick: bool) -> list[Tally]:
    """Let two have one folder, and leave things in it."""
    training = Training()
    two = Tally("two trainings in one folder")
    for number in (signal.SIGKILL,) if quick else (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        for begun in (True,) if quick else (False, True):
            with (
                two.trying(f"{number.name}, begun: {begun}"),
                tempfile.TemporaryDirectory() as name,
            ):
                folder = Path(name) / "run"
                if begun:
                    training.run(folder, epochs=2)
                _held(training, folder, number)
    left = Tally("lock and parts that a killed training left")
    for what, files in LEFT_BEHIND.items():
        with left.trying(what), tempfile.TemporaryDirectory() as name:
            _left(training, Path(name), files)
    return [two, left]
