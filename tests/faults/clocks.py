"""Clocks that go backwards, stand still or jump: nothing hangs on them, and none reads below 0."""

import contextlib
import io
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from everystep.callbacks import CSVLogger
from everystep.tagging.resuming import Known
from everystep.training import progress
from tests.faults.tally import Tally, expect
from tests.faults.training import BATCHES, EPOCHS, Training, steps_kept

Clock = Callable[[int], float]
"""The time at a reading of a number."""

START = 1e9
CLOCKS: dict[str, Clock] = {
    "clock goes backwards": lambda reading: START - 10.0 * reading,
    "clock stands still": lambda reading: START,
    "clock jumps ahead": lambda reading: START + 1e6 * reading,
    "clock is set back once": lambda reading: START + reading - (1e7 if reading > 9 else 0),
    "clock starts before its time": lambda reading: reading - 5.0,
}
READINGS = ("time", "monotonic", "perf_counter")

NEGATIVE = re.compile(r"-\d+:\d\d|-[\d,.]+ (steps/s|s\b)")
"""A time or a speed below zero, where people read."""


@contextmanager
def going(clock: Clock) -> Iterator[None]:
    """Let all clocks of this process go like one."""
    with ExitStack() as stack:
        for name in READINGS:
            readings = map(clock, itertools.count())
            stack.enter_context(patch.object(time, name, lambda readings=readings: next(readings)))
        yield


def told(bar: bool, training: Training, folder: Path) -> str:
    """Train, and return what was shown, by a bar or by lines."""
    shown = io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(shown))
        stack.enter_context(patch.object(progress, "_can_draw", lambda: bar))
        stack.enter_context(patch.dict(os.environ, {"COLUMNS": "120", "TTY_COMPATIBLE": "1"}))
        log = CSVLogger(str(folder / "log.csv"))
        found = training.run(folder / "run", [log, known := Known("this")], verbose=1)
        expect(known.seconds >= 0, f"it took {known.seconds} s")
    expect(found == training.wanted, "the bits at the end are others")
    return shown.getvalue()


def _train(training: Training, clock: Clock, bar: bool, folder: Path) -> None:
    run = folder / "run"
    with going(clock):
        words = told(bar, training, folder)
    expect("steps/s" in words, f"nothing was told: {words!r}")
    expect(not (found := NEGATIVE.search(words)), f"{found} can be read")
    steps = EPOCHS * BATCHES
    names = sorted(path.name for path in run.glob("*.checkpoint"))
    expect(names == [f"{steps - k:010d}.checkpoint" for k in (2, 1, 0)], f"kept were {names}")
    expect(len((folder / "log.csv").read_text().splitlines()) == EPOCHS + 1, "lines are missing")


def _order(clock: Clock, folder: Path, training: Training) -> None:
    """Let the times of the files say something else than their steps do."""
    training.run(folder, epochs=2)
    for reading, path in enumerate(sorted(folder.glob("*.checkpoint"))):
        os.utime(path, (clock(reading) % START, clock(reading) % START))
    expect(steps_kept(folder) == 2 * BATCHES, "the newest is told by the time of its file")
    training.goes_on(folder)


def made(quick: bool) -> list[Tally]:
    """Train by every clock, with a bar and with lines."""
    training, tallies = Training(), []
    for name, clock in CLOCKS.items():
        tally = Tally(name)
        for case in ("a bar", "lines", "times of files"):
            with tally.trying(case), tempfile.TemporaryDirectory() as folder:
                if case == "times of files":
                    _order(clock, Path(folder), training)
                else:
                    _train(training, clock, case == "a bar", Path(folder))
        tallies.append(tally)
    return tallies
