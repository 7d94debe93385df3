"""Data that fails in the middle of an epoch: the error arrives as it was, and training goes on."""

import itertools
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from everystep.callbacks.checkpoints import _taken
from everystep.errors import CorpusError
from tests.faults.tally import Tally, expect
from tests.faults.training import BATCHES, EPOCHS, Batch, Batches, Training, steps_kept

ERRORS: dict[str, Callable[[], Exception]] = {
    "an error of the user's own": lambda: ZeroDivisionError("division by zero"),
    "a damaged line of a corpus": lambda: CorpusError("train.conllu:7: expected 10 columns, got 3"),
    "a file that cannot be read": lambda: OSError(5, "Input/output error", "part7.npy"),
    "no more memory": lambda: MemoryError("8 GiB"),
}


class Failing(Batches):
    """Batches of which one cannot be had.

    Args:
        error: what is raised.
        at: when, counted over all that were asked for.
    """

    def __init__(self, error: Exception, at: int) -> None:
        super().__init__()
        self.error, self.left = error, at

    def __getitem__(self, number: int) -> Batch:
        self.left -= 1
        if not self.left:
            raise self.error
        return super().__getitem__(number)


def drawn(data: Batches, count: int | None = None) -> Iterator[Batch]:
    """Draw batches one by one, in order, without end or so many."""
    done = 0
    while count is None or done < count:
        yield data[done % len(data)]
        done += 1


DRAWN: dict[str, Any] = {"steps_per_epoch": BATCHES}


def _fails(training: Training, folder: Path, error: Exception, at: int, by_number: bool) -> None:
    heard: Exception | None = None
    data = Failing(error, at)
    try:
        if by_number:
            training.run(folder, data=data)
        else:
            training.run(folder, data=drawn(data), **DRAWN)
    except Exception as raised:
        heard = raised
    expect(heard is error, f"heard was {heard!r}")
    # Of the batches that were asked for, the first was only looked at, and one was not given.
    done = at - 2 if by_number else at - 1
    kept = steps_kept(folder) if folder.exists() else 0
    expect(kept == max(0, done), f"{kept} steps were kept, of {done}")
    if folder.exists():
        with _taken(folder):  # Nobody holds it any more.
            pass


def _ends_early(training: Training, folder: Path, count: int) -> None:
    """Let a generator give too few batches for its epochs."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        training.run(folder, data=drawn(Batches(), count), **DRAWN)
    words = [str(each.message) for each in heard if "ran out of data" in str(each.message)]
    expect(words, "nobody heard that data ran out")
    expect(steps_kept(folder) == count, f"{steps_kept(folder)} steps were kept, of {count}")


def _both_fail(training: Training, folder: Path, at: int) -> None:
    """Let the disk fail while it takes the step before that whose batch cannot be had."""
    # Each file is synced, and its folder; epochs have one more at their end.
    whole = 2 * (at - 3 + (at - 3) // BATCHES)
    calls = itertools.count(1)

    def fail(handle: int) -> None:
        if next(calls) > whole:
            raise OSError(5, "Input/output error")

    error, heard = ZeroDivisionError("division by zero"), None
    data = Failing(error, at)
    with patch.object(os, "fsync", fail):
        try:
            training.run(folder, data=data)
        except OSError as raised:
            heard = raised
    expect(heard is not None, "nobody heard that the disk had failed")
    causes: list[BaseException | None] = [heard]
    while causes[-1] is not None:
        causes.append(causes[-1].__context__)
    # At the end of an epoch that of the disk is heard before more data are asked for.
    expect(error in causes or data.left > 0, f"nobody heard of {error!r}, but of {causes}")
    training.goes_on(folder)


def made(quick: bool) -> list[Tally]:
    """Let every batch fail, or some."""
    training = Training()
    last = EPOCHS * BATCHES
    together = Tally("data and disk that fail together")
    for at in (5,) if quick else range(3, last + 1):
        with together.trying(f"batch {at}"), tempfile.TemporaryDirectory() as name:
            _both_fail(training, Path(name, "run"), at)
    early = Tally("data that ends too early")
    for count in (6,) if quick else range(1, last):
        with early.trying(f"after {count} batches"), tempfile.TemporaryDirectory() as name:
            _ends_early(training, Path(name), count)
    return [_in_mid_epoch(training, quick), together, early]


def _in_mid_epoch(training: Training, quick: bool) -> Tally:
    tally = Tally("data that fails in the middle of an epoch")
    for by_number in (True, False):
        how: dict[str, Any] = {} if by_number else DRAWN
        training.wanted = training.run(None, data=_whole(by_number), **how)
        for number, (words, make) in enumerate(ERRORS.items()):
            for at in (3 + 2 * number,) if quick else range(1, EPOCHS * BATCHES + 1):
                case = f"{words}, batch {at}, by number: {by_number}"
                with tally.trying(case), tempfile.TemporaryDirectory() as name:
                    folder = Path(name, "run")
                    _fails(training, folder, make(), at, by_number)
                    training.goes_on(folder, data=_whole(by_number), **how)
    return tally


def _whole(by_number: bool) -> Any:
    return Batches() if by_number else drawn(Batches())
