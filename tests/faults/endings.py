"""A training is told to end, by SIGTERM or Ctrl-C, at any moment: it ends well, and goes on."""

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from everystep.callbacks import LambdaCallback
from tests.faults.processes import SECONDS, forked
from tests.faults.tally import Tally, expect
from tests.faults.training import BATCHES, EPOCHS, Batches, Training, plain_model

STEP = 5
"""The step in which, or in whose epoch, a training is told to end."""
VALIDATED: dict[str, Any] = {"validation_data": Batches()}

Moment = Callable[[Training, Callable[[], None]], contextlib.AbstractContextManager[list[Any]]]
"""Runs what waits for a signal at its moment; gives the callbacks that this takes."""


@contextlib.contextmanager
def in_a_step(training: Training, wait: Callable[[], None]) -> Iterator[list[Any]]:
    """Before the arithmetic of a step."""

    def begin(batch: int, logs: Any) -> None:
        if training.model._steps_done == STEP:
            wait()

    yield [LambdaCallback(on_train_batch_begin=begin)]


@contextlib.contextmanager
def in_writing(training: Training, wait: Callable[[], None]) -> Iterator[list[Any]]:
    """While a thread puts a checkpoint on the disk."""
    sync = os.fsync

    def slow(handle: int) -> None:
        if training.model._steps_done >= STEP:
            wait()
        sync(handle)

    with patch.object(os, "fsync", slow):
        yield []


@contextlib.contextmanager
def in_validation(training: Training, wait: Callable[[], None]) -> Iterator[list[Any]]:
    """Between two batches of validation."""
    yield [LambdaCallback(on_test_batch_begin=lambda batch, logs: wait() if batch == 1 else None)]


@contextlib.contextmanager
def between_epochs(training: Training, wait: Callable[[], None]) -> Iterator[list[Any]]:
    """Behind an epoch, while callbacks look at it."""
    yield [LambdaCallback(on_epoch_end=lambda epoch, logs: wait())]


@contextlib.contextmanager
def at_the_end(training: Training, wait: Callable[[], None]) -> Iterator[list[Any]]:
    """When all epochs are done."""
    yield [LambdaCallback(on_train_end=lambda logs: wait())]


# By where the checkpoint must then be: how many steps it has behind it.
MOMENTS: dict[str, tuple[Moment, range]] = {
    "in a step": (in_a_step, range(STEP + 1, STEP + 2)),
    "while a checkpoint is written": (in_writing, range(STEP, STEP + 3)),
    "in validation": (in_validation, range(BATCHES, BATCHES + 1)),
    "between epochs": (between_epochs, range(BATCHES, BATCHES + 1)),
    "at the end": (at_the_end, range(EPOCHS * BATCHES, EPOCHS * BATCHES + 1)),
    "twice in a step": (in_a_step, range(STEP, STEP + 1)),
}
TWICE = "twice in a step"
CODES = {signal.SIGTERM: 143, signal.SIGINT: -signal.SIGINT}
"""What the system says of a process that ended; a shell says 130 for the second."""


def _train(folder: Path, name: str, say: Callable[[bytes], object]) -> None:
    """Train in a process of its own, and say when the moment has come."""
    training = Training(plain_model)

    def asked() -> bool:
        return training.model.running.calls.callbacks[-1]._asked is not None

    def wait() -> None:
        if not asked():
            say(b"!")
            while not asked():
                time.sleep(0.002)
            if name == TWICE:
                say(b"!")
                time.sleep(SECONDS)

    with MOMENTS[name][0](training, wait) as also:
        training.run(folder, also, **VALIDATED)


def _go_on(folders: list[Path], say: Callable[[bytes], object]) -> None:
    """Go on in each folder, and say of each whether it ended as it should, with one byte."""
    training = Training(plain_model)
    training.wanted = training.run(None, **VALIDATED)
    for folder in folders:
        same = training.run(folder, **VALIDATED) == training.wanted
        say(b"=" if same else b"#")


def _told(folder: Path, number: signal.Signals, name: str) -> None:
    """Tell a training at a moment to end, and look at what it says and leaves."""
    errors = folder.with_suffix(".err")
    process = forked(partial(_train, folder, name), errors)
    while process.read(1):
        process.tell(number)
    code, _ = process.ended()
    words = errors.read_text()
    kept = max(int(path.stem) for path in folder.glob("*.checkpoint"))
    expect(kept in MOMENTS[name][1], f"{kept} steps were kept, expected {MOMENTS[name][1]}")
    # Whoever asks twice does not want to wait for the step.
    wanted = "KeyboardInterrupt" if name == TWICE else f"keeps all of it up to step {kept}, and"
    expect(wanted in words, f"it says {words[-500:]}")
    wanted_code = CODES[signal.SIGINT if name == TWICE else number]
    expect(code == wanted_code, f"the code is {code}: {words[-500:]}")


def made(quick: bool) -> list[Tally]:
    """Tell trainings to end at all moments by both signals, or by one each at two."""
    tallies = {number: Tally(f"{number.name} in a training") for number in CODES}
    cases = [(number, name) for name in MOMENTS for number in CODES]
    if quick:
        cases = [(signal.SIGTERM, "while a checkpoint is written"), (signal.SIGINT, "at the end")]
    with tempfile.TemporaryDirectory() as temporary:
        folders = []
        for number, name in cases:
            folder = Path(temporary, f"{number.name} {name}")
            with tallies[number].trying(name):
                _told(folder, number, name)
                folders.append(folder)
        errors = Path(temporary, "on.err")
        code, said = forked(partial(_go_on, folders), errors).ended()
        again = Tally("going on behind SIGTERM or Ctrl-C")
        for place, folder in enumerate(folders):
            with again.trying(folder.name):
                expect(not code, errors.read_text())
                expect(said[place : place + 1] == b"=", "the bits at the end are others")
    return [*tallies.values(), again]
