"""The callback that keeps how far a training is, so that none of it is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from everystep import kinds
from everystep.callbacks.base import Logs, say
from everystep.callbacks.checkpoint import FREQUENCY
from everystep.callbacks.monitoring import BEST_VALUE, MODE, Monitor
from everystep.callbacks.recording import PATH
from everystep.core import Configurable, setting
from everystep.errors import FormatError, StateError
from everystep.formats import Contents, read_tensors, write_tensors
from everystep.formats.atomic import make_folder, remove_parts

SUFFIX = ".checkpoint"
BEST = f"best{SUFFIX}"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Checkpoints(Monitor, Configurable, fills_settings=True):
    """Keeps in a folder how far training is; the same call of `fit` then goes on from there.

    A checkpoint holds all that the next step depends on: weights, the optimizer's state, metrics,
    seed, epoch, the place in the shuffled data, and the state of the other callbacks. Training that
    was killed and called again ends with the bits with which it would have ended. Files are written
    beside their place and moved there once they are on the disk, with a checksum; one that is
    damaged is put aside with a warning, and the one before it is taken. What a training that was
    killed left of a file goes when the next one begins.

    Ctrl-C and SIGTERM end training behind the step that runs, with a checkpoint; Ctrl-C once more
    ends it at once. Steps do not wait for the disk.

    Data that is drawn from a generator, or by `steps_per_epoch`, is drawn again up to where it was.
    It must come in the same order when the program starts again.

    Args:
        folder: where the files are; made if it is not there. Only one training may use it.
        save_freq: `"epoch"`, or after how many batches one is written; there is always one at the
            end of an epoch.
        keep: how many are kept, the newest ones.
        monitor: the measure by which the best epoch has a file of its own besides, or None.
        mode: `"min"` where less is better, `"max"` where more is, `"auto"` to go by the name.
        verbose: 1 to say where training goes on.

    Raises:
        SettingError: a setting has a value that it cannot take, or the measure is not measured.
        StateError: another training writes into the folder.
        FormatError: all files are damaged, or of another model or other data.
        OSError: the disk is full or broken; the checkpoints before are still there.

    Example:
        >>> import everystep as es, numpy as np, tempfile
        >>> def train(epochs, folder):
        ...     es.utils.set_random_seed(5)
        ...     model = es.Sequential([es.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     x, y = np.eye(6, dtype="float32"), np.arange(6.0)
        ...     return model.fit(x, y, 2, epochs, callbacks=[Checkpoints(folder)]).history["loss"]
        >>> with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        ...     first, all_epochs = train(2, folder), train(4, folder)
        ...     all_epochs == train(4, other), len(first), len(all_epochs)
        (True, 2, 4)
    """

    folder: str = setting(PATH)
    save_freq: str | int = setting(FREQUENCY, default="epoch")
    keep: int = setting(kinds.POSITIVE, default=3)
    monitor: str | None = setting(kinds.optional(kinds.TEXT), default=None)  # type: ignore[assignment]
    mode: str = setting(MODE, default="auto")
    verbose: int = setting(kinds.WHOLE, default=0)

    runs_last = True
    kept: ClassVar[Mapping[str, Any]] = {
        "best": BEST_VALUE,
        "_was_there": bool,
        "_batches": kinds.WHOLE,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batches = 0
        self._asked: int | None = None
        self._writer: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Take the folder, and go on from its newest checkpoint, if there is one."""
        self.best, self._batches, self._asked = None, 0, None
        folder = Path(self.folder)
        make_folder(folder)
        closing: ExitStack = self.model.running.closing
        closing.enter_context(_taken(folder))
        remove_parts(folder, SUFFIX)
        self._writer = closing.enter_context(ThreadPoolExecutor(1, "checkpoint"))
        closing.callback(self._wait)
        closing.enter_context(self._listening())
        found = newest(folder)
        if found is not None:
            path, contents = found
            self.model.set_training_state(contents, str(path))
            if self.verbose:
                say(f"Going on from {path}")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write a checkpoint, if enough batches have gone by or somebody wants to end."""
        self._batches += 1
        due = self.save_freq != "epoch" and self._batches >= int(self.save_freq)
        if due or self._asked is not None:
            self._batches = 0
            self._save()
        self._leave_if_asked()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a checkpoint, and that of the best epoch."""
        self._batches = 0
        also = None
        if self.monitor is not None:
            current = self.current(epoch, logs or {})
            if current is not None and self.is_better(current, self.best):
                self.best, also = current, BEST
        self._save(also)
        self._leave_if_asked()

    def on_train_end(self, logs: Logs = None) -> None:
        """See to it that all is on the disk, and end the program if somebody has asked for it."""
        self._wait()
        self._leave_if_asked()

    def _save(self, also: str | None = None) -> None:
        self._wait()
        contents = self.model.training_state()
        name = f"{self.model._steps_done:010d}{SUFFIX}"
        assert self._writer is not None
        # First the best: the other says that it is there.
        names = [name] if also is None else [also, name]
        self._writing = self._writer.submit(self._write, contents, names)

    def _write(self, contents: Contents, names: list[str]) -> None:
        for name in names:
            write_tensors(Path(self.folder, name), contents.tensors, contents.metadata)
        for path in _numbered(Path(self.folder))[self.keep :]:
            path.unlink(missing_ok=True)

    def _wait(self) -> None:
        """Wait until what is being written is on the disk; raise what kept it from there."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Let a signal end training behind the step that runs."""

        def note(number: int, frame: FrameType | None) -> None:
            if self._asked is not None:
                raise KeyboardInterrupt
            self._asked = number
            name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            sys.stderr.write(f"\n{name}: training ends behind this step\n")

        # Python lets the main thread alone listen, and only it is told.
        main = threading.current_thread() is threading.main_thread()
        before = {number: signal.signal(number, note) for number in _SIGNALS if main}
        try:
            yield
        finally:
            for number, handler in before.items():
                # None stands for a handler that is not Python's own, which cannot be put back.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _leave_if_asked(self) -> None:
        if self._asked is None:
            return
        self._wait()
        words = (
            f"training was ended: {self.folder} keeps all of it up to step "
            f"{self.model._steps_done}, and the same call goes on from there"
        )
        if self._asked == signal.SIGINT:
            raise KeyboardInterrupt(words)
        sys.stderr.write(f"{words}\n")
        raise SystemExit(128 + self._asked)


def newest(folder: str | os.PathLike[str]) -> tuple[Path, Contents] | None:
    """Return the newest checkpoint of a folder that is whole, and put damaged ones aside.

    Args:
        folder: where `Checkpoints` writes.

    Returns:
        Its path and what it holds, or None if there has been no checkpoint.

    Raises:
        FormatError: there are checkpoints, but all are damaged.
        OSError: a file cannot be read.
    """
    damaged = []
    for path in _numbered(Path(folder)):
        try:
            contents = read_tensors(path)
        except FormatError as error:
            damaged.append(error)
            aside = path.with_name(f"{path.name}.damaged")
            os.replace(path, aside)
            warnings.warn(f"{error}. It is now {aside}, and the one before is taken", stacklevel=2)
        else:
            return path, contents
    if damaged:
        raise FormatError(
            f"{os.fspath(folder)}: no checkpoint is whole, of {len(damaged)}: {damaged[0]}. Give "
            "another folder to start anew"
        )
    return None


def _numbered(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder by their steps, the newest first."""
    found = [path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


@contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """Keep a folder for oneself; the system lets go of it if the process dies."""
    with open(folder / ".lock", "wb") as file:
        _lock(file.fileno(), folder)
        yield


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows, where nobody has asked for it.
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(
            f"another training writes its checkpoints to {folder}: give this one another folder"
        ) from None
