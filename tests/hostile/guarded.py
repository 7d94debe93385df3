"""Reads hostile files in a process that has little memory and tells of all that it touches.

python -m tests.hostile.guarded FILES, where FILES is a list [[id, format, path], ...] in JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from everystep.errors import EverystepError
from tests.hostile.attack import READ, REFUSED, WARNED
from tests.hostile.formats import FORMATS, SIGNALS_FILE, good_files, in_training

MEMORY = 256 * 2**20
"""In bytes; what reading may take besides what the process has when it begins."""

SECONDS = 10
"""How long reading one file may take."""

HARMLESS = frozenset(
    {
        "array.__new__",
        "builtins.id",
        "mmap.__new__",
        "object.__delattr__",
        "object.__getattr__",
        "object.__setattr__",
        "sys._getframe",
        "sys._getframemodulename",
    }
)
"""Events of Python that touch nothing; whatever else happens is told."""

PARSED = ("python", "npy", "npy labels")
"""Formats that Python's parser reads: it makes a tree of them, and nothing runs it."""

OF_A_MODEL = ("weights", "checkpoint", "keras weights")
"""Formats that are read into a model that is there."""

UNKNOWN = "<unknown>"
"""What Python's parser calls a text without a name, and looks for to show the line of an error."""


class TooLongError(BaseException):
    """Reading takes too long; no `except Exception` may catch this."""


class Watch:
    """What happens while it is on."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._path: Path | None = None
        self._format = ""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: Any) -> None:
        if self._path is None or event in HARMLESS:
            return
        if not self._is_due(self._path, event, arguments):
            self.seen.append(f"{event} {arguments!r}"[:200])

    def _is_due(self, path: Path, event: str, arguments: Any) -> bool:
        """Whether an event is what reading a file of this format is made of."""
        if event == "compile":
            return self._format in PARSED
        if event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return False
        name = str(arguments[0])
        beside = name == str(path.with_name(SIGNALS_FILE)) and self._format == "npy labels"
        # Python reads its own sources where it writes a traceback.
        return name == str(path) or beside or name.endswith(".py") or name == UNKNOWN

    @contextmanager
    def on(self, format: str, path: Path) -> Iterator[list[str]]:
        self.seen, self._format, self._path = [], format, path
        try:
            yield self.seen
        finally:
            self._path = None


def late(number: int, frame: Any) -> None:
    raise TooLongError


def digest(model: Any) -> str:
    """Return what is another one if anything of a training has changed."""
    contents = model.training_state()
    found = hashlib.sha256(repr(sorted(contents.metadata.items())).encode())
    for name, value in sorted(contents.tensors.items()):
        found.update(name.encode() + value.tobytes())
    return found.hexdigest()


def look_of(folder: Path) -> dict[str, Any]:
    """Return what is another one if anything in a folder has changed."""
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in folder.iterdir()}


def tried(model: Any, format: str, path: Path, watch: Watch) -> tuple[str, str]:
    """Read one file; return how that ended, and what was said."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            with watch.on(format, path):
                FORMATS[format].read(model, path)
        except EverystepError as error:
            return REFUSED, str(error)
        except (Exception, TooLongError) as error:
            return type(error).__name__, str(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    said = "; ".join(str(each.message) for each in told)
    return (WARNED, said) if said else (READ, "")


def limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def read_all(files: list[tuple[str, str, str]], folder: Path) -> list[dict[str, Any]]:
    """Read files and say of each how that ended and what it touched."""
    found: list[dict[str, Any]] = []
    good_files(folder)

    def work(model: Any) -> None:
        for each in FORMATS.values():  # What a first reading imports and compiles is not counted.
            each.read(model, folder / each.file)
        before = model.training_state()
        watch = Watch()
        signal.signal(signal.SIGALRM, late)
        limit_memory()
        for name, format, path in files:
            around, is_its = Path(path).parent, format in OF_A_MODEL
            kept, look, start = is_its and digest(model), look_of(around), time.perf_counter()
            ends, said = tried(model, format, Path(path), watch)
            found.append(
                {
                    "id": name,
                    "ends": ends,
                    "said": said[:2000],
                    "touched": watch.seen,
                    "seconds": time.perf_counter() - start,
                    "left": ["the folder"] * (look_of(around) != look)
                    + ["the training"] * (is_its and digest(model) != kept),
                }
            )
            if is_its:
                model.set_training_state(before)

    in_training(work)
    return found


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    good = Path(sys.argv[1]).parent / "good"
    good.mkdir()
    sys.stdout.write(json.dumps(read_all(given, good)))
