"""A disk that misbehaves at one call: every call that changes files in a folder goes through it."""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Fault:
    """What a disk does wrong.

    Args:
        name: the fault, in words.
        fail: does it, given the name of the call; it raises an error or ends the process.
        lasts: whether all later calls fail as well.
        share: the part of what is handed over that one call takes.
        late: whether the call is done before it fails.
    """

    name: str
    fail: Callable[[str], None]
    lasts: bool = True
    share: float = 1.0
    late: bool = False


def _raising(number: int) -> Callable[[str], None]:
    def fail(call: str) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def _interrupt(call: str) -> None:
    raise KeyboardInterrupt


def _kill(call: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


FAULTS = (
    Fault("full disk", _raising(errno.ENOSPC)),
    Fault("full disk, short writes", _raising(errno.ENOSPC), share=0.3),
    Fault("error of the disk", _raising(errno.EIO), lasts=False),
    Fault("error of the disk that comes late", _raising(errno.EIO), lasts=False, late=True),
    Fault("disk became read-only", _raising(errno.EROFS)),
    Fault("quota used up", _raising(errno.EDQUOT), share=0.6),
    Fault("Ctrl-C", _interrupt, lasts=False),
    Fault("Ctrl-C behind the call", _interrupt, lasts=False, late=True),
)
KILLED = Fault("killed", _kill)


class Disk:
    """Files of a folder, until the call of a number misbehaves.

    Args:
        folder: the folder.
        fault: what happens.
        at: at which call, counted from 1.
    """

    def __init__(self, folder: Path, fault: Fault, at: int) -> None:
        self.folder, self.fault, self.at = folder, fault, at
        self.calls: list[str] = []
        self.failed: list[str] = []
        self._handles: set[int] = set()

    def call(self, name: str, do: Callable[[], Any]) -> Any:
        """Do one call to the system, or let it fail."""
        self.calls.append(name)
        count = len(self.calls)
        fails = count >= self.at if self.fault.lasts else count == self.at
        if not fails:
            return do()
        self.failed.append(name)
        # A file that cannot be closed is closed all the same, as the system has it; one that was
        # opened and then not given to anybody would stay open.
        if name == "close" or (self.fault.late and name != "open"):
            do()
        self.fault.fail(name)
        return None

    def _holds(self, path: Any) -> bool:
        """Whether a path is of a file in the folder; a lock holds nothing that could be lost."""
        if isinstance(path, int) or Path(path).name == ".lock":
            return False
        return self.folder in Path(path).parents

    @contextmanager
    def misbehaving(self) -> Iterator["Disk"]:
        """Let all that Python writes into the folder go through here."""
        really = {name: getattr(os, name) for name in ("open", "close", "fsync", "replace")}
        opened = builtins.open

        def open_file(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not self._holds(file) or not set(mode) & set("wxa+"):
                return opened(file, mode, *args, **kwargs)
            raw = self.call("open", lambda: _Raw(self, file, mode.replace("b", "")))
            if kwargs.get("buffering") == 0:
                return raw
            buffered = io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, **kwargs)

        def open_handle(path: Any, *args: Any, **kwargs: Any) -> int:
            if not (self._holds(path) or Path(path) == self.folder):
                return int(really["open"](path, *args, **kwargs))
            handle = int(self.call("open", lambda: really["open"](path, *args, **kwargs)))
            self._handles.add(handle)
            return handle

        def close(handle: int) -> None:
            if handle not in self._handles:
                return really["close"](handle)  # type: ignore[no-any-return]
            self._handles.discard(handle)
            return self.call("close", lambda: really["close"](handle))  # type: ignore[no-any-return]

        with ExitStack() as stack:
            for module in (builtins, io):
                stack.enter_context(patch.object(module, "open", open_file))
            stack.enter_context(patch.object(os, "open", open_handle))
            stack.enter_context(patch.object(os, "close", close))
            for name in ("fsync", "replace"):
                stack.enter_context(patch.object(os, name, self._through(name, really[name])))
            yield self

    def _through(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: self.call(name, lambda: real(*args))


class _Raw(io.FileIO):
    """A file whose writes go through a disk."""

    def __init__(self, disk: Disk, path: Any, mode: str) -> None:
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        size = max(1, int(len(view) * self._disk.fault.share))
        return int(self._disk.call("write", lambda: super(_Raw, self).write(view[:size])))

    def close(self) -> None:
        if not self.closed:
            self._disk.call("close", super().close)
