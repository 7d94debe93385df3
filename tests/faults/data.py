"""Data that fails in the middle of an epoch: the error arrives as it was, and training goes on."""

import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


BY_NUMBER: dict[str, Any] = {}
DRAWN: dict[str, Any] = {"steps_per_epoch": BATCHES}


def _fails(
    training: Training, folder: Path, make: Callable[[], Exception], at: int, by_number: bool
) -> None:
    error, heard = make(), None
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


def made(quick: bool) -> list[Tally]:
    """Let every batch fail, or some."""
    training = Training()
    ways = {"by number": True, "drawn": False}
    wanted = {
        "by number": training.wanted,
        "drawn": training.run(None, data=drawn(Batches()), **DRAWN),
    }
    last = EPOCHS * BATCHES
    tally = Tally("data that fails in the middle of an epoch")
    for way, by_number in ways.items():
        training.wanted = wanted[way]
        for number, (name, make) in enumerate(ERRORS.items()):
            for at in (3 + 2 * number,) if quick else range(1, last + 1):
                with (
                    tally.trying(f"{name}, {way}, batch {at}"),
                    tempfile.TemporaryDirectory() as temporary,
                ):
                    folder = Path(temporary) / "run"
                    _fails(training, folder, make, at, by_number)
                    if by_number:
                        training.goes_on(folder)
                    else:
                        training.goes_on(folder, data=drawn(Batches()), **DRAWN)
    early = Tally("data that ends too early")
    for count in (6,) if quick else range(1, last):
        with early.trying(f"after {count} batches"), tempfile.TemporaryDirectory() as temporary:
            _ends_early(training, Path(temporary), count)
    return [tally, early]
