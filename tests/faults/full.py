"""Disks that are really full, limited or read-only, under a training and under what is printed."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from everystep.callbacks import LambdaCallback
from tests.faults.tally import Tally, expect
from tests.faults.training import Training, steps_kept

PAGE = 4096
PAGES = 48
"""Of a disk in memory, so much room as a few checkpoints take."""
COMMANDS = (["--version"], ["--help"], ["train", "--help"], ["doctor"], ["explain", "--help"])

Trouble = Callable[[Path, int], AbstractContextManager[None]]


def may_mount() -> bool:
    """Whether this process may mount a disk in memory."""
    with tempfile.TemporaryDirectory() as name:
        return not _mount(name) and not _unmount(name)


def _mount(folder: str, options: str = f"size={PAGE * PAGES}") -> int:
    if sys.platform != "linux" or os.geteuid():
        return 1
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode


def _unmount(folder: str) -> int:
    return subprocess.run(["umount", folder], capture_output=True, check=False).returncode


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Put a disk of a few pages over a folder."""
    expect(not _mount(str(folder)), "no disk could be mounted")
    try:
        yield
    finally:
        _unmount(str(folder))


@contextmanager
def filled(folder: Path, room: int) -> Iterator[None]:
    """Leave so many pages of a disk."""
    ballast = folder.parent / "ballast"
    with ballast.open("wb", buffering=0) as file, ExitStack() as stack:
        stack.callback(ballast.unlink)
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError:
            os.ftruncate(file.fileno(), max(0, os.fstat(file.fileno()).st_size - room * PAGE))
        yield


@contextmanager
def limited(folder: Path, room: int) -> Iterator[None]:
    """Let no file get larger than so many pages: writes are cut short there, the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room * PAGE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path, room: int) -> Iterator[None]:
    """Let nobody write into a folder; root does not care for its mode, so it is covered."""
    if os.geteuid():
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    expect(not _mount(str(folder), "ro"), "the folder could not be covered")
    try:
        yield
    finally:
        _unmount(str(folder))


def in_training(training: Training, trouble: Trouble, folder: Path, step: int, room: int) -> None:
    """Let a disk fail from a step on, and have room again for the same call."""
    with ExitStack() as stack:

        def begin(batch: int, logs: Any) -> None:
            # Only once the writer waits, so that what it has still to do cannot fail.
            if training.model._steps_done == step:
                checkpoints = training.model.running.calls.callbacks[-1]
                checkpoints._wait()
                stack.enter_context(trouble(folder, room))

        error = None
        try:
            training.run(folder, [LambdaCallback(on_train_batch_begin=begin)])
        except OSError as raised:
            error = raised
    expect(error is not None, "nobody heard that the disk had failed")
    named = str(getattr(error, "filename", ""))
    expect(named.startswith(f"{folder}/"), f"{error!r} names no file of {folder}")
    expect(steps_kept(folder) >= step, f"of {step} steps {steps_kept(folder)} were kept")
    training.goes_on(folder)


TROUBLES: dict[str, tuple[Trouble, bool]] = {
    "full disk (a real one) under checkpoints": (filled, True),
    "largest size of a file (RLIMIT_FSIZE) under checkpoints": (limited, False),
    "folder that became read-only under checkpoints": (read_only, not os.geteuid()),
}
"""What goes wrong, and whether it needs a disk of its own."""


def _under_training(quick: bool) -> list[Tally]:
    training, mounts, tallies = Training(), may_mount(), []
    steps, rooms = ((2, 7), (0, 1)) if quick else (range(1, 12), range(4))
    for name, (trouble, needs_disk) in TROUBLES.items():
        tally = Tally(name)
        needs_mount = needs_disk or (trouble is read_only and not os.geteuid())
        if needs_mount and not mounts:
            tally.skipped = "no right to mount"
        for step, room in () if tally.skipped else [(s, r) for s in steps for r in rooms]:
            with ExitStack() as stack, tally.trying(f"step {step}, {room} pages"):
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                if needs_disk:
                    stack.enter_context(small_disk(folder))
                in_training(training, trouble, folder / "run", step, room)
        tallies.append(tally)
    return tallies


def _under_output(quick: bool) -> Tally:
    """Print to a full disk: the code is 1, one line says why, and nothing is printed twice."""
    tally = Tally("full disk behind standard output (/dev/full)")
    if not Path("/dev/full").exists():
        tally.skipped = "no /dev/full"
        return tally
    for arguments in COMMANDS[:1] if quick else COMMANDS:
        with tally.trying(" ".join(arguments)), open("/dev/full", "wb") as full:
            command = [sys.executable, "-m", "everystep", *arguments]
            # As people have it: what is left in memory is written when the interpreter ends.
            buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
            ended = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered
            )
            lines = ended.stderr.splitlines()
            expect(ended.returncode == 1, f"the code is {ended.returncode}")
            expect(len(lines) == 1 and "No space left" in lines[0], f"it says {lines}")
    return tally


def made(quick: bool) -> list[Tally]:
    """Let disks fail under every step, or under two."""
    return [*_under_training(quick), _under_output(quick)]
